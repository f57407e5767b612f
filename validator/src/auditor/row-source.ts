import type { Block } from '@arbor/shared/units'
import type { Logger } from 'pino'
import type { Snapshot } from '../chain-view.ts'
import type { LogEntry, SourceEntry } from '../log/entry.ts'
import type { ReceiptLog } from '../log/log.ts'
import { EMPTY_STATE } from '../scoring/fold.ts'
import type { ScoreTerms } from '../scoring/rules.ts'
import type { RowSource } from '../weights/deps.ts'
import { combinedRow } from './combine.ts'
import type { PassedSource } from './follow-sources.ts'

/**
 * Makes an auditor's rows: of the sources that passed and have a permit and stake at the row's block, told to the log before the row. Once an
 * epoch a state without scores goes before them, so that whoever reads the log can begin there, and older entries can be forgotten.
 */
export function auditedRows(of: {
  /** Null before the first audits are done. */
  readonly passed: () => readonly PassedSource[] | null
  readonly terms: Pick<ScoreTerms, 'reward'>
  readonly isStateDue: ReceiptLog['isStateDue']
  readonly log: Logger
}): RowSource {
  let told: number | null = null
  return (snapshot) => {
    const passed = of.passed()
    if (passed === null) return null
    const sources = sourceEntries(passed, snapshot)
    const { block, tempo, neurons, epochIndex } = snapshot.metagraph
    const made = combinedRow(sources, { block: block.number, tempo, neurons }, of.terms)
    if (made.row.length > 0) {
      const isDue = of.isStateDue({ block: block.number, every: tempo })
      const state: LogEntry[] = isDue ? [{ kind: 'state', block: block.number, ...EMPTY_STATE }] : []
      return { ...made, entries: [...state, ...sources] }
    }
    if (told !== epochIndex) tellNothing(of.log, block.number, sources.length)
    told = epochIndex
    return null
  }
}

const tellNothing = (log: Logger, block: Block, sources: number): void =>
  log.warn(
    { event: 'auditor.no-source', block, sources },
    `no row: ${sources === 0 ? 'no validator with permit and stake has a log that passes its audit' : `${sources} logs pass, and none has a fresh score that half of their stake shares`}`,
  )

const sourceEntries = (passed: readonly PassedSource[], { metagraph }: Snapshot): readonly SourceEntry[] => {
  return passed.flatMap(({ validator, head, state }): SourceEntry[] => {
    const neuron = metagraph.neurons.find(({ hotkey }) => hotkey === validator)
    if (neuron === undefined || !neuron.validatorPermit || neuron.totalStake === 0n) return []
    const { size, root } = head
    const block = metagraph.block.number
    return [{ kind: 'source', block, validator, size, root, stake: String(neuron.totalStake), state }]
  })
}
