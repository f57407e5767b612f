import type { Clock } from '@arbor/shared/clock'
import { createRequests } from './requests.ts'
import type { ConnectionLimits, Request } from './socket-types.ts'
import { openWire } from './wire.ts'

/** Asks an endpoint something over a connection of its own, which is closed at once. @throws what kept it from answering */
export async function probe<T>(
  of: {
    readonly url: string
    readonly clock: Clock
    readonly limits: ConnectionLimits
    readonly signal: AbortSignal
  },
  ask: (request: Request) => Promise<T>,
): Promise<T> {
  const { url, clock, limits, signal } = of
  const requests = createRequests({ clock, limits, misfit: () => null, where: () => url, onTimeout: () => {} })
  const wire = await openWire({
    url,
    clock,
    handshakeMs: limits.attemptMs,
    pingMs: limits.pingMs,
    signal,
    onText: (text) => {
      try {
        requests.answer(JSON.parse(text))
      } catch {
        wire.end({ kind: 'garbled', cause: 'it sent no JSON' })
      }
    },
  })
  void wire.over.then(({ cause }) => requests.fail(new Error(cause)))
  try {
    requests.attach(wire.send)
    return await ask((method, params) => requests.call(method, params, { replay: false, signal }, true))
  } finally {
    wire.end({ kind: 'left', cause: 'asked' })
    await wire.over
  }
}
