// The arm Arbor of bench/history.ts: makes blocks into a folder, or opens that folder, each as `arbor chain run --data` does.
//   node bench/workers/history-arbor.ts make|open _ FOLDER BLOCKS
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@arbor/shared/clock'
import type { Blocks } from '@arbor/shared/units'
import pino from 'pino'
import { startChainService } from '../../chain/src/service.ts'
import { cpuMs, createWindows, type Made, type Opened, report } from './history-report.ts'

const [phase = '', , folder = '', blocks = '0'] = process.argv.slice(2)
const service = await startChainService({
  wasm: new Uint8Array(readFileSync(new URL('../../chain/artifacts/arbor_runtime.wasm', import.meta.url))),
  data: folder,
  mode: { kind: 'manual' },
  finalityLag: 0 as Blocks,
  identity: { name: 'Bench', type: 'Development', version: '0' },
  host: '127.0.0.1',
  port: 0,
  origins: [],
  clock: systemClock,
  log: pino({ level: 'silent' }),
})
const { chain } = service
const databaseBytes = (): number =>
  readdirSync(folder)
    .map((name) => statSync(join(folder, name)).size)
    .reduce((sum, size) => sum + size, 0)

if (phase === 'make') {
  const windows = createWindows()
  let failed: string | null = null
  for (let number = chain.best().header.number + 1; number <= Number(blocks) && failed === null; number += 1) {
    try {
      await chain.produce()
      windows.made(number)
      if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve)) // as between blocks of any chain
    } catch (error) {
      failed = String(error)
    }
  }
  const made: Made = {
    blocks: chain.best().header.number,
    windows: windows.all(),
    failed,
    databaseBytes: databaseBytes(),
  }
  report(made)
} else {
  chain.call('Core_version', new Uint8Array(), chain.best().hash)
  const best = chain.best().header.number
  const opened: Opened = {
    best,
    cpuMs: cpuMs(),
    wallMs: performance.now(),
    rssMb: process.memoryUsage().rss / 1e6,
    failed: null,
  }
  report(opened)
}
await service.close()
