// The arm Chopsticks of bench/chain.ts: from a chain spec that is ready, which is how it wants a genesis.
import { readFileSync } from 'node:fs'
import type { Hex } from '@arbor/shared/units'

/** The part of Chopsticks that is used here; its package is no dependency of Arbor. */
interface Chopsticks {
  GenesisProvider: new (spec: unknown) => unknown
  BuildBlockMode: { readonly Manual: string }
  setup(options: Record<string, unknown>): Promise<{
    readonly head: { readonly hash: Hex; call(method: string, args: Hex[]): Promise<{ readonly result: Hex }> }
    newBlock(params: {
      readonly transactions: readonly Hex[]
    }): Promise<{ readonly extrinsics: Promise<readonly Hex[]> }>
    getBlockAt(number: number): Promise<{ readonly hash: Hex } | undefined>
    close(): Promise<void>
  }>
}

const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString('hex')}`
const name: string = '@acala-network/chopsticks-core'
const { BuildBlockMode, GenesisProvider, setup }: Chopsticks = await import(name)
const genesis = new GenesisProvider(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')))
const chain = await setup({ genesis, buildBlockMode: BuildBlockMode.Manual, runtimeLogLevel: 0 })
await chain.head.call('Core_version', [])
const used = process.cpuUsage()
const started = { cpuMs: (used.user + used.system) / 1_000, wallMs: performance.now() }
const first = await chain.getBlockAt(0) // it has made block 1 by itself
if (first === undefined) throw new Error('Chopsticks holds no genesis block')
const { measure } = await import('./chain-measure.ts')
await measure(
  {
    genesisHash: first.hash,
    block: async (extrinsics) =>
      (await (await chain.newBlock({ transactions: extrinsics.map(hex) })).extrinsics).length - 1,
    call: async (method, args) => {
      const { result } = await chain.head.call(method, args.length === 0 ? [] : [hex(args)])
      return Uint8Array.from(Buffer.from(result.slice(2), 'hex'))
    },
  },
  started,
)
await chain.close()
process.exit(0) // its executor's thread stays otherwise
