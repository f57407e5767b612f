import type { Clock } from '@arbor/shared/clock'
import { checkpointBytes } from '@arbor/subnet-spec/finetune/checkpoint'
import type { Checkpoint, TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import { tokensOf } from '@arbor/subnet-spec/finetune/windows'
import type { BlobStore, Merged, RoundEvent } from '@arbor/training/types'
import type { Logger } from 'pino'
import { mergedOf } from '../auditor/check-checkpoint.ts'
import type { TrainingEngine } from './engine.ts'
import { heldOutBatches } from './held-out.ts'
import type { RecordedMerge, TrainingLedger } from './ledger.ts'
import type { TrainingMeter } from './meter.ts'

export interface VotedDeps {
  readonly engine: TrainingEngine
  readonly terms: TrainingTerms
  readonly store: Pick<BlobStore, 'has'>
  readonly ledger: Pick<TrainingLedger, 'recordMerge' | 'lastMerge' | 'publishFiles' | 'publicFiles' | 'withdrawFiles'>
  readonly trainingMeter: TrainingMeter
  readonly clock: Clock
  readonly log: Logger
}

/** Tells the log and everybody else what a round made of the model. Does nothing for a merge that is recorded. */
export async function onVoted(
  deps: VotedDeps,
  of: { readonly event: Extract<RoundEvent, { readonly kind: 'voted' }>; readonly merged: Merged | null },
  signal: AbortSignal,
): Promise<void> {
  const { ledger, log, clock, trainingMeter } = deps
  const { phases, plan } = of.event
  const { round } = phases
  const known = ledger.lastMerge()
  if (of.merged === null || (known !== null && known.round >= round)) return
  const { before, hash: checkpoint } = of.merged
  const merge: RecordedMerge = {
    round,
    votedAt: phases.voteBy,
    base: plan.base,
    merged: mergedOf(plan),
    before,
    checkpoint,
    heldOut: await measureHeldOut(deps, of.merged.checkpoint.params, signal),
    tokens: plan.merged.length * tokensOf(deps.terms.local),
    at: clock.now(),
  }
  if (!ledger.recordMerge(merge)) return
  publish(deps, of.merged, merge)
  trainingMeter.merged(merge)
  const { base, heldOut, tokens } = merge
  const merged = merge.merged.map(({ uid }) => uid)
  log.info(
    { event: 'training.merged', round, checkpoint, before, base, merged, heldOut, tokens },
    `round ${round} merged ${merged.length} updates into ${checkpoint}`,
  )
}

/** Measures a model on the held-out text; null where that was not possible, which costs a point of a curve and nothing else. */
export async function measureHeldOut(
  { engine, terms, log }: Pick<VotedDeps, 'engine' | 'terms' | 'log'>,
  params: Float32Array,
  signal: AbortSignal,
): Promise<number | null> {
  try {
    const batches = heldOutBatches({ tokens: engine.tokens.heldOut, local: terms.local })
    const losses = await engine.losses({ params, batches }, signal)
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length
  } catch (error) {
    signal.throwIfAborted()
    const why = error instanceof Error ? error.message : String(error)
    log.warn({ event: 'training.not-measured', why }, `the loss on held-out text was not measured: ${why}`)
    return null
  }
}

/** Serves the new checkpoint and what was merged, as far as they are kept, and takes back what is kept no longer. */
function publish({ ledger, store }: VotedDeps, { checkpoint }: Merged, merge: RecordedMerge): void {
  const updates = merge.merged.map(({ name, bytes }) => ({ name, bytes, kind: 'update', round: merge.round }) as const)
  const whole = {
    name: merge.checkpoint,
    bytes: bytesOf(checkpoint),
    kind: 'checkpoint',
    round: merge.round + 1,
  } as const
  ledger.publishFiles([...updates, whole].filter(({ name }) => store.has(name)))
  ledger.withdrawFiles(ledger.publicFiles().flatMap(({ name }) => (store.has(name) ? [] : [name])))
}

const bytesOf = ({ params, spec }: Checkpoint): number => checkpointBytes({ size: params.length, spec })
