import { startDeadline } from '@arbor/shared/clock'
import type { Block, Ms } from '@arbor/shared/units'
import { commonNorm } from '@arbor/subnet-spec/finetune/gauntlet'
import type { Phases } from '@arbor/subnet-spec/finetune/types'
import { startBlockDeadline } from './block-deadline.ts'
import { fetchRound } from './fetch-round.ts'
import type { JudgedUpdate } from './judged-update.ts'
import { compareAll, measureAll } from './measure-round.ts'
import { dataOf, type JudgeRoundDeps, type RoundToJudge } from './round-to-judge.ts'

export interface JudgedRound {
  readonly judged: readonly JudgedUpdate[]
  /** Norm that the longer ones were brought down to; 0 where nothing was measured. */
  readonly norm: number
}

/** Block at which judging ends: a vote has to be in the state of `voteBy`, and the block that takes it is made while others work, too. */
export const judgedBy = ({ publishBy, voteBy }: Pick<Phases, 'publishBy' | 'voteBy'>): Block => {
  const span = voteBy - publishBy
  return (voteBy - (span < 4 ? 1 : Math.max(2, Math.floor(span / 8)))) as Block
}

/** Shares of the time for judging by which files, and states, have to be whole. */
const FILES_SHARE = 0.4
const STATES_SHARE = 0.7

/**
 * Judges a round's updates as far as there is time: fetches and reads them, measures each, and does the drawn stretches again. What a miner did not
 * deliver in time is its fault where others' came; what we did not get to is said of nobody. Each is kept as soon as it is judged.
 */
export async function judgeRound(deps: JudgeRoundDeps, of: RoundToJudge, signal: AbortSignal): Promise<JudgedRound> {
  const { ledger, chain, clock, log } = deps
  const end = judgedBy(of.phases)
  const leftMs = Math.max(0, end - (await chain.best()).number) * deps.blockMs
  using over = startBlockDeadline({ chain, at: end, parent: signal })
  const by = (share: number) =>
    startDeadline({
      clock,
      ms: (share * leftMs) as Ms,
      parent: over.signal,
      reason: () => new Error('its time is over'),
    })
  using filesBy = by(FILES_SHARE)
  using statesBy = by(STATES_SHARE)
  const known = new Map(ledger.judgedUpdates(of.phases.start).map((judged) => [judged.uid, judged]))
  const keep = (judged: JudgedUpdate): void => {
    if (known.has(judged.uid)) return
    ledger.keepJudged(of.phases.start, judged)
    known.set(judged.uid, judged)
  }
  const data = dataOf(deps, of)
  const before = deps.engine.losses({ params: of.params, batches: data.unseen }, over.signal)
  before.catch(() => undefined) // heard below, or not needed
  const read = await fetchRound(
    deps,
    { ...of, known, keep, parts: data.parts },
    { files: filesBy.signal, states: statesBy.signal },
  )
  signal.throwIfAborted()
  const norm = commonNorm(read.map(({ vector }) => vector))
  const compared = await compareAll(of, read, norm)
  try {
    const about = { ...of, read: compared, common: norm, keep, known, unseenBefore: await before, data }
    await measureAll(deps, about, over.signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!over.isOver()) throw error
  }
  const left = of.committed.filter(({ uid }) => !known.has(uid)).length
  if (left > 0)
    log.warn(
      { event: 'training.late', round: of.phases.round, left },
      `no time was left to judge ${left} updates of round ${of.phases.round}; nothing is said of them`,
    )
  return { judged: [...known.values()].sort((a, b) => a.uid - b.uid), norm }
}
