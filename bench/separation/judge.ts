import type { Neuron } from '../../chain/src/client/types.ts'
import type { Block, Blocks, Uid } from '../../shared/src/units.ts'
import { faultVerdict, judgeUpdate, typicalOf } from '../../subnet-spec/finetune/gauntlet.ts'
import { replayOf } from '../../subnet-spec/finetune/seeds.ts'
import type { GauntletTerms, Measured } from '../../subnet-spec/finetune/types.ts'
import type { SubnetSpec, Verdict } from '../../subnet-spec/src/define.ts'
import { forfeitOf } from '../../validator/src/forfeit.ts'
import { EMPTY_STATE, foldRound, rowAt } from '../../validator/src/scoring/fold.ts'
import type { Line } from './lines.ts'
import { blockHash, hotkeyOf, NETUID } from './subnet.ts'

const LENGTH = 360 as Blocks
/** Rounds have passed before the first one, so that block 0 is nothing special. */
const FIRST = 10

/** How one miner of a subnet fared. */
export interface Fared {
  readonly who: string
  readonly uid: number
  /** Rounds by the reason of their verdicts. */
  readonly reasons: Readonly<Record<string, number>>
  /** Share of all emission to miners. */
  readonly share: number
  /** Values of its verdicts that were ok. */
  readonly values: readonly number[]
  /** Rating after the last round, on OpenSkill's scale. */
  readonly rating: number
}

/** Judges a subnet of some of the miners, round by round, as a validator does: verdicts, forfeits, ratings, rows. */
export const fareOf = (of: {
  readonly spec: SubnetSpec
  /** Of all rounds, in order of rounds. */
  readonly lines: readonly Line[]
}): readonly Fared[] => {
  const { spec, lines } = of
  if (spec.training === undefined) throw new Error('the spec trains nothing')
  const uids = [...new Set(lines.map(({ uid }) => uid))]
  const neurons = uids.map(neuronOf)
  const tallies = new Map(
    uids.map((uid) => [uid, { reasons: {} as Record<string, number>, share: 0, values: [] as number[] }]),
  )
  let state = EMPTY_STATE
  const rounds = Map.groupBy(lines, ({ round }) => round)
  for (const [round, judged] of rounds) {
    const verdicts = judgeRound(judged, spec.training.gauntlet)
    const roundBlock = ((FIRST + round) * LENGTH) as Block
    const at = { roundBlock, length: LENGTH, endedAt: (roundBlock + LENGTH - 1) as Block }
    const rows = verdicts.map(([line, verdict]) => ({ ...registrationOf(line.uid), ...verdict }))
    const forfeits = rows.flatMap((row) => {
      const { reason } = row
      const found = forfeitOf({
        ...row,
        spec,
        reason,
        kind: 'planned',
        receipt: null,
        atBlock: roundBlock,
        length: LENGTH,
      })
      return found === null ? [] : [found]
    })
    state = foldRound(state, { ...at, verdicts: rows, forfeits }, spec).state
    const { row } = rowAt(state, { block: at.endedAt, tempo: LENGTH, neurons }, spec)
    const total = row.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [uid, weight] of row) {
      const tally = tallies.get(uid)
      if (tally !== undefined) tally.share += weight / total / rounds.size
    }
    for (const [{ uid }, { reason, value }] of verdicts) {
      const tally = tallies.get(uid)
      if (tally === undefined) continue
      tally.reasons[reason] = (tally.reasons[reason] ?? 0) + 1
      if (reason === 'ok') tally.values.push(value)
    }
  }
  return uids.map((uid) => {
    const who = lines.find((line) => line.uid === uid)?.who ?? ''
    const rating = 50 * (state.scores.find((score) => score.uid === uid)?.average ?? 0.5)
    return { who, uid, rating, ...(tallies.get(uid) ?? { reasons: {}, share: 0, values: [] }) }
  })
}

/** Judges a round's lines as the terms have it: by as many batches, and with the replays that they draw. */
export const judgeRound = (lines: readonly Line[], terms: GauntletTerms): readonly (readonly [Line, Verdict])[] => {
  const measured = new Map(lines.map((line) => [line.uid, measuredBy(line, terms)]))
  const known = [...measured.values()].filter((one) => one !== null)
  const typical = typicalOf({ measured: known, terms })
  return lines.map((line): readonly [Line, Verdict] => {
    const one = measured.get(line.uid)
    if (one === null || one === undefined) return [line, faultVerdict(line.refused ?? 'missing')]
    return [line, judgeUpdate({ measured: one, typical, terms })]
  })
}

const measuredBy = ({ measured, replay, round, uid }: Line, terms: GauntletTerms): Measured | null => {
  if (measured === null) return null
  const drawn = replayOf({
    blockHash: blockHash(round, 'published'),
    netuid: NETUID,
    round,
    hotkey: hotkeyOf(uid),
    terms,
  })
  const fewer = <T>(all: readonly T[]): readonly T[] => {
    const count = Math.min(terms.batches, all.length)
    return Array.from({ length: count }, (_, index) => all.slice(Math.floor((index * all.length) / count))[0]).filter(
      (one) => one !== undefined,
    )
  }
  return {
    ...measured,
    assigned: fewer(measured.assigned),
    unseen: fewer(measured.unseen),
    replay: drawn === null ? null : (replay?.outcome ?? null),
  }
}

const registrationOf = (uid: number) => ({ hotkey: hotkeyOf(uid), uid: uid as Uid, registeredAt: 1 as Block })

const neuronOf = (uid: number): Neuron => ({ ...registrationOf(uid) }) as Neuron
