import { SubnetError } from '@arbor/shared/errors'
import { createBudget } from '@arbor/shared/supervise'
import type { Block, Hex, Ms } from '@arbor/shared/units'
import { basePrefix } from '@arbor/subnet-spec/finetune/records'
import { tokensOf } from '@arbor/subnet-spec/finetune/windows'
import type { RoundEvent } from '@arbor/training/types'
import type { TrainingDeps } from './types.ts'
import { type MadeUpdate, makeUpdate, type RoundTask } from './work.ts'

type Start = Extract<RoundEvent, { kind: 'start' }>
type Published = Extract<RoundEvent, { kind: 'published' }>

/** Wait before a round that failed is gone on with. */
const AGAIN_MS = 1_000 as Ms
const TOO_SLOW =
  'its time to publish was over before the update was there: this machine, with what else it does, is too slow for the round'
/** Failures that a miner survives: rounds are short, and one that never ends well is better looked at. */
const BUDGET = { failures: 20, withinMs: 600_000 } as const

/** Work on one round, in the background. */
interface Job {
  readonly round: number
  /** Stops it, and waits until it has. @returns whether it was still at work */
  end(): Promise<boolean>
}

/**
 * Trains each round, commits to its update, and serves it once nobody can copy it, until the signal aborts.
 * @throws SUPERVISE_BUDGET_SPENT when rounds fail one after the other, and what the participant throws
 */
export const runTraining = async (deps: TrainingDeps, signal: AbortSignal): Promise<void> => {
  const spend = createBudget({ name: 'training', budget: BUDGET, clock: deps.clock })
  const broken = new AbortController()
  const until = AbortSignal.any([signal, broken.signal])
  const fail = (error: unknown): void => {
    try {
      spend(error)
    } catch (spent) {
      broken.abort(spent)
    }
  }
  const running: { job: Job | null } = { job: null }
  let isFirst = true
  const begin = (round: number): void => {
    if (!isFirst) return
    isFirst = false
    serveOlder(deps, round)
    const checkpoint = deps.participant.current()?.hash ?? null
    deps.log.info({ event: 'training.joined', round, checkpoint }, 'rounds are followed')
  }
  const on: Parameters<typeof deps.participant.run>[0] = async (event, merged) => {
    const { round } = event.phases
    begin(round)
    if (event.kind === 'start') {
      await running.job?.end()
      running.job = event.isPast ? null : startJob(deps, { event, until, fail })
    } else if (event.kind === 'published') {
      const ending = running.job
      running.job = null
      const wasWorking = (await ending?.end()) ?? false
      await publish(deps, event, { wasWorking, signal: until })
    } else {
      if (merged !== null) {
        deps.victims.merged(merged.plan)
        const fields = { round, checkpoint: merged.hash, merged: merged.plan.merged.map(({ uid }) => uid) }
        deps.log.info({ event: 'training.merged', ...fields }, 'updates were merged')
      }
      tellServed(deps, round)
    }
  }
  while (!until.aborted) {
    try {
      await deps.participant.run(on, until)
    } catch (error) {
      if (until.aborted) break
      if (!isRetryable(error)) throw error
      deps.log.warn({ event: 'training.interrupted', why: String(error) }, 'rounds are followed anew')
      fail(error)
      await deps.clock.sleep(AGAIN_MS, until).catch(() => undefined)
    } finally {
      await running.job?.end()
      running.job = null
    }
  }
  if (broken.signal.aborted) throw broken.signal.reason
}

const startJob = (
  deps: TrainingDeps,
  of: { readonly event: Start; readonly until: AbortSignal; readonly fail: (error: unknown) => void },
): Job => {
  const { round } = of.event.phases
  const stop = new AbortController()
  const signal = AbortSignal.any([of.until, stop.signal])
  const done = work(deps, of.event, { signal, fail: of.fail }).then((skipped) => {
    if (skipped !== null && !signal.aborted) skip(deps, round, skipped)
    return skipped !== null && signal.aborted
  })
  return {
    round,
    end: () => {
      stop.abort(new SubnetError({ code: 'TRAINING_STOPPED', message: `The time of round ${round} is over` }))
      return done
    },
  }
}

/** Makes and commits the round's update, again and again until it is done or stopped. @returns why it was skipped; null when it was not */
const work = async (
  deps: TrainingDeps,
  { phases, block }: Start,
  { signal, fail }: { readonly signal: AbortSignal; readonly fail: (error: unknown) => void },
): Promise<string | null> => {
  const { round } = phases
  const [current, uid] = [deps.participant.current(), deps.uid()]
  if (current === null || current.checkpoint.round !== round)
    return 'the checkpoint that it starts from is not here yet'
  if (uid === null) return 'the hotkey is not registered'
  const task: RoundTask = { round, block, uid, checkpoint: current.checkpoint, base: current.hash }
  while (!signal.aborted) {
    try {
      const made = await makeUpdate(deps, task, signal)
      if (made === null) return 'the attack has nothing to send'
      signal.throwIfAborted()
      await commit(deps, { task, made }, signal)
      return null
    } catch (error) {
      if (signal.aborted) break
      const why = error instanceof Error ? error.message : String(error)
      deps.log.warn({ event: 'training.failed', round, why }, 'a round failed')
      fail(error)
      if (!isRetryable(error)) {
        await withdraw(deps, task, signal)
        return why
      }
      await deps.clock.sleep(AGAIN_MS, signal).catch(() => undefined)
    }
  }
  return 'it was stopped'
}

const isRetryable = (error: unknown): boolean => error instanceof SubnetError && error.retryable

const commit = async (
  deps: TrainingDeps,
  { task, made }: { readonly task: RoundTask; readonly made: MadeUpdate },
  signal: AbortSignal,
): Promise<void> => {
  const { journal } = deps
  const { round, base } = task
  const { name, bytes, loss } = made
  const before = journal.round(round)
  if (before !== null && before.committedIn !== null) return // an earlier process did
  const url = deps.updates?.urlOf(name) ?? ''
  const block = await deps.commit({ round, name, bytes, base: basePrefix(base), url }, signal)
  committed(deps, { round, base, update: name, bytes, block, loss })
}

/** Notes that an update's commitment is on chain, and tells it. */
const committed = (
  { journal, progress, terms, log }: TrainingDeps,
  of: {
    readonly round: number
    readonly base: Hex
    readonly update: Hex
    readonly bytes: number
    readonly block: Block
    readonly loss: number | null
  },
): void => {
  journal.committed(of.round, of.block)
  progress.committed += 1
  const tokens = tokensOf(terms.local)
  log.info({ event: 'training.committed', ...of, steps: terms.local.steps, tokens }, 'update is committed')
}

/** Takes back what was committed and cannot be served: its files were lost, and could not be made again. */
const withdraw = async (deps: TrainingDeps, { round, base }: RoundTask, signal: AbortSignal): Promise<void> => {
  const found = deps.journal.round(round)
  if (found === null || found.committedIn === null || found.update === null) return
  try {
    const none = { round, name: found.update.name, bytes: 0, base: basePrefix(base), url: '' }
    await deps.commit(none, signal)
    deps.journal.committed(round, null)
    deps.log.warn({ event: 'training.withdrawn', round }, 'the update was withdrawn: it cannot be served')
  } catch (error) {
    deps.log.warn({ event: 'training.withdraw_failed', round, why: String(error) }, 'the update could not be withdrawn')
  }
}

/** Serves what the chain says was committed: from here on it can be copied by nobody. */
const publish = async (
  deps: TrainingDeps,
  event: Published,
  { wasWorking, signal }: { readonly wasWorking: boolean; readonly signal: AbortSignal },
): Promise<void> => {
  const { journal, pieces, hotkey, store } = deps
  const { round } = event.phases
  const found = journal.round(round)
  const update = found?.update ?? null
  const own = event.commitments.find((each) => each.hotkey === hotkey)
  if (found === null || update === null || own?.commitment.name !== update.name || own.commitment.bytes === 0) {
    if (!event.isPast && (wasWorking || (found?.committedIn ?? null) !== null))
      skip(deps, round, update === null ? TOO_SLOW : 'its commitment was not on chain in time')
    journal.committed(round, null) // the next round goes on from the last that counted, as whoever replays it expects
    return
  }
  const { name } = update
  if (found.committedIn === null)
    // it was in a block already when its time was over, or the process was killed before it knew
    committed(deps, {
      round,
      base: found.base,
      update: name,
      bytes: update.bytes,
      block: own.block as Block,
      loss: null,
    })
  pieces.serve({ round, update: name, states: found.states })
  if (deps.updates === null || event.isPast) return
  const file = store.read(name)
  if (file === null) return
  try {
    await deps.updates.put({ name, file, signal })
    deps.log.info({ event: 'training.uploaded', round, update: name }, 'update is uploaded')
  } catch (error) {
    deps.log.warn(
      { event: 'training.upload_failed', round, why: String(error) },
      'update was not uploaded; the miner serves it',
    )
  }
}

/** Serves what was committed in rounds before the first that is followed. */
const serveOlder = ({ journal, pieces }: TrainingDeps, round: number): void => {
  const last = journal.committedBefore(round)
  if (last === null || last.update === null) return
  pieces.serve({ round: last.round, update: last.update.name, states: last.states })
}

const skip = ({ progress, log }: TrainingDeps, round: number, why: string): void => {
  progress.skipped += 1
  log.warn({ event: 'training.skipped', round, why }, `round ${round} is skipped: ${why}`)
}

const tellServed = ({ pieces, progress, log }: TrainingDeps, round: number): void => {
  const served = pieces.take()
  progress.bytesSent += served.bytes
  if (served.pieces > 0) log.info({ event: 'training.served', round, ...served }, 'pieces were served')
}
