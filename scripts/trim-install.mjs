// Runs after an install of this checkout, with any Node: takes out what no process here needs.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))

/** onnxruntime-node ships the binaries of five platforms (290 MB); keeps this one's. */
function keepOnePlatform() {
  const folder = join(modules, 'onnxruntime-node', 'bin', 'napi-v6')
  for (const platform of existsSync(folder) ? readdirSync(folder) : []) {
    for (const arch of readdirSync(join(folder, platform))) {
      if (platform !== process.platform || arch !== process.arch)
        rmSync(join(folder, platform, arch), { recursive: true })
    }
  }
}

/** Bytes from which on a manifest is worth shortening. */
const LARGE = 8_192

/**
 * Node parses the nearest package.json once for every module that it loads, and those of @polkadot have up to 188 kB of exports: a third
 * of the time in which a process of ours starts. Says the same exports in fewer words, and gives each folder a manifest of its own.
 */
function shortenManifests() {
  const scope = join(modules, '@polkadot')
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const file = join(scope, name, 'package.json')
    if (!existsSync(file) || statSync(file).size < LARGE) continue
    const manifest = JSON.parse(readFileSync(file, 'utf8'))
    const exports = shortExports(manifest.exports)
    if (manifest.type !== 'module') continue
    writeFileSync(`${file}.part`, `${JSON.stringify({ ...manifest, exports })}\n`)
    renameSync(`${file}.part`, file)
    for (const entry of readdirSync(join(scope, name), { withFileTypes: true })) {
      const own = join(scope, name, entry.name, 'package.json')
      if (entry.isDirectory() && entry.name !== 'node_modules' && !existsSync(own))
        writeFileSync(own, '{"type":"module"}\n')
    }
  }
}

/**
 * Shortens exports of the form that @polkadot's packages have: types beside their file, the same target for bundlers as for everybody.
 * One of another form stays as it is.
 */
export function shortExports(exports) {
  const short = {}
  for (const [name, target] of Object.entries(exports ?? {})) {
    const file = plainFile(target)
    if (file === null) short[name] = target
    else if (file === `${name}.js`) short['./*'] ??= { require: './cjs/*.js', default: './*.js' }
    else short[name] = { require: file.replace('./', './cjs/'), default: file }
  }
  return short
}

/** Names the file of an export that says three times the same. */
function plainFile(target) {
  const file = target?.default?.default
  if (typeof file !== 'string') return null
  const said = (at) => ({ types: at.replace(/\.js$/, '.d.ts'), default: at })
  const plain = { module: said(file), require: said(file.replace('./', './cjs/')), default: said(file) }
  return JSON.stringify(target) === JSON.stringify(plain) ? file : null
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  keepOnePlatform()
  shortenManifests()
}
