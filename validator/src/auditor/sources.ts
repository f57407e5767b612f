import type { Metagraph } from '@arbor/chain/client/types'
import type { RowEntry, SourceEntry } from '../log/entry.ts'
import type { Registration } from '../scores.ts'
import type { RoundRules } from './check-round.ts'
import type { RowSource } from './check-row.ts'
import { combinedRow } from './combine.ts'
import { type Mismatch, mismatchOf, type Placed } from './findings.ts'

/** The `source` entries of an auditor's log, up to the row that they lead to. */
export interface Sources {
  take(source: Placed<SourceEntry>): Mismatch | null
  /** Says whether the row's sources had permit and stake at its block; null for the metagraph where the chain has no state of then. */
  check(row: Placed<RowEntry>, metagraph: Metagraph | null): Mismatch | null
  /** How the next row is made; null in the log of a validator with rounds of its own. */
  rows(): RowSource | null
  /** Registrations that the sources of the last row speak of. */
  known(): readonly Registration[]
}

export function openSources({ self, spec }: Pick<RoundRules, 'self' | 'spec'>): Sources {
  let open: Placed<SourceEntry>[] = []
  let last: readonly SourceEntry[] = []
  return {
    take: (placed) => {
      const { validator } = placed.entry
      if (validator === self)
        return mismatchOf(placed, 'a source other than the log itself', { expected: 'another', found: validator })
      if (open.some(({ entry }) => entry.validator === validator))
        return mismatchOf(placed, 'each source once a row', { expected: 1, found: validator })
      open.push(placed)
      return null
    },
    check: (row, metagraph) => {
      const { number } = row.entry.block
      for (const source of open) {
        const { block, validator, stake } = source.entry
        if (block !== number)
          return mismatchOf(source, "the block of the row's metagraph", { expected: number, found: block })
        if (metagraph === null) continue
        const neuron = metagraph.neurons.find(({ hotkey }) => hotkey === validator)
        const expected = neuron?.validatorPermit === true ? String(neuron.totalStake) : null
        if (expected !== stake)
          return mismatchOf(source, 'the stake of a validator with a permit', { expected, found: stake })
      }
      return null
    },
    rows: () => {
      if (open.length === 0) return null
      last = open.map(({ entry }) => entry)
      open = []
      const sources = last
      return { rowAt: (at) => combinedRow(sources, at, spec) }
    },
    known: () => last.flatMap(({ state }) => state.scores),
  }
}
