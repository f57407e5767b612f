import { printable } from '@arbor/shared/printable'
import type { Ss58 } from '@arbor/shared/units'
import type { LogEvent } from './children.ts'
import type { Claim } from './report.ts'
import type { Member } from './roster.ts'
import type { NetEvent } from './state.ts'
import { trainingEvent } from './training/news.ts'

/** Claims that are kept; a report looks at the newest one of each of at most 16 validators. */
const keptClaims = 1_000

/** Turns a process's log event into what the view and the report need. */
export function take(
  { process: name, event, fields }: LogEvent,
  members: readonly Member[],
  emit: (event: NetEvent) => void,
  claims: Claim[],
): void {
  if (event === 'round.done') {
    const verdicts = fields.verdicts as readonly { hotkey: Ss58; reason: string }[]
    for (const { hotkey, reason } of verdicts) emit({ kind: 'verdict', hotkey, reason: printable(reason) })
    if (name === members.find(({ role }) => role === 'validator')?.name) emit({ kind: 'round' })
  }
  // A planned answer's forfeit is among the round's verdicts already.
  if (event === 'forfeit' && fields.kind === 'user')
    emit({ kind: 'verdict', hotkey: String(fields.hotkey) as Ss58, reason: printable(String(fields.reason)) })
  if (event === 'weights.confirmed') {
    const hotkey = members.find((member) => member.name === name)?.hotkey
    if (hotkey !== undefined)
      claims.push({ hotkey, row: fields.row as Claim['row'], includedAt: Number(fields.includedAt) })
    if (claims.length > keptClaims) claims.shift()
  }
  const author = members.find((member) => member.name === name)
  const trained = author?.role === 'validator' ? trainingEvent({ process: name, event, fields }, author.hotkey) : null
  if (trained !== null) emit({ kind: 'training', event: trained })
  if (trained?.kind === 'judged') emit({ kind: 'verdict', hotkey: trained.hotkey, reason: trained.reason })
  if (fields.level === 'error' || fields.level === 'fatal')
    emit({ kind: 'warning', text: `${name}: ${printable(String(fields.msg))}` })
}
