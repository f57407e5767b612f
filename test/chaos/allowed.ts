import type { Ss58 } from '@arbor/shared/units'
import { isSameRow, type Moment, neuronOf } from './history.ts'

/** Blocks in a row in which a validator has to have been able to work for its epoch to count: one to decide by, one to be included in, one to read back in, and two to spare. */
export const ABLE_BLOCKS = 5

/** What an epoch asked of a validator, and whether it was done. */
export type EpochOutcome =
  /** The rules, its faults or its scores kept it from setting weights; nothing was owed. */
  | { readonly kind: 'excused'; readonly why: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'missed'; readonly why: string }

/**
 * Says whether a validator owed the chain a row in an epoch, and whether it is there; by the chain alone, but for what it had scored.
 * Owed: at every block of the epoch the hotkey was registered under one uid, had a permit and the stake, the version key was no higher than
 * its spec's, and commit-reveal stayed as it was; in `ABLE_BLOCKS` blocks in a row one process was alive, undisturbed and up to date, the rate
 * limit let weights in at one of the first of them, and some miner had a score.
 * Done: a row entered in this epoch (commits too, where the chain takes them), or the chain holds the newest row that was read back.
 * @param of.version version key of the spec
 * @param of.scored whether the ledger has led to a row that is not empty, before the epoch's last able block
 * @param of.held the newest row that the ledger calls confirmed; null without one
 */
export const epochOutcome = (of: {
  readonly moments: readonly Moment[]
  readonly hotkey: Ss58
  readonly version: number
  readonly scored: boolean
  readonly held: Parameters<typeof isSameRow>[0] | null
}): EpochOutcome => {
  const { moments, hotkey } = of
  const rule = forbidding(of)
  if (rule !== null) return { kind: 'excused', why: rule }
  const run = ableRun(moments, hotkey)
  if (run.length < ABLE_BLOCKS) return { kind: 'excused', why: 'disturbed' }
  const first = run[0]
  const last = moments.at(-1)
  if (first === undefined || last === undefined) return { kind: 'excused', why: 'disturbed' }
  const limited = run.slice(0, run.length - ABLE_BLOCKS + 1).every((moment) => {
    const me = neuronOf(moment.metagraph, hotkey)
    return me === undefined || moment.block + 1 - me.lastUpdate < moment.rules.weightsRateLimit
  })
  const start = moments[0]?.block ?? first.block
  const lastUpdate = neuronOf(last.metagraph, hotkey)?.lastUpdate ?? 0
  if (lastUpdate >= start) return { kind: 'done' }
  if (limited) return { kind: 'excused', why: 'rate-limit' }
  if (!of.scored) return { kind: 'excused', why: 'nothing-scored' }
  const row = last.rows.get(hotkey) ?? []
  if (
    of.held !== null &&
    row.length > 0 &&
    isSameRow(row, of.held) &&
    lastUpdate >= last.block - last.metagraph.tempo - 3
  )
    return { kind: 'done' }
  return { kind: 'missed', why: `last update at ${lastUpdate}, able in ${run.length} blocks from ${first.block}` }
}

/** The rule that forbade weights at some block of the epoch; null when none did. */
const forbidding = (of: {
  readonly moments: readonly Moment[]
  readonly hotkey: Ss58
  readonly version: number
}): string | null => {
  const uids = new Set<number>()
  const modes = new Set<boolean>()
  for (const { metagraph, rules } of of.moments) {
    const me = neuronOf(metagraph, of.hotkey)
    if (me === undefined) return 'registered'
    uids.add(me.uid)
    modes.add(rules.commitRevealEnabled)
    if (!me.validatorPermit) return 'permit'
    if (me.totalStake < rules.stakeThreshold) return 'stake'
    if (rules.weightsVersion > BigInt(of.version)) return 'version'
  }
  if (uids.size > 1) return 'registered'
  return modes.size > 1 ? 'commit-reveal' : null
}

/** Blocks in a row in which a validator has to have been able to work for a round of the epoch to be due: a round of any tempo here, and its draw. */
export const ROUND_BLOCKS = 9

/** Says whether a round of an epoch was due: the validator was able to work for long enough, and somebody served. */
export const owesRound = (moments: readonly Moment[], hotkey: Ss58): boolean => {
  const run = ableRun(moments, hotkey)
  const serves = run.every(({ metagraph }) =>
    metagraph.neurons.some(({ axon, hotkey: of }) => axon !== null && of !== hotkey),
  )
  return run.length >= ROUND_BLOCKS && serves
}

/** The longest run of blocks in which one life of a validator was able to work. */
const ableRun = (moments: readonly Moment[], hotkey: Ss58): readonly Moment[] => {
  let best: Moment[] = []
  let run: Moment[] = []
  for (const moment of moments) {
    const life = moment.able.get(hotkey)
    const goesOn = run.at(-1)?.able.get(hotkey) === life
    run = life === undefined ? [] : goesOn ? [...run, moment] : [moment]
    if (run.length > best.length) best = run
  }
  return best
}
