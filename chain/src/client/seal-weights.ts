import { SubnetError } from '@arbor/shared/errors'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { encodePayload } from '../timelock/payload.ts'
import type { SealRandomness } from '../timelock/randomness.ts'
import { revealRound } from '../timelock/schedule.ts'
import { measureBlockTime, readBeacon } from './beacon.ts'
import { readCommitReveal } from './commits.ts'
import type { Reader } from './reader.ts'
import type { BlockRef, WeightRow } from './types.ts'

/** A row sealed for a round; `commitTimelockedWeights` takes it. */
export interface SealedWeights {
  readonly netuid: NetUid
  readonly mechanism: number
  readonly sealed: Uint8Array
  readonly round: bigint
  readonly version: number
  /** Block in which the chain opens it, as the schedule stands now. */
  readonly opensAt: Block
}

/** What is sealed. */
export interface PlainWeights {
  readonly netuid: NetUid
  readonly mechanism?: number
  readonly hotkey: Ss58
  readonly row: WeightRow
  readonly version: bigint
}

/** @source subtensor@14bc6f9 MAX_CRV3_COMMIT_SIZE_BYTES */
const MAX_SEALED_BYTES = 5_000

/**
 * Seals a row for the round that is due when the chain opens commits of the next block.
 * @param random used once
 * @throws WEIGHTS_NO_EPOCH when the subnet runs no epochs, WEIGHTS_TOO_LARGE
 */
export async function sealWeights(
  deps: { readonly reader: Reader; readonly hashOf: (number: Block) => Promise<Hex | null>; readonly block: BlockRef },
  of: PlainWeights,
  random: SealRandomness,
): Promise<SealedWeights> {
  const { reader, block } = deps
  const [state, { beacon }, blockMs] = await Promise.all([
    readCommitReveal(reader, of.netuid, block),
    readBeacon(reader, block.hash),
    measureBlockTime(reader, deps.hashOf, block),
  ])
  const due = revealRound({ state: state.schedule, periods: state.revealPeriod, now: state.now, blockMs, beacon })
  if (due === null)
    throw new SubnetError({
      code: 'WEIGHTS_NO_EPOCH',
      message: `subnet ${of.netuid} has tempo 0 and runs no epochs, so nothing that is sealed would be opened`,
    })
  const { seal } = await import('../timelock/seal.ts') // a quarter of a second of curve, which most processes never need
  const plain = encodePayload({ hotkey: decodeSs58(of.hotkey), row: of.row, version: of.version })
  const sealed = seal(beacon, due.round, plain, random)
  if (sealed.length > MAX_SEALED_BYTES)
    throw new SubnetError({
      code: 'WEIGHTS_TOO_LARGE',
      message: `${of.row.length} weights make a commit of ${sealed.length} bytes, and the chain takes ${MAX_SEALED_BYTES}; leave out the smallest ones`,
    })
  return {
    netuid: of.netuid,
    mechanism: of.mechanism ?? 0,
    sealed,
    round: due.round,
    version: state.version,
    opensAt: due.block,
  }
}
