import type { Logger } from 'pino'
import type { Snapshot } from '../chain-view.ts'
import type { SourceEntry } from '../log/entry.ts'
import type { ScoreTerms } from '../scoring/rules.ts'
import type { RowSource } from '../weights/deps.ts'
import { combinedRow } from './combine.ts'
import type { PassedSource } from './follow-sources.ts'

/** Makes an auditor's rows: of the sources that passed and have a permit and stake at the row's block, told to the log before the row. */
export const auditedRows =
  (of: {
    readonly passed: () => readonly PassedSource[]
    readonly terms: Pick<ScoreTerms, 'reward'>
    readonly log: Logger
  }): RowSource =>
  (snapshot) => {
    const entries = sourceEntries(of.passed(), snapshot)
    const { block, tempo, neurons } = snapshot.metagraph
    const made = combinedRow(entries, { block: block.number, tempo, neurons }, of.terms)
    if (made.row.length > 0) return { ...made, entries }
    of.log.warn(
      { event: 'auditor.no-source', block: block.number, sources: entries.length },
      `no row: ${entries.length === 0 ? 'no validator with permit and stake has a log that passes its audit' : `${entries.length} logs pass, and none has a fresh score that half of their stake shares`}`,
    )
    return null
  }

const sourceEntries = (passed: readonly PassedSource[], { metagraph }: Snapshot): readonly SourceEntry[] => {
  return passed.flatMap(({ validator, head, state }): SourceEntry[] => {
    const neuron = metagraph.neurons.find(({ hotkey }) => hotkey === validator)
    if (neuron === undefined || !neuron.validatorPermit || neuron.totalStake === 0n) return []
    const { size, root } = head
    const block = metagraph.block.number
    return [{ kind: 'source', block, validator, size, root, stake: String(neuron.totalStake), state }]
  })
}
