import type { BlockRef, Call, Submission } from '@arbor/chain/client/types'
import type { WeightAttempt, WeightMove } from './attempt.ts'
import type { WeightDeps } from './deps.ts'
import { eraBlocks } from './era.ts'
import type { WeightFacts } from './next-allowed.ts'
import { type Refusal, refusalOf, signerRefusal } from './outcome.ts'

/** What became of the bytes of an attempt. */
export type Delivery =
  | { readonly kind: 'applied'; readonly attempt: WeightAttempt; readonly block: BlockRef }
  | { readonly kind: 'refused'; readonly attempt: WeightAttempt; readonly refusal: Refusal }
  /** The blocks that would tell cannot be read. */
  | { readonly kind: 'unseen'; readonly attempt: WeightAttempt }

/** States in which bytes of an attempt may be on their way. */
export type Sending = 'setting' | 'committing' | 'revealing'

/**
 * Signs and sends a call of an attempt and waits until its outcome is final. The ledger knows of every signature before it leaves, so
 * that a process which ends here is followed by one that looks for it.
 */
export async function send(
  deps: WeightDeps,
  of: {
    readonly attempt: WeightAttempt
    readonly call: Call
    readonly as: Sending
    /** What the ledger notes with the first signature. */
    readonly note?: Omit<WeightMove, 'state' | 'sent'>
    readonly facts: WeightFacts
    readonly best: BlockRef
  },
  signal: AbortSignal,
): Promise<Delivery> {
  const { chain, ledger, hotkey, clock, log } = deps
  const { as, facts, best, note = {} } = of
  let attempt = of.attempt
  const { metagraph, hyperparameters } = facts
  const lag = best.number - metagraph.block.number
  const era = eraBlocks({ tempo: metagraph.tempo, rateLimit: hyperparameters.weightsRateLimit, lag })
  try {
    const submission = await chain.submit(of.call, {
      signer: hotkey,
      waitFor: 'finalised',
      eraBlocks: era,
      signal,
      onSigned: (sent) => {
        const at = clock.now()
        if (attempt.state === as) ledger.signedAttempt(attempt.id, sent, at)
        else attempt = ledger.moveAttempt(attempt.id, { ...note, state: as, sent, at })
        attempt = { ...attempt, sent }
        const fields = { attempt: attempt.id, call: of.call.call, ...sent }
        log.debug({ event: 'weights.sent', ...fields }, `${of.call.call} is valid up to block ${sent.lastBlock}`)
      },
      onIncluded: (block) => {
        log.debug({ event: 'weights.included', attempt: attempt.id, block: block.number }, `in block ${block.number}`)
        if (attempt.state !== as || as === 'committing') return
        attempt = ledger.moveAttempt(attempt.id, { state: 'included', block: block.number, at: clock.now() })
      },
    })
    // What one pool dropped, another may have taken on already, and what one endpoint did not show, another may: only the blocks tell.
    if (submission.status === 'unseen') return await settle(deps, attempt, signal)
    const isOpen = submission.status === 'refused' && submission.code === 0 && submission.error !== EXPIRED
    if (isOpen && attempt.sent !== null) return await settle(deps, attempt, signal, submission.error)
    return deliveryOf(attempt, submission)
  } catch (error) {
    const refusal = signerRefusal(error)
    if (refusal === null) throw error
    return { kind: 'refused', attempt, refusal }
  }
}

const EXPIRED = 'InvalidTransaction.Expired'

const deliveryOf = (attempt: WeightAttempt, submission: Exclude<Submission, { status: 'unseen' }>): Delivery =>
  submission.status === 'failed' || submission.status === 'refused'
    ? { kind: 'refused', attempt, refusal: refusalOf(submission.error) }
    : { kind: 'applied', attempt, block: submission.block }

/**
 * Settles by the blocks what bytes of an attempt came to.
 * @param refused why the pool let go of them, when it did
 */
export async function settle(
  { chain, log }: Pick<WeightDeps, 'chain' | 'log'>,
  attempt: WeightAttempt,
  signal: AbortSignal,
  refused: string | null = null,
): Promise<Delivery> {
  if (attempt.sent === null) return { kind: 'unseen', attempt }
  const { id, sent } = attempt
  log.debug(
    { event: 'weights.settling', attempt: id, ...sent },
    `looking for it in the blocks up to ${sent.lastBlock}, since nobody said what became of it`,
  )
  const submission = await chain.settle(sent, signal)
  if (submission.status === 'unseen') return { kind: 'unseen', attempt }
  const expired = submission.status === 'refused' && refused !== null
  return deliveryOf(attempt, expired ? { ...submission, error: refused } : submission)
}
