import type { Loop } from '@arbor/shared/supervise'
import type { Block, Hex } from '@arbor/shared/units'
import type { Participant } from '@arbor/training/types'
import type { ChainView } from '../chain-view.ts'
import type { Keep } from '../keep.ts'
import { createInbox, type Waiting } from './inbox.ts'
import { beginRound, type Held, onPublished, type PublishedDeps } from './on-published.ts'
import { measureHeldOut, onVoted, type VotedDeps } from './on-voted.ts'

export interface TrainingLoopDeps extends Omit<PublishedDeps, 'store'>, Omit<VotedDeps, 'ledger' | 'store'> {
  readonly store: PublishedDeps['store'] & VotedDeps['store']
  readonly participant: Participant
  readonly keep: Keep
  readonly view: ChainView
  /** Hears in which block our hotkey was registered, before miners are asked. */
  readonly registered: (at: Block) => void
}

/** Milliseconds that one step of a round may take: what it waits for is bounded by blocks. */
const STEP_MS = 7_200_000

/** Following the rounds is one step that never ends by itself: a year of milliseconds. */
const FOLLOWING_MS = 31_536_000_000

/**
 * Makes the loops of a training subnet, in place of the one that asks questions: `training` follows rounds and keeps the model, `rounds` judges, votes
 * and records. A step that fails is tried again, and given up when its time is over: a round never stalls the next.
 */
export function trainingLoops(deps: TrainingLoopDeps): Readonly<Record<'training' | 'rounds', Loop>> {
  const { log, participant, keep } = deps
  const lost = ({ event }: Waiting): void =>
    log.warn(
      { event: 'training.dropped', round: event.phases.round, phase: event.kind },
      `round ${event.phases.round}: "${event.kind}" was not worked on`,
    )
  const inbox = createInbox({ dropped: lost })
  const joined = createJoined(deps)
  return {
    training: (signal) =>
      keep(
        {
          name: 'training',
          timeoutMs: FOLLOWING_MS,
          next: async () => undefined,
          step: (_, until) =>
            participant.run(async (event, merged) => inbox.put({ event, merged, held: heldOf(participant) }), until),
        },
        signal,
      ),
    rounds: (signal) =>
      keep(
        {
          name: 'rounds',
          timeoutMs: STEP_MS,
          next: inbox.next,
          step: async (waiting, until) => {
            try {
              await joined(waiting.held, until)
              await work(deps, waiting, until)
            } catch (error) {
              if (inbox.failed(waiting)) lost(waiting)
              throw error
            }
            inbox.done(waiting)
          },
        },
        signal,
      ),
  }
}

const heldOf = (participant: Participant): Held | null => {
  const current = participant.current()
  if (current === null) return null
  const { params, round } = current.checkpoint
  return { params, round, hash: current.hash }
}

/** Does what a step of a round asks of a validator. */
async function work(deps: TrainingLoopDeps, { event, merged, held }: Waiting, signal: AbortSignal): Promise<void> {
  const { round } = event.phases
  const { me } = deps.view.now()
  if (me === undefined) return
  const { log } = deps
  deps.registered(me.registeredAt)
  const told = { event: 'training.round', round, phase: event.kind, block: event.block.number }
  if (event.kind === 'start') {
    if (!event.isPast) await beginRound(deps, event.phases)
    log.info({ ...told, base: held?.round === round ? held.hash : null }, `round ${round} of training began`)
  } else if (event.kind === 'published') await onPublished(deps, { event, held }, signal)
  else {
    await onVoted(deps, { event, merged }, signal)
    log.info({ ...told, base: event.plan.base }, `round ${round} of training was voted on`)
  }
}

/** Says once which model this process begins with, and how good that is. */
function createJoined(deps: TrainingLoopDeps): (held: Held | null, signal: AbortSignal) => Promise<void> {
  let said: Hex | null = null
  return async (held, signal) => {
    if (held === null || said !== null) return
    said = held.hash
    const heldOut = await measureHeldOut(deps, held.params, signal)
    deps.trainingMeter.merged({ round: held.round - 1, tokens: 0, heldOut })
    deps.log.info(
      { event: 'training.joined', round: held.round, checkpoint: held.hash, heldOut },
      `training goes on from checkpoint ${held.hash}, with which round ${held.round} starts`,
    )
  }
}
