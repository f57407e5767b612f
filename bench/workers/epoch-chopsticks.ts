// The arm Chopsticks of bench/epoch.ts: the same blob and call at its genesis.
//   node bench/workers/epoch-chopsticks.ts SPEC UIDS VALIDATORS CALLS
import { readFileSync } from 'node:fs'
import { measureCalls } from './epoch-calls.ts'

interface Chopsticks {
  GenesisProvider: new (spec: unknown) => unknown
  BuildBlockMode: { readonly Manual: string }
  setup(options: Record<string, unknown>): Promise<{
    readonly head: { call(method: string, args: string[]): Promise<{ readonly result: string }> }
  }>
}

const name: string = '@acala-network/chopsticks-core'
const { BuildBlockMode, GenesisProvider, setup }: Chopsticks = await import(name)
const genesis = new GenesisProvider(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')))
const chain = await setup({ genesis, buildBlockMode: BuildBlockMode.Manual, runtimeLogLevel: 0 })
await measureCalls(async (method, args) => {
  const { result } = await chain.head.call(method, [`0x${Buffer.from(args).toString('hex')}`])
  return result.length / 2 - 1
})
process.exit(0) // its executor's thread stays otherwise
