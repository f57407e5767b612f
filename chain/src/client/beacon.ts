import { SubnetError } from '@arbor/shared/errors'
import { fromHex } from '@arbor/shared/hex'
import type { Block, Hex, UnixMs } from '@arbor/shared/units'
import type { Beacon } from '../timelock/drand.ts'
import { toPlain } from './plain.ts'
import { entryOf, type Reader } from './reader.ts'

/** The beacon that a chain follows, and how far it has come. */
export interface BeaconState {
  readonly beacon: Beacon
  /** Newest round whose pulse the chain has; 0 for none. */
  readonly lastStoredRound: bigint
  /** The chain's own time. */
  readonly now: UnixMs
}

/** Reads which beacon a chain follows. @throws CHAIN_NO_ITEM when it follows none */
export async function readBeacon(reader: Reader, at: Hex): Promise<BeaconState> {
  const [config, last, now] = (
    await reader.many([entryOf('Drand.BeaconConfig'), entryOf('Drand.LastStoredRound'), entryOf('Timestamp.Now')], at)
  ).map(toPlain)
  const { public_key, period, genesis_time } = config as Record<'period' | 'genesis_time', bigint> & {
    readonly public_key: Hex
  }
  return {
    beacon: { publicKey: fromHex(public_key), periodS: Number(period), genesisS: Number(genesis_time) },
    lastStoredRound: last as bigint,
    now: Number(now) as UnixMs,
  }
}

/** Reads the signature of a round; null when the chain does not have it. */
export async function readSignature(reader: Reader, round: bigint, at: Hex): Promise<Uint8Array | null> {
  const [pulse] = await reader.many([entryOf('Drand.Pulses', round)], at)
  const found = toPlain(pulse ?? null) as { readonly signature: Hex } | null
  return found === null ? null : fromHex(found.signature)
}

/** Blocks over which the time between blocks is averaged. */
const AVERAGED = 16

/** Measures the time between blocks, in milliseconds, by the chain's own clock. */
export async function measureBlockTime(
  reader: Reader,
  hashOf: (number: Block) => Promise<Hex | null>,
  block: { readonly number: Block; readonly hash: Hex },
): Promise<number> {
  const first = Math.max(1, block.number - AVERAGED) as Block // genesis has no time
  const older = first < block.number ? await hashOf(first) : null
  if (older === null)
    throw new SubnetError({
      code: 'CHAIN_TOO_YOUNG',
      message: `the chain is at block ${block.number}: its block time cannot be measured before block 2; wait for it`,
      retryable: true,
    })
  const times = await Promise.all([older, block.hash].map((at) => reader.many([entryOf('Timestamp.Now')], at)))
  const [from, to] = times.map(([time]) => Number(toPlain(time ?? null)))
  return ((to ?? 0) - (from ?? 0)) / (block.number - first)
}
