// What a question and its answer cost, asker and server together: node bench/wire.ts [runs] [arm,…] [sizes in KB].
// Needs scripts/interop-setup. Server and asker are processes of their own; all arms run in each sitting, one after another.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startWorker, type Worker } from './workers/wire/processes.ts'
import type { Job } from './workers/wire/talk.ts'
import { writeResult } from './write.ts'

const repository = fileURLToPath(new URL('..', import.meta.url))
const python = join(process.env.ARBOR_PYTHON ?? join(repository, '.arbor/python'), 'bittensor-10.5/bin/python')
const node = process.execPath

interface Arm {
  readonly program: string
  readonly file: string
  readonly asks: readonly string[]
  /** How many questions a cell takes, relative to the fastest arm. */
  readonly share: number
}

const arms: Readonly<Record<string, Arm>> = {
  'bare HTTP': { program: node, file: 'bare.ts', asks: [], share: 1 },
  sessions: { program: node, file: 'arbor.ts', asks: ['sessions'], share: 1 },
  'sessions, sealed': { program: node, file: 'arbor.ts', asks: ['sealed'], share: 1 },
  'Bittensor 10.x by Arbor': { program: node, file: 'arbor.ts', asks: ['bittensor'], share: 0.5 },
  'bittensor 10.5.0': { program: python, file: 'python.py', asks: [], share: 0.1 },
}

const [runs = '3', chosen = Object.keys(arms).join(), sizes = '1,64,1024'] = process.argv.slice(2)
const names = Object.keys(arms).filter((name) => chosen.split(',').some((part) => name.startsWith(part)))

/** Questions of a cell in the fastest arm: enough for a second of CPU. */
const questions = (kilobytes: number): number => (kilobytes === 1 ? 3_000 : kilobytes === 64 ? 1_000 : 150)
const endpointsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `127.0.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`)

const cells = sizes
  .split(',')
  .flatMap((kilobytes) =>
    [1, 16, 128].flatMap((concurrency) =>
      [1, 256].map((endpoints) => ({ kilobytes: Number(kilobytes), concurrency, endpoints })),
    ),
  )
const rows = new Map<string, { what: string; unit: string; runs: Record<string, number[]> }>()
const note = (what: string, unit: string, arm: string, value: number): void => {
  const row = rows.get(what + unit) ?? { what, unit, runs: {} }
  rows.set(what + unit, row)
  row.runs[arm] = [...(row.runs[arm] ?? []), Number(value.toPrecision(3))]
}

async function measure(arm: string, server: Worker, asker: Worker): Promise<void> {
  const { share } = arms[arm] as Arm
  for (const { kilobytes, concurrency, endpoints } of cells) {
    const requests = Math.max(Math.round(questions(kilobytes) * share), concurrency, 20)
    const job: Job = { addresses: endpointsOf(endpoints), requests, bytes: kilobytes * 1_024, concurrency }
    await asker.run({ ...job, requests: Math.max(concurrency, Math.round(requests / 5), Math.ceil(endpoints * share)) }) // warms up, and connects
    const before = server.cpuMs() + asker.cpuMs()
    const { failed } = await asker.run(job)
    const what = `${kilobytes} KB, ${concurrency} at once, ${endpoints} endpoint${endpoints === 1 ? '' : 's'}`
    note(what, 'CPU ms a question', arm, (server.cpuMs() + asker.cpuMs() - before) / requests)
    note(what, '% failed', arm, (100 * failed) / requests)
  }
}

const home = mkdtempSync(join(tmpdir(), 'arbor-bench-wire-'))
let port = 21_000
try {
  for (let run = 0; run < Number(runs); run += 1) {
    for (const name of run % 2 === 0 ? names : names.toReversed()) {
      const { program, file, asks } = arms[name] as Arm
      const at = String(port++)
      const server = await startWorker({ program, file, args: ['serve', at, ...asks], home })
      const asker = await startWorker({ program, file, args: ['ask', at, server.ready, ...asks], home })
      await measure(name, server, asker)
      asker.stop()
      server.stop()
    }
  }
} finally {
  rmSync(home, { recursive: true, force: true })
}
const isWhole = names.length === Object.keys(arms).length
const told = [...rows.values()].filter(
  ({ unit, runs: of }) =>
    unit !== '% failed' ||
    Object.values(of)
      .flat()
      .some((value) => value > 0),
)
if (isWhole) writeResult('wire', told)
else for (const { what, unit, runs: values } of rows.values()) console.log(what, unit, JSON.stringify(values))
