import { SubnetError } from '@arbor/shared/errors'
import { createGate } from '@arbor/shared/gate'
import type { Generation } from '@arbor/shared/inference'
import { aborted, closed } from './errors.ts'
import type { BackendStats } from './types.ts'

/** What surrounds every answer of a backend: a place, the counts, and an end when the backend is closed. */
export interface Serving {
  /**
   * Runs the work when there is a place.
   * @throws ENGINE_ABORTED, ENGINE_CLOSED, ENGINE_BUSY, and what the work throws
   */
  run(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<Generation>): Promise<Generation>
  stats(): BackendStats
  /** Aborts all answers and waits until they have ended. */
  close(): Promise<void>
}

/** Answers that wait for a place; whoever sends them has a queue of its own in front, so this one is for strays. */
const CAPACITY = 1_024

/** Shares `slots` places among answers. */
export const createServing = (of: { readonly name: string; readonly slots: number }): Serving => {
  const { name, slots } = of
  const gate = createGate({ slots, capacity: CAPACITY })
  const ending = new AbortController()
  const running = new Set<Promise<unknown>>()
  const counts = { answered: 0, failed: 0, tokens: 0 }
  const enter = async (signal: AbortSignal): Promise<() => void> => {
    const admission = await gate.enter({ priority: 0n, signal })
    if (admission.admitted) return admission.release
    throw admission.reason === 'closed' ? closed(name) : busy(slots)
  }
  const within = async (
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Generation>,
  ): Promise<Generation> => {
    const release = await enter(signal)
    try {
      return await work(signal)
    } finally {
      release()
    }
  }
  const count = async (answer: Promise<Generation>, signal: AbortSignal): Promise<Generation> => {
    try {
      const generation = await answer
      counts.answered += 1
      counts.tokens += generation.tokens.length
      return generation
    } catch (error) {
      counts.failed += 1
      if (ending.signal.aborted) throw closed(name)
      throw signal.aborted ? aborted(signal.reason) : error
    }
  }
  return {
    run: (caller, work) => {
      const signal = AbortSignal.any(caller === undefined ? [ending.signal] : [caller, ending.signal])
      const answer = count(within(signal, work), signal)
      const leave = (): void => void running.delete(ended)
      const ended: Promise<void> = answer.then(leave, leave)
      running.add(ended)
      return answer
    },
    stats: () => ({ running: gate.working, waiting: gate.waiting, ...counts }),
    close: async () => {
      ending.abort()
      gate.close()
      await Promise.all(running)
    },
  }
}

const busy = (slots: number): SubnetError =>
  new SubnetError({
    code: 'ENGINE_BUSY',
    message: `The backend makes ${slots} answers at once and ${CAPACITY} wait; send fewer or try again`,
    details: { running: slots, queued: CAPACITY },
    retryable: true,
  })
