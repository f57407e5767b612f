import { setWeights } from '@arbor/chain/client/calls'
import type {
  BlockRef,
  ChainClient,
  Hyperparameters,
  Metagraph,
  Neuron,
  Submission,
  WeightRow,
} from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { isSignerError, type Signer } from '@arbor/shared/signer'
import type { Block, NetUid } from '@arbor/shared/units'
import type { Logger } from 'pino'
import type { Ledger } from './ledger.ts'
import { type NextAllowed, nextAllowed } from './next-allowed.ts'

export interface WeightSetterDeps {
  readonly chain: ChainClient
  readonly ledger: Ledger
  readonly hotkey: Signer
  readonly netuid: NetUid
  /** Version key that goes with the row. */
  readonly version: number
  readonly clock: Clock
  readonly log: Logger
}

/** What one try came to; `waiting` names the rule, `unchanged` means the chain already holds this row. */
export type WeightOutcome =
  | { readonly kind: 'waiting'; readonly next: Extract<NextAllowed, { allowed: false }> }
  | { readonly kind: 'nothing-scored' }
  | { readonly kind: 'unchanged'; readonly row: WeightRow }
  | {
      readonly kind: 'confirmed' | 'mismatch'
      readonly row: WeightRow
      readonly held: WeightRow
      readonly includedAt: Block | null
      readonly block: BlockRef
    }
  | { readonly kind: 'failed'; readonly row: WeightRow; readonly error: string; readonly retryable: boolean }

/**
 * Sets a row when the chain allows it, waits until it is final, and reads it back.
 * @param row the row to hold, in uid order; an empty one is never sent
 * @param snapshot the metagraph and hyperparameters that the decision rests on, of one block
 */
export async function setRow(
  deps: WeightSetterDeps,
  { row, snapshot, signal }: { readonly row: WeightRow; readonly snapshot: Snapshot; readonly signal: AbortSignal },
): Promise<WeightOutcome> {
  const { chain, ledger, netuid, version, clock } = deps
  const { metagraph, hyperparameters, me } = snapshot
  if (row.length === 0) return { kind: 'nothing-scored' }
  const next = nextAllowed({ metagraph, hyperparameters, me, version })
  if (!next.allowed) return { kind: 'waiting', next }
  if (me === undefined) throw new Error('unreachable: an unregistered hotkey is never allowed')
  const held = await chain.weights(netuid, me.uid, metagraph.block.hash)
  if (sameRow(held, row) && !isStale(me, metagraph)) return { kind: 'unchanged', row }

  const id = ledger.openAttempt({ row, computedAt: metagraph.block.number, at: clock.now() })
  const submission = await submitted(deps, row, signal)
  if (submission.status === 'failed' || submission.status === 'refused') {
    ledger.moveAttempt(id, { state: 'failed', error: submission.error })
    const retryable = submission.status === 'refused' && submission.retryable
    return { kind: 'failed', row, error: submission.error, retryable }
  }
  ledger.moveAttempt(id, { state: 'finalised', block: submission.block.number })
  return readBack(deps, { id, row, me, includedAt: submission.block.number })
}

/** Submits a row; a hotkey's holder that refuses or is away is an outcome like the chain's refusals. */
const submitted = async (
  { chain, netuid, version, hotkey }: WeightSetterDeps,
  row: WeightRow,
  signal: AbortSignal,
): Promise<Submission> => {
  try {
    return await chain.submit(setWeights({ netuid, row, version }), {
      signer: hotkey,
      waitFor: 'finalised',
      eraBlocks: 64, // long enough for a congested pool, short enough that a lost row cannot surface an epoch later
      signal,
    })
  } catch (error) {
    if (!isSignerError(error)) throw error
    return { status: 'refused', code: 0, error: `${error.code}: ${error.message}`, retryable: error.retryable }
  }
}

/** Everything a decision about weights rests on, true at one block. */
export interface Snapshot {
  readonly metagraph: Metagraph
  readonly hyperparameters: Hyperparameters
  readonly me: Neuron | undefined
}

/** Compares what the chain holds at its finalised head with what was sent. */
export async function readBack(
  { chain, ledger, netuid }: Pick<WeightSetterDeps, 'chain' | 'ledger' | 'netuid'>,
  {
    id,
    row,
    me,
    includedAt,
  }: { readonly id: number; readonly row: WeightRow; readonly me: Neuron; readonly includedAt: Block | null },
): Promise<WeightOutcome> {
  const block = await chain.finalized()
  const held = await chain.weights(netuid, me.uid, block.hash)
  const kind = sameRow(held, row) ? 'confirmed' : 'mismatch'
  ledger.moveAttempt(id, { state: kind, block: block.number })
  return { kind, row, held, includedAt, block }
}

/** Tells whether two rows say the same: a uid that is absent weighs zero. */
export function sameRow(a: WeightRow, b: WeightRow): boolean {
  const left = nonZero(a)
  const right = nonZero(b)
  return (
    left.length === right.length && left.every(([uid, weight], i) => right[i]?.[0] === uid && right[i]?.[1] === weight)
  )
}

const nonZero = (row: WeightRow): WeightRow => [...row].filter(([, weight]) => weight > 0).sort(([a], [b]) => a - b)

/** A row is set again at least once a tempo, so that the chain never counts its validator inactive. */
const isStale = (me: Neuron, { block, tempo }: Metagraph): boolean =>
  block.number - me.lastUpdate >= (tempo as number as Block)
