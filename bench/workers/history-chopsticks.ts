// The arm Chopsticks of bench/history.ts: makes blocks into a database until it has enough or fails, or opens that database.
// `depth` finds out how many blocks a read survives: Chopsticks keeps the changes of each block in a layer, and asks layer by layer.
//   node bench/workers/history-chopsticks.ts make|open|depth SPEC FOLDER BLOCKS
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Hex } from '@arbor/shared/units'
import { cpuMs, createWindows, type Depth, type Made, type Opened, report } from './history-report.ts'

/** The part of Chopsticks that is used here; its packages are no dependency of Arbor. */
interface Block {
  readonly number: number
  readonly hash: Hex
  call(method: string, args: Hex[]): Promise<{ readonly result: Hex }>
  pushStorageLayer(): unknown
  get(key: Hex): Promise<Hex | undefined>
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

/** Layers between two reads. */
const STEP = 100

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

/** What failed, and in which function of which file. */
const reasonOf = (error: unknown): string => {
  const [, where = ''] = error instanceof Error ? (error.stack ?? '').split('\n') : []
  return `${String(error)}${where.replace(/^\s*(at .*?)\s*\((?:.*\/)?([^/]+)\)$/, ' $1 $2')}`
}

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
} else if (phase === 'depth') {
  const depth: Depth = { layers: 0, failed: null }
  while (depth.layers < 100_000 && depth.failed === null) {
    for (let pushed = 0; pushed < STEP; pushed += 1) chain.head.pushStorageLayer()
    depth.layers += STEP
    // a key that nobody asked for before, since answers are kept
    const key: Hex = `0x${depth.layers.toString(16).padStart(64, '0')}`
    depth.failed = await chain.head.get(key).then(() => null, reasonOf)
  }
  report(depth)
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
