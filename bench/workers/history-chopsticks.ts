// The arm Chopsticks of bench/history.ts: makes blocks into a database until it has enough or fails, or opens that database.
//   node bench/workers/history-chopsticks.ts make|open SPEC FOLDER BLOCKS
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Hex } from '@arbor/shared/units'
import { cpuMs, createWindows, type Made, type Opened, report } from './history-report.ts'

/** The part of Chopsticks that is used here; its packages are no dependency of Arbor. */
interface Block {
  readonly number: number
  readonly hash: Hex
  call(method: string, args: Hex[]): Promise<{ readonly result: Hex }>
}
interface Chopsticks {
  GenesisProvider: new (spec: unknown) => unknown
  BuildBlockMode: { readonly Manual: string }
  setup(options: Record<string, unknown>): Promise<{
    readonly head: Block
    readonly db: { queryHighestBlock(): Promise<{ readonly number: number } | null> }
    loadBlockFromDB(number: number): Promise<Block | undefined>
    setHead(block: Block): Promise<void>
    newBlock(): Promise<Block>
  }>
}

const [phase = '', spec = '', folder = '', blocks = '0'] = process.argv.slice(2)
const file = join(folder, 'chopsticks.sqlite')
const names: readonly string[] = ['@acala-network/chopsticks-core', '@acala-network/chopsticks-db']
const [{ BuildBlockMode, GenesisProvider, setup }, { SqliteDatabase }]: [
  Chopsticks,
  { SqliteDatabase: new (location: string) => unknown },
] = (await Promise.all(names.map((name) => import(name)))) as never
const chain = await setup({
  genesis: new GenesisProvider(JSON.parse(readFileSync(spec, 'utf8'))),
  buildBlockMode: BuildBlockMode.Manual,
  runtimeLogLevel: 0,
  db: new SqliteDatabase(file),
})

/** The last lines that tell where it failed. */
const reasonOf = (error: unknown): string =>
  error instanceof Error
    ? [String(error), ...(error.stack ?? '').split('\n').slice(1, 4)].join(' ').slice(0, 600)
    : String(error)

if (phase === 'make') {
  const windows = createWindows()
  let failed: string | null = null
  while (chain.head.number < Number(blocks) && failed === null) {
    try {
      await chain.newBlock()
      windows.made(chain.head.number)
    } catch (error) {
      failed = reasonOf(error)
    }
  }
  const made: Made = { blocks: chain.head.number, windows: windows.all(), failed, databaseBytes: statSync(file).size }
  report(made)
} else {
  let failed: string | null = null
  let best = 0
  try {
    // what its command line does with --resume
    best = (await chain.db.queryHighestBlock())?.number ?? 0
    const block = await chain.loadBlockFromDB(best)
    if (block === undefined) throw new Error(`block ${best} is not in the database`)
    await chain.setHead(block)
    await chain.head.call('Core_version', [])
  } catch (error) {
    failed = reasonOf(error)
  }
  const opened: Opened = {
    best,
    cpuMs: cpuMs(),
    wallMs: performance.now(),
    rssMb: process.memoryUsage().rss / 1e6,
    failed,
  }
  report(opened)
}
process.exit(0) // its executor's thread stays otherwise
