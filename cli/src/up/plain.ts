import { curlLine } from './gateway.ts'
import { explain, type MinerView, type NetState } from './state.ts'
import { trainingChanges } from './training/plain.ts'
import { explainUpdate } from './training/state.ts'

/**
 * Says in plain lines what changed since the last state: one line per block's news, for pipes and logs.
 * @returns no line when nothing that matters changed
 */
export function changes(before: NetState, after: NetState): readonly string[] {
  const lines: string[] = []
  if (before.phase !== after.phase) lines.push(after.url === null ? after.phase : `${after.phase} (${after.url})`)
  if (before.phase !== after.phase && after.phase === 'running') lines.push(...auditLines(after))
  if (before.gateway === null && after.gateway !== null) lines.push(...gatewayLines(after.gateway))
  for (const warning of after.warnings) if (!before.warnings.includes(warning)) lines.push(`warning: ${warning}`)
  if (after.rounds !== before.rounds && after.training === null) lines.push(roundLine(after))
  lines.push(...trainingChanges(before, after))
  for (const [i, validator] of after.validators.entries()) {
    if (String(before.validators[i]?.weights) === String(validator.weights) || validator.weights.length === 0) continue
    const row = validator.weights.map(([uid, weight]) => `${uid}:${weight}`).join(' ')
    lines.push(`block ${after.block}  ${validator.name} holds weights ${row} (read back)`)
  }
  if (after.epoch !== null && before.epoch !== null && after.epoch !== before.epoch) lines.push(...epochLines(after))
  return lines
}

/** Says how to check what a validator sets. */
const auditLines = ({ url, validators: [first] }: NetState): readonly string[] =>
  url === null || first === undefined
    ? []
    : [`recompute a validator's weights: arbor audit --network ${url} --validator ${first.hotkey}`]

/** Says how to ask the first question. */
export const gatewayLines = (gateway: NonNullable<NetState['gateway']>): readonly string[] => [
  `OpenAI's API at ${gateway.url}/v1, its key in ${gateway.keyFile}`,
  curlLine(gateway, gateway.model),
]

const roundLine = (state: NetState): string => {
  const miners = state.miners.map(
    ({ name, lastReason, kind }) => `${name}${kind === 'honest' ? '' : ` (${kind})`} ${lastReason ?? '-'}`,
  )
  return `block ${state.block ?? '-'}  round ${state.rounds}: ${miners.join(', ')}`
}

const epochLines = (state: NetState): readonly string[] => [
  `block ${state.block}  epoch ${state.epoch}`,
  ...state.miners.map(
    (m) =>
      `  ${m.name.padEnd(12)} uid ${m.uid ?? '-'}  incentive ${m.incentive.toFixed(4)}  earned ${alpha(m.earned)}  ${because(m, state)}`,
  ),
  ...state.validators.map(
    (v) => `  ${v.name.padEnd(12)} uid ${v.uid ?? '-'}  dividends ${v.dividends.toFixed(4)}  earned ${alpha(v.earned)}`,
  ),
]

const because = ({ hotkey, lastReason }: MinerView, { training }: NetState): string =>
  training === null
    ? explain(lastReason)
    : explainUpdate(training.miners.find((each) => each.hotkey === hotkey)?.reason ?? null)

/** Writes an amount of alpha with four decimals, for people only. */
export const alpha = (amount: bigint): string => {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(10, '0')
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9, -5)} α`
}
