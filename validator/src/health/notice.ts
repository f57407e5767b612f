import type { Notice } from './alarms.ts'
import { withoutSecrets } from './redact.ts'

/**
 * Writes what is posted of an alarm; `text` is what chat services show.
 * @param about names the validator: hotkey and subnet
 */
export const noticeBody = (
  { alarm, state, at, message }: Notice,
  about: Readonly<Record<string, string | number>>,
): string => {
  const plain = withoutSecrets(message).slice(0, 2_000)
  const who = Object.entries(about).map(([key, value]) => `${key} ${value}`)
  return JSON.stringify({
    type: 'arbor/alarm/1',
    alarm,
    state,
    at: new Date(at).toISOString(),
    ...about,
    message: plain,
    text: `[${state}] ${alarm}, ${who.join(', ')}: ${plain}`,
  })
}
