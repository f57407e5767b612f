import { untilAborted } from '@arbor/shared/aborted'
import type { Clock } from '@arbor/shared/clock'
import { startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Logger } from '@arbor/shared/log'
import type { Signer } from '@arbor/shared/signer'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Ms, Ss58 } from '@arbor/shared/units'
import { verifySignature } from '@arbor/shared/verify-signature'
import { away, refused, severalKeys, wrongKey } from './errors.ts'
import { type Line, openLine } from './line.ts'
import type { Answered, Asked } from './messages.ts'
import { mustFit } from './place.ts'

/** A hotkey that another process holds. */
export interface RemoteSigner extends Signer {
  /** Ends the connection; nothing can be signed any more. */
  close(): void
}

export interface OpenSignerOptions {
  /** Path of the signer's socket. */
  readonly socket: string
  /** Gives the token, 32 bytes; asked at each connection, since a signer may have made another one. */
  readonly token: () => Uint8Array
  /** Which of its keys; the only one when absent. */
  readonly hotkey?: Ss58 | undefined
  readonly clock: Clock
  readonly log: Pick<Logger, 'info' | 'warn'>
  readonly signal: AbortSignal
  /** Longest wait for one signature, connecting included. */
  readonly deadlineMs?: Ms
}

const DEADLINE_MS = 10_000 as Ms
/** Pause between two tries to reach a signer that is starting. */
const PAUSE_MS = 200 as Ms

/**
 * Opens a hotkey that a signer holds. The connection is made anew when it was lost; what was under way then fails, and
 * the caller decides whether to ask again.
 * @throws SIGNER_AWAY, SIGNER_TOKEN, SIGNER_PROTOCOL, SIGNER_KEY, SIGNER_PATH
 */
export const openSigner = async (options: OpenSignerOptions): Promise<RemoteSigner> => {
  const { socket } = options
  mustFit(socket)
  const asking = createAsking(options)
  try {
    const answered = await asking.ask((id) => ({ is: 'keys', id }))
    const publicKey = chosen(answered.is === 'keys' ? answered.publicKeys : [], options)
    return {
      address: encodeSs58(publicKey),
      publicKey,
      sign: async (message, purpose) => {
        const { kind } = purpose
        const bytes = kind === 'extrinsic' ? purpose.payload : message
        const given = await asking.ask((id) => ({ is: 'sign', id, publicKey, kind, bytes }))
        if (given.is === 'refused') throw refused(given.rule, given.why)
        // Whoever listens there may hold another key than it says.
        if (given.is === 'signature' && verifySignature(publicKey, message, given.signature)) return given.signature
        throw wrongKey(socket)
      },
      close: asking.close,
    }
  } catch (error) {
    asking.close()
    throw error
  }
}

/** Asks a signer for what it says of itself. @throws as openSigner */
export const askStatus = async (options: Omit<OpenSignerOptions, 'hotkey'>): Promise<unknown> => {
  mustFit(options.socket)
  const asking = createAsking(options)
  try {
    const answered = await asking.ask((id) => ({ is: 'status', id }))
    return answered.is === 'status' ? JSON.parse(answered.json) : null
  } finally {
    asking.close()
  }
}

const chosen = (keys: readonly Uint8Array[], { socket, hotkey }: OpenSignerOptions): Uint8Array => {
  const addresses = keys.map(encodeSs58)
  const found = hotkey === undefined ? keys[0] : keys[addresses.indexOf(hotkey)]
  if (found === undefined || (hotkey === undefined && keys.length > 1))
    throw severalKeys(socket, hotkey ?? null, addresses)
  return found
}

interface Asking {
  ask(make: (id: number) => Asked): Promise<Answered>
  close(): void
}

/** Keeps a line to the signer, and makes another one when that is gone. */
const createAsking = (options: OpenSignerOptions): Asking => {
  const { socket, token, clock, log, signal, deadlineMs = DEADLINE_MS } = options
  const closed = new AbortController()
  const living = AbortSignal.any([signal, closed.signal])
  let line: Line | null = null
  let opening: Promise<Line> | null = null
  let isLost = false
  const onLost = (): void => {
    line = null
    if (living.aborted) return
    isLost = true
    log.warn({ event: 'signer.lost', socket }, 'the signer has gone; it is looked for at the next signature')
  }
  const open = async (): Promise<Line> => {
    const opened = await openLine({ socket, token: token(), onLost })
    if (living.aborted) opened.close()
    if (isLost) log.info({ event: 'signer.found', socket }, 'the signer is there again')
    isLost = false
    line = opened
    return opened
  }
  const current = async (until: AbortSignal): Promise<Line> => {
    for (;;) {
      until.throwIfAborted()
      if (line !== null) return line
      opening ??= open().finally(() => {
        opening = null
      })
      try {
        return await untilAborted(opening, until)
      } catch (error) {
        if (!(error instanceof SubnetError) || error.code !== 'SIGNER_AWAY') throw error
        await clock.sleep(PAUSE_MS, until)
      }
    }
  }
  return {
    ask: async (make) => {
      const late = (): SubnetError => away(socket, `it has not answered within ${deadlineMs} ms`)
      using deadline = startDeadline({ clock, ms: deadlineMs, parent: living, reason: late })
      const to = await current(deadline.signal)
      return untilAborted(to.ask(make), deadline.signal)
    },
    close: () => {
      closed.abort(away(socket, 'it was closed'))
      line?.close()
    },
  }
}
