import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '@arbor/shared/clock'
import type { AnswerHead } from '@arbor/shared/dial/messages'
import type { Logger } from '@arbor/shared/log'
import type { Block, Ss58 } from '@arbor/shared/units'
import { callerOf } from './address.ts'
import { type AskHead, readAskHead } from './ask-head.ts'
import type { RelayLimits } from './limits.ts'
import type { AnswerSink, Question } from './link.ts'
import type { AskerRefusal } from './refusal.ts'
import type { Registry } from './registry.ts'
import { refuse } from './reply.ts'

/** What a relay forwards at the moment. */
export interface Asking {
  readonly inFlight: number
  /** Bytes of questions that are on their way. */
  readonly bytes: number
  /** Takes a question over HTTP and answers it. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Ends what has run out: deadlines, and askers that do not read. */
  sweep(): void
}

interface Exchange {
  readonly endsAt: number
  /** Bytes of the answer that the asker has not taken. */
  waiting: number
  /** When it took some last, or nothing waited for it. */
  movedAt: number
  /** Whether the whole question has come. */
  isWhole: boolean
  fail(code: AskerRefusal): void
  /** Gives back its place; calls after the first do nothing. */
  leave(): void
}

/** Creates the forwarding of questions to connected miners. */
export const createAsking = (of: {
  readonly registry: Registry
  readonly limits: RelayLimits
  readonly registeredAt: (hotkey: Ss58) => Block | null
  readonly clock: Clock
  readonly log: Logger
}): Asking => {
  const { registry, limits, clock, log } = of
  const exchanges = new Set<Exchange>()
  const byAddress = new Map<string, number>()
  let bytes = 0

  const admit = (head: AskHead, address: string): AskerRefusal | null => {
    if (of.registeredAt(head.receiver) === null) return 'RELAY_UNKNOWN_MINER'
    if (registry.get(head.receiver) === undefined) return 'RELAY_NO_MINER'
    if ((byAddress.get(address) ?? 0) >= limits.inFlightPerAddress) return 'RELAY_RATE'
    return makeRoom(head.bodyLength) ? null : 'RELAY_FULL'
  }

  /** Lets questions go whose bodies have not come, the oldest first: so no number of heads alone keeps an asker out. */
  const makeRoom = (length: number): boolean => {
    const hasRoom = (): boolean => exchanges.size < limits.inFlight && bytes + length <= limits.totalBodyBytes
    for (const exchange of exchanges) {
      if (hasRoom()) return true
      if (exchange.isWhole) continue
      exchange.fail('RELAY_FULL')
      exchange.leave()
    }
    return hasRoom()
  }

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const read = readAskHead({ request, bodyBytes: limits.bodyBytes })
    if (!read.ok) return refuse(request, response, read.code)
    const { head } = read
    const address = callerOf(request.socket)
    const refusal = admit(head, address)
    if (refusal !== null) return refuse(request, response, refusal)
    start({ request, response, head, address })
  }

  const start = (on: {
    readonly request: IncomingMessage
    readonly response: ServerResponse
    readonly head: AskHead
    readonly address: string
  }): void => {
    const { request, response, head, address } = on
    const now = clock.monotonic()
    const pieces: Buffer[] = []
    let question: Question | null = null
    let held = head.bodyLength
    let isSent = false
    bytes += held
    byAddress.set(address, (byAddress.get(address) ?? 0) + 1)

    const release = (): void => {
      bytes -= held
      held = 0
    }
    const exchange: Exchange = {
      endsAt: now + Math.min(head.timeoutMs, limits.timeoutMs) + limits.graceMs,
      waiting: 0,
      movedAt: now,
      isWhole: false,
      fail: (code) => {
        question?.cancel()
        question = null
        if (response.headersSent) response.destroy()
        else refuse(request, response, code)
      },
      leave: () => {
        if (!exchanges.delete(exchange)) return
        question?.cancel()
        if (!isSent) release() // else its bytes are on the miner's socket until they have left
        const left = (byAddress.get(address) ?? 1) - 1
        if (left === 0) byAddress.delete(address)
        else byAddress.set(address, left)
      },
    }
    const sink = answerTo({ response, exchange, clock, grant: (taken) => question?.grant(taken) })
    exchanges.add(exchange)
    response.once('close', exchange.leave)
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.once('end', () => {
      if (!exchanges.has(exchange)) return
      exchange.isWhole = true
      const { method, path, envelope, certificate } = head
      const asked =
        registry.get(head.receiver)?.link.ask({
          request: { method, path, envelope, certificate, asker: address },
          body: pieces,
          sink,
          sent: release,
        }) ?? 'RELAY_NO_MINER'
      pieces.length = 0
      if (typeof asked === 'string') return exchange.fail(asked)
      question = asked
      isSent = true
    })
    log.debug({ event: 'relay.asked', receiver: head.receiver, address, bytes: head.bodyLength }, 'a question')
  }

  return {
    get inFlight() {
      return exchanges.size
    },
    get bytes() {
      return bytes
    },
    handle,
    sweep: () => {
      const now = clock.monotonic()
      for (const exchange of exchanges) {
        const slow = exchange.waiting > 0 && now - exchange.movedAt > limits.slowMs
        if (slow || now > exchange.endsAt) exchange.fail('RELAY_LATE')
      }
    },
  }
}

/** Writes an answer to its asker as it comes, and lets the miner go on as the asker takes it. */
const answerTo = (of: {
  readonly response: ServerResponse
  readonly exchange: Exchange
  readonly clock: Clock
  readonly grant: (bytes: number) => void
}): AnswerSink => {
  const { response, exchange, clock, grant } = of
  return {
    onHead: (head) => void response.writeHead(head.status, headersOf(head)).flushHeaders(),
    onPiece: (piece) => {
      if (exchange.waiting === 0) exchange.movedAt = clock.monotonic()
      exchange.waiting += piece.length
      response.write(piece, (error) => {
        exchange.waiting -= piece.length
        exchange.movedAt = clock.monotonic()
        if (!error) grant(piece.length)
      })
    },
    onEnd: () => void response.end(),
    onFail: (code) => exchange.fail(code),
  }
}

const headersOf = ({ contentType, envelope, certificate, retryAfterS }: AnswerHead): Record<string, string> => ({
  'content-type': contentType,
  ...(envelope === null ? {} : { 'arbor-envelope': envelope }),
  ...(certificate === null ? {} : { 'arbor-certificate': certificate }),
  ...(retryAfterS === null ? {} : { 'retry-after': String(retryAfterS) }),
})
