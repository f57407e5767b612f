import { hash } from 'node:crypto'
import type { Hex, Ms } from '@arbor/shared/units'
import type { Answer, Fault } from '../../validator/src/dendrite/answer.ts'
import type { PlannedTask } from '../../validator/src/plan.ts'
import { hashed, random } from './random.ts'

/** How a simulated miner behaves; some of it only at times. */
export const BEHAVIOURS = ['honest', 'wrong', 'hang', 'flood', 'lie', 'move'] as const
export type Behaviour = (typeof BEHAVIOURS)[number]

/** What the net's miners are up to; the driver writes it, validators read it before each question. */
export interface MinerBook {
  readonly [hotkey: string]: { readonly behaviour: Behaviour; readonly port: number; readonly isDown: boolean }
}

/** How an answer is to be had: what it is, and how long it takes. */
export interface Simulated {
  readonly answer: Answer
  readonly afterMs: Ms
}

/**
 * Answers as a miner would. It follows from the task alone, so that all validators are answered alike.
 */
export const simulate = (task: PlannedTask, book: MinerBook): Simulated => {
  const miner = book[task.hotkey]
  const choice = random(hashed(task.seed))
  const pause = choice.within(0, 6) as Ms
  if (miner === undefined || miner.isDown || miner.port !== task.axon.port)
    return { answer: fault('connect-refused'), afterMs: 1 as Ms }
  const isOff = choice.chance(0.5)
  const quality = Math.round((0.5 + 0.5 * choice.next()) * 1_000) / 1_000
  const honest = { answer: answered(task, { word: wordOf(task), quality }, pause), afterMs: pause }
  switch (miner.behaviour) {
    case 'wrong':
      return isOff ? { answer: answered(task, { word: 'nonsense', quality: 1 }, pause), afterMs: pause } : honest
    case 'lie':
      return {
        answer: answered(task, { word: wordOf(task), quality: isOff ? 'best' : quality }, pause),
        afterMs: pause,
      }
    case 'hang':
      return isOff ? { answer: fault('timeout'), afterMs: 60 as Ms } : honest
    case 'flood':
      return isOff ? { answer: fault('oversized'), afterMs: 10 as Ms } : honest
    default:
      return honest
  }
}

const wordOf = ({ request }: PlannedTask): string => (request as { word: string }).word

const fault = (reason: Fault): Answer => ({ kind: 'fault', reason, why: `simulated: ${reason}`, timing: null })

const answered = (task: PlannedTask, body: unknown, totalMs: number): Answer => {
  const bytes = Buffer.from(JSON.stringify(body))
  const named = (what: string): Hex => `0x${hash('sha256', `${what} ${task.seed} ${task.hotkey} ${bytes}`, 'hex')}`
  return {
    kind: 'answered',
    body: bytes,
    timing: { connectMs: 0, firstByteMs: totalMs, totalMs, deadlineMs: 1_000, lagMs: 0, lagged: false },
    signed: true,
    binding: named('binding'),
    answerHash: named('answer'),
    evidence: { protocol: 'bittensor', signedText: task.seed, signature: named('signature') },
  }
}
