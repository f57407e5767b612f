import type { Metagraph, WeightRow } from '@arbor/chain/client/types'
import type { Block, Ss58, Uid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { registrationKey } from '../scores.ts'
import { foldForfeits, foldRound, rowAt } from '../scoring/fold.ts'
import type { ScoreState } from '../scoring/rules.ts'
import { outcomeOf, type RoundGroup } from './check-round.ts'

/** One side's rounds, as an audit heard them, with the row that they led to. */
export interface Side {
  readonly rounds: readonly { readonly group: RoundGroup; readonly before: ScoreState }[]
  readonly row: WeightRow
  /** Block of the metagraph that the row rests on, and place of its entry. */
  readonly at: { readonly block: Block; readonly position: number }
}

/** One question that two validators put to the same miner in the same round, and that came to something else. */
export interface VerdictDifference {
  readonly roundBlock: Block
  readonly hotkey: Ss58
  readonly uid: Uid
  readonly repeat: number
  /** Reason and value; null where that validator has no verdict. */
  readonly first: Said | null
  readonly second: Said | null
}

export interface Said {
  readonly reason: string
  readonly value: number
}

export interface Compared {
  /** Rounds that both have, and that only one has. */
  readonly rounds: { readonly both: number; readonly first: readonly Block[]; readonly second: readonly Block[] }
  readonly verdicts: number
  readonly differences: readonly VerdictDifference[]
  /** How often which pair of reasons occurred, as "ok / timeout". */
  readonly pairs: Readonly<Record<string, number>>
  /** Half the sum of the differences of shares, in [0, 1]: 0 for rows that pay alike, 1 for rows without a common miner. */
  readonly distance: number
  /** Share of the distance that goes when the first one's scores are moved by the second one's verdicts; null where there is none. */
  readonly explained: number | null
}

/** Compares what two validators found of the same rounds, and how much of their rows' difference that makes. */
export function compare(
  first: Side,
  second: Side,
  of: { readonly spec: SubnetSpec; readonly metagraph: Metagraph | null },
): Compared {
  const [left, right] = [byStart(first), byStart(second)]
  const both = [...left.keys()].filter((start) => right.has(start))
  const from = Math.max(earliest(left), earliest(right)) // one of them may have been read from further back
  const only = (some: Rounds, other: Rounds): readonly Block[] =>
    [...some.keys()].filter((start) => start >= from && !other.has(start))
  const pairsOf = both.map((start) => pairUp(left.get(start), right.get(start)))
  const differences = pairsOf.flatMap(({ differing }) => differing)
  const distance = distanceOf(first.row, second.row)
  return {
    rounds: { both: both.length, first: only(left, right), second: only(right, left) },
    verdicts: pairsOf.reduce((sum, { all }) => sum + all, 0),
    differences,
    pairs: countPairs(differences),
    distance,
    explained:
      distance === 0 || of.metagraph === null
        ? null
        : explainedOf(first, second, { ...of, from, distance, metagraph: of.metagraph }),
  }
}

type Rounds = ReadonlyMap<Block, RoundGroup>

const byStart = ({ rounds }: Side): Rounds =>
  new Map(rounds.map(({ group }) => [group.begin.entry.start.number, group]))

const earliest = (rounds: Rounds): number => Math.min(...rounds.keys())

function pairUp(
  left: RoundGroup | undefined,
  right: RoundGroup | undefined,
): { readonly all: number; readonly differing: readonly VerdictDifference[] } {
  const sides = [left, right].map(
    (group) =>
      new Map((group?.verdicts ?? []).map(({ entry }) => [`${registrationKey(entry)} ${entry.repeat}`, entry])),
  )
  const keys = new Set(sides.flatMap((side) => [...side.keys()]))
  const differing = [...keys].flatMap((key): VerdictDifference[] => {
    const [first, second] = sides.map((side) => side.get(key))
    const known = first ?? second
    if (known === undefined || (first?.reason === second?.reason && first?.value === second?.value)) return []
    const { roundBlock, hotkey, uid, repeat } = known
    const said = (entry: typeof first): Said | null =>
      entry === undefined ? null : { reason: entry.reason, value: entry.value }
    return [{ roundBlock, hotkey, uid, repeat, first: said(first), second: said(second) }]
  })
  return { all: keys.size, differing }
}

const countPairs = (differences: readonly VerdictDifference[]): Readonly<Record<string, number>> => {
  const pairs: Record<string, number> = {}
  for (const { first, second } of differences) {
    const name = `${first?.reason ?? 'not asked'} / ${second?.reason ?? 'not asked'}`
    pairs[name] = (pairs[name] ?? 0) + 1
  }
  return pairs
}

/** Half the sum of absolute differences between two rows' shares. */
export function distanceOf(a: WeightRow, b: WeightRow): number {
  const [left, right] = [shares(a), shares(b)]
  if (left.size === 0 || right.size === 0) return left.size === right.size ? 0 : 1
  const uids = new Set([...left.keys(), ...right.keys()])
  return [...uids].reduce((sum, uid) => sum + Math.abs((left.get(uid) ?? 0) - (right.get(uid) ?? 0)), 0) / 2
}

const shares = (row: WeightRow): ReadonlyMap<Uid, number> => {
  const total = row.reduce((sum, [, weight]) => sum + weight, 0)
  return total === 0 ? new Map() : new Map(row.map(([uid, weight]) => [uid, weight / total]))
}

/** Moves the first one's scores by the second one's rounds: what is left of the difference lies before them. */
function explainedOf(
  first: Side,
  second: Side,
  of: { readonly spec: SubnetSpec; readonly metagraph: Metagraph; readonly from: number; readonly distance: number },
): number | null {
  const before = first.rounds.find(({ group }) => group.begin.entry.start.number >= of.from)?.before
  if (before === undefined) return null
  const moved = second.rounds
    .map(({ group }) => group)
    .filter(({ begin, end }) => begin.entry.start.number >= of.from && end.position < second.at.position)
    .reduce((state, group) => foldRound(state, outcomeOf(group), of.spec).state, before)
  // Forfeits of users' answers stand between the rounds; those that the second one had count.
  const state = foldForfeits(moved, second.rounds.at(-1)?.before.forfeits ?? [])
  const { tempo, neurons } = of.metagraph
  const { row } = rowAt(state, { block: second.at.block, tempo, neurons }, of.spec)
  return Math.max(0, 1 - distanceOf(row, second.row) / of.distance)
}
