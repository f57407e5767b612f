import { connect } from 'node:net'
import { away, otherProtocol, wrongToken } from './errors.ts'
import { createFrameReader, writeFrame } from './frames.ts'
import { type Answered, type Asked, askedFields, helloFields, readAnswered } from './messages.ts'

/** One connection to a signer, with any number of requests under way. */
export interface Line {
  /** @throws SIGNER_AWAY when the connection ends before the answer, SIGNER_PROTOCOL */
  ask(make: (id: number) => Asked): Promise<Answered>
  close(): void
}

/**
 * Connects to a signer and shows the token.
 * @param of.onLost called once when the connection ends that was opened
 * @throws SIGNER_AWAY, SIGNER_TOKEN, SIGNER_PROTOCOL
 */
export const openLine = (of: {
  readonly socket: string
  readonly token: Uint8Array
  readonly onLost: () => void
}): Promise<Line> =>
  new Promise((resolve, reject) => {
    const { socket: path, onLost } = of
    const socket = connect(path)
    const reader = createFrameReader()
    const waiting = new Map<number, PromiseWithResolvers<Answered>>()
    let nextId = 1
    let isWelcome = false
    let isConnected = false
    let why: Error | null = null

    const line: Line = {
      ask: (make) => {
        if (socket.destroyed) return Promise.reject(away(path, 'the connection has ended'))
        const id = nextId
        nextId = nextId === 0xffff_ffff ? 1 : nextId + 1
        const answer = Promise.withResolvers<Answered>()
        waiting.set(id, answer)
        socket.write(writeFrame(askedFields(make(id))))
        return answer.promise
      },
      close: () => socket.destroy(),
    }
    const fail = (error: Error): void => {
      why ??= error
      socket.destroy()
    }
    const take = (answered: Answered | null): void => {
      if (answered === null) fail(otherProtocol(path))
      else if (answered.is === 'welcome') {
        isWelcome = true
        resolve(line)
      } else {
        waiting.get(answered.id)?.resolve(answered)
        waiting.delete(answered.id)
      }
    }
    socket.once('connect', () => {
      isConnected = true
      socket.write(writeFrame(helloFields(of.token)))
    })
    socket.on('data', (bytes) => {
      const messages = reader.push(bytes)
      if (messages === null) fail(otherProtocol(path))
      for (const fields of messages ?? []) take(readAnswered(fields))
    })
    socket.on('error', (error) => {
      why ??= isConnected ? null : away(path, error.message)
    })
    socket.once('close', () => {
      const reason = why ?? (isWelcome ? away(path, 'the connection has ended') : wrongToken(path))
      for (const { reject: fails } of waiting.values()) fails(reason)
      waiting.clear()
      if (isWelcome) onLost()
      reject(reason)
    })
  })
