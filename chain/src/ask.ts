import { startDeadline, systemClock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'

/** Asks a running chain over HTTP, which it serves on the same port as WebSocket. */
export type Ask = (method: string, params?: readonly unknown[]) => Promise<unknown>

const ANSWER_MS = 30_000 as Ms

/**
 * Makes the questions to one chain; each must be answered within 30 s.
 * @throws CHAIN_STATUS when it does not answer, CHAIN_RPC when it refuses
 */
export const createAsk = (url: string, signal: AbortSignal): Ask => {
  const fail = (why: string, cause?: unknown): SubnetError =>
    new SubnetError({
      code: 'CHAIN_STATUS',
      message: `The chain at ${url} cannot be asked: ${why}; check --url and that it runs`,
      cause,
    })
  if (!/^(ws|http)s?:\/\//.test(url)) throw fail('the URL does not begin with ws:// or wss://')
  return async (method, params = []) => {
    const late = (): Error => new Error(`no answer within ${ANSWER_MS} ms`)
    using deadline = startDeadline({ clock: systemClock, ms: ANSWER_MS, parent: signal, reason: late })
    let answer: { result?: unknown; error?: { message?: unknown; data?: unknown } }
    try {
      const response = await fetch(url.replace(/^ws/, 'http'), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
        signal: deadline.signal,
      })
      answer = (await response.json()) as typeof answer
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      throw fail(cause instanceof Error ? cause.message : String(cause), error)
    }
    if (answer.error !== undefined) throw refused(method, answer.error)
    return answer.result
  }
}

/** Arbor's own refusals carry their code; all others are told in the words of the chain. */
const refused = (method: string, { message, data }: { message?: unknown; data?: unknown }): SubnetError =>
  data === 'CHAIN_REORG_REFUSED' || data === 'CHAIN_NOT_WRITTEN'
    ? new SubnetError({ code: data, message: String(message) })
    : new SubnetError({
        code: 'CHAIN_RPC',
        message: `The chain refused ${method}: ${String(message)}${typeof data === 'string' ? ` (${data})` : ''}`,
      })

/** Reads a field of an answer. */
export const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
