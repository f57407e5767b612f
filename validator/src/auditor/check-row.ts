import type { Metagraph, Neuron, WeightRow } from '@arbor/chain/client/types'
import { canonicalJson } from '@arbor/shared/canonical-json'
import type { Hex } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { RowEntry } from '../log/entry.ts'
import { type Registration, registrationKey } from '../scores.ts'
import { rowAt } from '../scoring/fold.ts'
import type { ScoreState } from '../scoring/rules.ts'
import { type Mismatch, mismatchOf, type Placed } from './findings.ts'

/** What a row comes from: scores, or the combined scores of others. */
export interface RowSource {
  /** @param at the metagraph's block, tempo and neurons */
  rowAt(at: Parameters<typeof rowAt>[1]): ReturnType<typeof rowAt>
}

/** A row that was computed again. */
export interface CheckedRow {
  readonly mismatch: Mismatch | null
  readonly row: WeightRow
  /** False where registrations had to be taken from the log, since the chain has no state of then. */
  readonly byChain: boolean
}

/** The rows of a state of scores. */
export const scoreRows = (state: ScoreState, spec: SubnetSpec): RowSource => ({ rowAt: (at) => rowAt(state, at, spec) })

/**
 * Computes a row again and compares it with the log's, byte for byte.
 * @param facts.metagraph of the row's block; null where the chain has no state of then
 * @param facts.newest a metagraph of later: a registration that holds its uid there held it at the row's block
 */
export function checkRow(
  placed: Placed<RowEntry>,
  of: {
    readonly source: RowSource
    readonly spec: SubnetSpec
    readonly known: readonly Registration[]
    readonly hash: Hex | null
    readonly metagraph: Metagraph | null
  },
): CheckedRow {
  const { entry } = placed
  const { block } = entry
  const { metagraph } = of
  const neurons = metagraph?.neurons ?? claimedNeurons(entry, of.known)
  const tempo = metagraph?.tempo ?? entry.tempo
  const expected = of.source.rowAt({ block: block.number, tempo, neurons })
  const mismatch =
    differs(placed, 'the hash of the block whose metagraph it rests on', of.hash, block.hash) ??
    differs(placed, 'the tempo at its block', tempo, entry.tempo) ??
    differs(placed, "the spec's version as its key", of.spec.version, entry.version) ??
    differs(placed, 'registrations that hold no uid any more', expected.departed, entry.departed) ??
    differs(placed, 'the row that follows from the entries before it', expected.row, entry.row)
  return { mismatch, row: expected.row, byChain: metagraph !== null }
}

const differs = (placed: Placed<RowEntry>, what: string, expected: unknown, found: unknown): Mismatch | null =>
  canonicalJson(expected) === canonicalJson(found) ? null : mismatchOf(placed, what, { expected, found })

/** Where the chain cannot say who was registered, the log's word stands: all with a score but those that it calls departed. */
const claimedNeurons = ({ departed }: RowEntry, known: readonly Registration[]): readonly Neuron[] => {
  const gone = new Set(departed.map(registrationKey))
  return known
    .filter((registration) => !gone.has(registrationKey(registration)))
    .map(({ hotkey, uid, registeredAt }) => ({ ...NOTHING_ELSE, hotkey, uid, registeredAt }))
}

/** All that rows do not look at. */
const NOTHING_ELSE = {
  lastUpdate: 0,
  active: true,
  validatorPermit: false,
  axon: null,
  alphaStake: 0n,
  totalStake: 0n,
  incentive: 0,
  dividends: 0,
  consensus: 0,
  validatorTrust: 0,
  emission: 0n,
} as Omit<Neuron, keyof Registration>
