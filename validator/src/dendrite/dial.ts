import { connect, type Socket } from 'node:net'
import type { Address } from '@arbor/chain/address'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import type { Fault } from './answer.ts'

/** What came of dialling; `ours` is what this machine has run out of, and nobody else's fault. */
export type Dialled =
  | { readonly ok: true; readonly socket: Socket; readonly connectMs: number }
  | { readonly ok: false; readonly reason: Extract<Fault, 'unreachable' | 'connect-refused' | 'connect-timeout'> }
  | { readonly ok: false; readonly reason: 'sockets'; readonly why: string }

/** No more files, ports or buffers, or no network interface: this machine's own state. */
const OUR_ERRORS = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM', 'ENETDOWN', 'EPERM', 'EACCES'])

/**
 * Opens a TCP connection.
 * @param of.timeoutMs from the call of connect(2) to the connection's establishment
 */
export async function dial(of: {
  readonly address: Address
  readonly timeoutMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
}): Promise<Dialled> {
  const { address, clock, signal } = of
  signal.throwIfAborted()
  const late = new Error('not accepted in time')
  using deadline = startDeadline({ clock, ms: of.timeoutMs as Ms, parent: signal, reason: () => late })
  const startedAt = clock.monotonic()
  const socket = connect({ host: address.ip, port: address.port, noDelay: true, keepAlive: true })
  const code = await new Promise<string | null>((resolve) => {
    socket.once('connect', () => resolve(null))
    socket.on('error', (error) => resolve(String('code' in error ? error.code : error.name))) // stays: a socket without it throws
    deadline.signal.addEventListener('abort', () => resolve('late'), { once: true })
  })
  if (code === null) return { ok: true, socket, connectMs: clock.monotonic() - startedAt }
  socket.destroy()
  signal.throwIfAborted()
  if (code === 'late' || code === 'ETIMEDOUT') return { ok: false, reason: 'connect-timeout' }
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return { ok: false, reason: 'connect-refused' }
  if (OUR_ERRORS.has(code)) return { ok: false, reason: 'sockets', why: `this machine cannot connect: ${code}` }
  return { ok: false, reason: 'unreachable' }
}
