import type { Clock } from '@arbor/shared/clock'
import type { Ms } from '@arbor/shared/units'
import type { CoreChain } from './chain.ts'
import { waitForSlotMs } from './slots.ts'

/** When blocks are made: at every slot, when there is something to include, or only by `produce`. */
export type ProductionMode =
  | { readonly kind: 'interval'; readonly blockTimeMs: number }
  | { readonly kind: 'instant' }
  | { readonly kind: 'manual' }

interface LoopOptions {
  readonly chain: CoreChain
  readonly mode: ProductionMode
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Starts to make blocks. `done` resolves when the signal aborts and rejects when a block fails. */
export const runLoop = (of: LoopOptions): { readonly done: Promise<void>; readonly poke: () => void } => {
  const bell = createBell()
  const loops = {
    interval: () => everySlot(of),
    instant: () => onDemand(of, bell),
    manual: () => bell.stopped(of.signal),
  }
  const done = loops[of.mode.kind]().catch((error: unknown) => {
    if (!of.signal.aborted) throw error
  })
  if (of.mode.kind === 'instant') bell.ring()
  return { done, poke: bell.ring }
}

const everySlot = async ({ chain, clock, signal }: LoopOptions): Promise<void> => {
  while (!signal.aborted) {
    const { last, slotMs } = chain.slots()
    await clock.sleep(waitForSlotMs({ nowMs: clock.now(), slotMs, last }) as Ms, signal)
    await chain.produce()
  }
}

const onDemand = async ({ chain, clock, signal }: LoopOptions, bell: Bell): Promise<void> => {
  while (!signal.aborted) {
    await bell.rung(signal)
    // A block that settles nothing would be followed by another such: wait until something changes.
    for (let settled = 1; settled > 0 && chain.hasReady() && !signal.aborted; ) {
      settled = chain.make().settled
      await clock.sleep(0 as Ms, signal) // lets others run
    }
  }
}

interface Bell {
  ring(): void
  /** Waits for a ring since the last wait; rejects when the signal aborts. */
  rung(signal: AbortSignal): Promise<void>
  stopped(signal: AbortSignal): Promise<void>
}

const createBell = (): Bell => {
  let isRung = false
  let wake: (() => void) | undefined
  const wait = (signal: AbortSignal, until: (resolve: () => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const onAbort = (): void => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      until(() => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
    })
  return {
    ring: () => {
      isRung = true
      wake?.()
    },
    rung: async (signal) => {
      if (!isRung)
        await wait(signal, (resolve) => {
          wake = resolve
        })
      wake = undefined
      isRung = false
    },
    stopped: (signal) => wait(signal, () => undefined),
  }
}
