import { toHex } from '@arbor/shared/hex'
import { startTestChain } from '../../chain/test/support/embedded.ts'
import { GENESIS_PATCH } from './chain-genesis.ts'

/** Twox128 of "Timestamp" and "Now": Chopsticks takes its clock from there, so it is added for it alone. */
const TIMESTAMP_NOW = '0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb'

/** Writes the genesis of the blob that comes with Arbor as a raw chain spec. */
export async function genesisSpec(): Promise<object> {
  const { chain } = await startTestChain({ patch: GENESIS_PATCH })
  const state = chain.state(chain.genesisHash)
  const top: Record<string, string> = {}
  for (const key of state.keys(new Uint8Array(), { count: 100_000 }))
    top[toHex(key)] = toHex(state.get(key) ?? new Uint8Array())
  await chain.close()
  const now = Buffer.alloc(8)
  now.writeBigUInt64LE(BigInt(Date.now()))
  top[TIMESTAMP_NOW] = `0x${now.toString('hex')}`
  const sorted = Object.fromEntries(Object.entries(top).sort(([a], [b]) => (a < b ? -1 : 1)))
  const properties = { ss58Format: 42, tokenDecimals: 9, tokenSymbol: 'TAO' }
  return { id: 'bench', name: 'Bench', properties, genesis: { raw: { top: sorted } } }
}
