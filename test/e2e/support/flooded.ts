import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@arbor/shared/clock'
import { openAnswer, readAnswer, verifyAnswer } from '@arbor/shared/protocol/answer'
import type { WrittenRequest } from '@arbor/shared/protocol/request'
import { type Asker, headersOf, miner, write } from '../../../miner/test/net.ts'
import { ask, meet } from './asker.ts'
import { exchange, type RawAnswer, readAnswers } from './raw-http.ts'

/** A miner's server in a process of its own. */
export interface Flooded {
  readonly pid: number
  readonly port: number
  readonly url: string
  readonly child: ChildProcess
  /** Opens a session with it. */
  meet(signer?: Parameters<typeof meet>[1]['signer']): Promise<Asker>
  /** Ends it. @returns everything that it said, which is nothing when nothing was wrong */
  stop(): Promise<string>
}

/** Starts the server. @param perSecond questions that one caller may ask a second */
export const startFlooded = async (perSecond: number): Promise<Flooded> => {
  const path = fileURLToPath(new URL('./flooded-child.ts', import.meta.url))
  const child = fork(path, [String(perSecond)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  if (child.stdout === null || child.stderr === null) throw new Error('the child has no pipes')
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  const ended = once(child, 'exit')
  const gone = ended.then(async () => Promise.reject(new Error(`it ended: ${(await said).join('')}`)))
  gone.catch(() => undefined) // it is told to end in the end
  const [port] = (await Promise.race([once(child, 'message'), gone])) as [number]
  const url = `http://127.0.0.1:${port}`
  return {
    pid: child.pid ?? -1,
    port,
    url,
    child,
    meet: (signer) => meet(url, { receiver: miner, ...(signer === undefined ? {} : { signer }) }),
    stop: async () => {
      if (child.connected) child.disconnect()
      await ended
      return (await said).join('')
    },
  }
}

/** A question of the echo task, as bytes. */
export const question = (text: string): Buffer => Buffer.from(JSON.stringify({ text }))

/** Asks the echo task and expects its signed answer. @returns the reply */
export const echo = async (url: string, asker: Asker, text: string): Promise<string> => {
  const { status, isSigned, text: answer } = await ask(url, asker, { body: question(text), path: '/echo' })
  if (status !== 200 || !isSigned) throw new Error(`answered ${status} ${answer}`)
  return (JSON.parse(answer) as { readonly reply: string }).reply
}

/** Verifies an answer of the echo task as an asker does. @returns the reply @throws Error when it is not the question's signed answer */
export const replyOf = (asker: Asker, written: WrittenRequest, { status, headers, body }: RawAnswer): string => {
  const answer = readAnswer(headers.get('arbor-envelope') ?? '')
  const of = { certificate: asker.certificate, requestHash: written.hash, status, body }
  if (status !== 200 || answer === null || !verifyAnswer(answer, of).ok) throw new Error(`answered ${status} ${body}`)
  const opened = openAnswer(answer, { body, seal: { keys: asker.keys, counter: written.fields.counter } })
  if (!opened.ok) throw new Error(opened.fault)
  return (JSON.parse(Buffer.from(opened.body).toString()) as { readonly reply: string }).reply
}

/** Asks the echo task over a connection of its own, which the miner closes then. */
export const echoAnew = async (port: number, asker: Asker, text: string): Promise<string> => {
  const written = writeEcho(asker, text)
  const bytes = Buffer.concat([headBytes(headLines(asker, written)), written.body])
  const [answer, ...more] = readAnswers(await exchange({ port, bytes, isEnded: false }))
  if (answer === undefined || more.length > 0) throw new Error('the connection closed without one answer')
  return replyOf(asker, written, answer)
}

/** Writes a question of the echo task. */
export const writeEcho = (asker: Asker, text: string, of: Partial<Parameters<typeof write>[1]> = {}) =>
  write(asker, { now: systemClock.now(), body: question(text), path: '/echo', ...of })

/** Lines of a request's head, without their ends. */
export const headLines = (asker: Asker, written: WrittenRequest): string[] => [
  'POST /echo HTTP/1.1',
  'host: miner',
  'connection: close',
  `content-length: ${written.body.length}`,
  ...Object.entries(headersOf(asker, written)).map(([name, value]) => `${name}: ${value}`),
]

/** A head as bytes of latin1. */
export const headBytes = (lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
