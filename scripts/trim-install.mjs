// Runs after an install of this checkout: onnxruntime-node ships the binaries of five platforms (290 MB); keep this one's.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../node_modules/onnxruntime-node/bin/napi-v6', import.meta.url))
const platforms = existsSync(folder) ? readdirSync(folder) : []
for (const platform of platforms) {
  for (const arch of readdirSync(join(folder, platform))) {
    if (platform !== process.platform || arch !== process.arch)
      rmSync(join(folder, platform, arch), { recursive: true })
  }
}
