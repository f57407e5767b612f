import type { Neuron } from '@arbor/chain/client/types'
import type { Block, Ss58 } from '@arbor/shared/units'
import type { Logger } from 'pino'
import type { Snapshot } from '../chain-view.ts'
import type { LogEntry, SourceEntry } from '../log/entry.ts'
import type { ReceiptLog } from '../log/log.ts'
import { EMPTY_STATE } from '../scoring/fold.ts'
import type { ScoreTerms } from '../scoring/rules.ts'
import type { RowSource } from '../weights/deps.ts'
import { combinedRow, isFresh } from './combine.ts'
import type { PassedSource } from './follow-sources.ts'

/**
 * Makes an auditor's rows: of the sources that passed and have a permit and stake at the row's block, told to the log before the row. Once an
 * epoch a state without scores goes before them, so that whoever reads the log can begin there, and older entries can be forgotten.
 */
export function auditedRows(of: {
  /** Null before the first audits are done. */
  readonly passed: () => readonly PassedSource[] | null
  /** Whose logs should be sources; those that are must have half of their stake. */
  readonly expected: (neurons: readonly Neuron[]) => readonly Ss58[]
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
    const at = { block: block.number, tempo, neurons }
    const fresh = sources.filter(({ state }) => isFresh(state, at)).reduce((sum, { stake }) => sum + BigInt(stake), 0n)
    const whole = stakeOf(neurons, of.expected(neurons))
    const made = combinedRow(sources, at, of.terms)
    if (made.row.length > 0 && 2n * fresh >= whole) {
      const isDue = of.isStateDue({ block: block.number, every: tempo })
      const state: LogEntry[] = isDue ? [{ kind: 'state', block: block.number, ...EMPTY_STATE }] : []
      return { ...made, entries: [...state, ...sources] }
    }
    if (told !== epochIndex) tellNothing(of.log, { block: block.number, sources: sources.length, fresh, whole })
    told = epochIndex
    return null
  }
}

const tellNothing = (
  log: Logger,
  {
    block,
    sources,
    fresh,
    whole,
  }: { readonly block: Block; readonly sources: number; readonly fresh: bigint; readonly whole: bigint },
): void =>
  log.warn(
    { event: 'auditor.no-source', block, sources, stake: String(fresh), expected: String(whole) },
    `no row: ${whyNothing(sources, 2n * fresh >= whole)}`,
  )

const whyNothing = (sources: number, isEnough: boolean): string => {
  if (sources === 0) return 'no validator with permit and stake has a log that passes its audit'
  return isEnough
    ? `${sources} logs pass, and none has a score that half of their stake shares`
    : `${sources} logs pass, and those with fresh scores have less than half of the stake of all that should; name with --sources whom to follow alone`
}

const stakeOf = (neurons: readonly Neuron[], hotkeys: readonly Ss58[]): bigint => {
  const stakes = new Map(neurons.map(({ hotkey, totalStake }) => [hotkey, totalStake]))
  return hotkeys.reduce((sum, hotkey) => sum + (stakes.get(hotkey) ?? 0n), 0n)
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
