import { ROUND_TRANSITIONS } from '../../validator/src/rounds/machine.ts'
import { WEIGHT_TRANSITIONS } from '../../validator/src/weights/machine.ts'

/** A write of the ledger at which a validator is killed, immediately before it or after it. */
export interface KillPoint {
  /** As `weights:computed>setting:before`. */
  readonly name: string
  readonly machine: 'weights' | 'rounds' | 'receipts'
  readonly from: string
  readonly to: string
  readonly when: 'before' | 'after'
}

/** What the receipts loop does, each one write. */
const RECEIPT_STEPS = ['sign', 'anchor', 'prune'] as const

/** States in which an attempt or a round comes to be: `start` is no state, it stands for what was before the first row. */
const BEGINNINGS = { weights: 'computed', rounds: 'planned' } as const

/** Every point, from the tables by which the product itself refuses other moves. */
export const allPoints = (): readonly KillPoint[] => {
  const moves = [
    ...movesOf('weights', BEGINNINGS.weights, WEIGHT_TRANSITIONS),
    ...movesOf('rounds', BEGINNINGS.rounds, ROUND_TRANSITIONS),
    ...RECEIPT_STEPS.map((to) => ({ machine: 'receipts' as const, from: 'step', to })),
  ]
  return moves.flatMap((move) =>
    (['before', 'after'] as const).map((when) => ({ ...move, when, name: pointName({ ...move, when }) })),
  )
}

/** Names a point. */
export const pointName = ({ machine, from, to, when }: Omit<KillPoint, 'name'>): string =>
  `${machine}:${from}>${to}:${when}`

const movesOf = (
  machine: 'weights' | 'rounds',
  first: string,
  table: Readonly<Record<string, readonly string[]>>,
): readonly Pick<KillPoint, 'machine' | 'from' | 'to'>[] => [
  { machine, from: 'start', to: first },
  ...Object.entries(table).flatMap(([from, next]) => next.map((to) => ({ machine, from, to }))),
]

/** Moves that a run comes to seldom: a validator is killed there as soon as it comes to one, and they are armed in every run. */
export const isSeldom = (name: string): boolean =>
  /(failed|lost|expired|mismatch|superseded|dropped):|(revealing|committed)>(committed|finalised):|setting>finalised:|>planned:|answered>recorded:/.test(
    name,
  )
