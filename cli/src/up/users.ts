import { createHash } from 'node:crypto'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import type { GatewayPlace } from './gateway.ts'

/** A question every so often: some answers for each miner and epoch, and little of a core. */
const PAUSE_MS = 700 as Ms
/** A user waits as long as the slowest subnet may take. */
const PATIENCE_MS = 90_000 as Ms
const WAITING = 4
const OPENINGS = ['Explain how', 'Why does', 'Write a note about what happens when', 'Give an example of how']
const SUBJECTS = ['a slice', 'the borrow checker', 'a closure', 'an iterator', 'a lifetime', 'a trait object']
const ENDINGS = ['is moved', 'is dropped early', 'outlives its scope', 'is shared between threads', 'is borrowed twice']

/**
 * Asks a gateway as users do, until the signal: conversations and prompts of many kinds, all drawn from a seed.
 */
export async function askAsUsers(of: {
  readonly gateway: GatewayPlace
  readonly model: string
  readonly seed: number
  readonly clock: Clock
  readonly signal: AbortSignal
}): Promise<void> {
  const { clock, signal } = of
  const waiting = new Set<Promise<void>>()
  for (let index = 0; !signal.aborted; index++) {
    if (waiting.size < WAITING) {
      const asked: Promise<void> = askOnce(of, questionOf(of.seed, index)).catch(() => undefined) // users come back
      waiting.add(asked)
      void asked.finally(() => waiting.delete(asked))
    }
    await clock.sleep(PAUSE_MS, signal)
  }
  await Promise.all(waiting)
}

interface Question {
  readonly path: '/v1/chat/completions' | '/v1/completions'
  readonly body: Readonly<Record<string, unknown>>
}

/** Draws a question: half of them are conversations, with other lengths and temperatures than validators plan. */
const questionOf = (seed: number, index: number): Question => {
  const bytes = createHash('sha256').update(`arbor/up/users ${seed} ${index}`).digest()
  const pick = <T>(place: number, list: readonly T[]): T => list[(bytes[place] ?? 0) % list.length] as T
  const text = `${pick(0, OPENINGS)} ${pick(1, SUBJECTS)} ${pick(2, ENDINGS)} (${bytes.readUInt16LE(3)})`
  const settings = { max_tokens: pick(5, [24, 33, 40]), temperature: pick(6, [0, 0.6, 1]) }
  return pick(7, [true, false])
    ? { path: '/v1/chat/completions', body: { messages: [{ role: 'user', content: text }], ...settings } }
    : { path: '/v1/completions', body: { prompt: text, ...settings } }
}

const askOnce = async (
  { gateway, model, clock, signal }: Parameters<typeof askAsUsers>[0],
  { path, body }: Question,
): Promise<void> => {
  using deadline = startDeadline({ clock, ms: PATIENCE_MS, parent: signal, reason: () => new Error('no answer') })
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, ...body }),
    signal: deadline.signal,
  })
  await response.arrayBuffer()
}
