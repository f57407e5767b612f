import { connect, type Socket } from 'node:net'
import { type RefusalCode, statusOf } from '@arbor/miner/refusal'
import { readRefusal } from '@arbor/shared/protocol/refusal'

/** An answer as it came over a socket. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** Bytes of head and body. */
  readonly size: number
}

/**
 * Reads whole answers from what a server sent, one after the other; 1xx are left out.
 * @throws Error when there is anything else in it than answers with a content-length
 */
export const readAnswers = (received: Buffer): readonly RawAnswer[] => {
  const answers: RawAnswer[] = []
  for (let at = 0; at < received.length; ) {
    const end = received.indexOf('\r\n\r\n', at)
    const [first = '', ...lines] = received.subarray(at, end).toString('latin1').split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(`${first} `)?.[1])
    if (end < 0 || !(status >= 100)) throw new Error(`no answer: ${received.subarray(at, at + 200).toString('latin1')}`)
    const headers = new Map(lines.map((line) => [line.split(': ')[0]?.toLowerCase() ?? '', line.split(': ')[1] ?? '']))
    const from = end + 4
    if (status < 200) {
      at = from
      continue
    }
    if (headers.get('transfer-encoding') === 'chunked' && received.indexOf('0\r\n\r\n', from) === from) {
      answers.push({ status, headers, body: Buffer.alloc(0), size: from + 5 - at }) // Node's own refusals
      at = from + 5
      continue
    }
    const length = Number(headers.get('content-length') ?? 0)
    const body = received.subarray(from, from + length)
    if (body.length < length) throw new Error(`an answer with ${body.length} of ${length} bytes`)
    answers.push({ status, headers, body, size: from + length - at })
    at = from + length
  }
  return answers
}

/**
 * Names what a refusal says: its code, or `bare` for one of HTTP itself, without a body.
 * @throws Error when it has not the documented form
 */
export const nameOf = ({ status, body }: RawAnswer): string => {
  if (body.length === 0 && (status === 400 || status === 417)) return 'bare'
  const code = readRefusal(body)
  if (code === null || statusOf(code as RefusalCode) !== status)
    throw new Error(`no refusal: ${status} ${body.toString('latin1').slice(0, 200)}`)
  return code
}

/** Sends bytes and collects what comes until the other side closes; rejects after `patienceMs`. */
export const exchange = (of: {
  readonly port: number
  readonly bytes: Uint8Array
  /** Whether our side says that nothing more follows. */
  readonly isEnded: boolean
  readonly patienceMs?: number
  readonly onOpen?: (socket: Socket) => void
}): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const socket = connect({ host: '127.0.0.1', port: of.port }, () => {
      if (of.isEnded) socket.end(of.bytes)
      else socket.write(of.bytes)
      of.onOpen?.(socket)
    })
    socket.setTimeout(of.patienceMs ?? 20_000, () => {
      reject(new Error(`the connection stays, after ${Buffer.concat(parts).toString('latin1')}`))
      socket.destroy()
    })
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.on('error', () => undefined) // a reset is one way to close
    socket.on('close', () => resolve(Buffer.concat(parts)))
  })
