// Whether a miner and a validator that go on asking each other go on growing: node bench/wire-memory.ts [questions] [steps].
// A million sealed questions of 1 KB, 64 at once, over 16 endpoints; resident memory of both processes at each step.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorker } from './workers/wire/processes.ts'
import { writeResult } from './write.ts'

const [questions = '1000000', steps = '10'] = process.argv.slice(2)
const each = Math.ceil(Number(questions) / Number(steps))
const home = mkdtempSync(join(tmpdir(), 'arbor-bench-wire-'))
const port = '21900'
const rows: { what: string; unit: string; runs: Record<string, number[]> }[] = []
try {
  const start = { program: process.execPath, file: 'arbor.ts', home, nodeOptions: '--max-semi-space-size=4' } // as images and `npm start` do
  const miner = await startWorker({ ...start, args: ['serve', port, 'sealed'] })
  const validator = await startWorker({ ...start, args: ['ask', port, miner.ready, 'sealed'] })
  const addresses = Array.from({ length: 16 }, (_, index) => `127.0.1.${1 + index}`)
  let failed = 0
  for (let step = 1; step <= Number(steps); step += 1) {
    const answered = await validator.run({ addresses, requests: each, bytes: 1_024, concurrency: 64 })
    failed += answered.failed
    const megabytes = (bytes: number): number[] => [Number((bytes / 2 ** 20).toFixed(1))]
    const runs = { miner: megabytes(miner.rss()), validator: megabytes(validator.rss()) }
    rows.push({
      what: `resident after ${(each * step).toLocaleString('en').replaceAll(',', ' ')} questions`,
      unit: 'MB',
      runs,
    })
  }
  miner.stop()
  validator.stop()
  if (failed > 0) throw new Error(`${failed} questions failed`)
} finally {
  rmSync(home, { recursive: true, force: true })
}
writeResult('wire-memory', rows)
