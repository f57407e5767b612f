import { startDeadline, systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'

const ANSWER_MS = 10_000 as Ms

/** Prints where a running chain stands. @throws CHAIN_STATUS when it does not answer */
export const showStatus = async (
  { signal, stdout }: CommandContext,
  { url, json }: { readonly url: string; readonly json?: boolean },
): Promise<void> => {
  const late = (): Error => new Error(`no answer within ${ANSWER_MS} ms`)
  using deadline = startDeadline({ clock: systemClock, ms: ANSWER_MS, parent: signal, reason: late })
  const ask = createAsk(url, deadline.signal)
  const [chain, finalizedHash, genesis, best, version] = await Promise.all([
    ask('system_chain'),
    ask('chain_getFinalizedHead'),
    ask('chain_getBlockHash', [0]),
    ask('chain_getHeader'),
    ask('state_getRuntimeVersion'),
  ])
  const finalized = await ask('chain_getHeader', [finalizedHash])
  const status = {
    chain,
    best: Number(field(best, 'number')),
    finalized: Number(field(finalized, 'number')),
    genesis,
    specName: field(version, 'specName'),
    specVersion: field(version, 'specVersion'),
  }
  const lines = Object.entries(status).map(([name, value]) => `${name.padEnd(11)} ${value}`)
  stdout.write(json ? `${JSON.stringify(status)}\n` : `${lines.join('\n')}\n`)
}

type Ask = (method: string, params?: readonly unknown[]) => Promise<unknown>

/** Asks over HTTP, which a chain serves on the same port as WebSocket. */
const createAsk = (url: string, signal: AbortSignal): Ask => {
  const fail = (why: string, cause?: unknown): SubnetError =>
    new SubnetError({
      code: 'CHAIN_STATUS',
      message: `The chain at ${url} cannot be asked: ${why}; check --url and that it runs`,
      cause,
    })
  if (!/^(ws|http)s?:\/\//.test(url)) throw fail('the URL does not begin with ws:// or wss://')
  return async (method, params = []) => {
    let answer: { result?: unknown; error?: { message?: unknown } }
    try {
      const response = await fetch(url.replace(/^ws/, 'http'), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
        signal,
      })
      answer = (await response.json()) as typeof answer
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      throw fail(cause instanceof Error ? cause.message : String(cause), error)
    }
    if (answer.error !== undefined) throw fail(`${method}: ${String(answer.error.message)}`)
    return answer.result
  }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
