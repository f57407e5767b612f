import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import type { CoreChain } from './chain.ts'
import { waitForSlotMs } from './slots.ts'

/** When blocks are made: at every slot, when there is something to include, or only by `produce`. */
export type ProductionMode =
  | { readonly kind: 'interval'; readonly blockTimeMs: number }
  | { readonly kind: 'instant' }
  | { readonly kind: 'manual' }

interface LoopOptions {
  readonly chain: Pick<CoreChain, 'make' | 'slots' | 'hasReady'>
  readonly mode: ProductionMode
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Hears of each block that could not be written. */
  readonly onUnwritten: (error: SubnetError) => void
}

/** Time after which a block that could not be written is made again: somebody may have made room. */
const RETRY_MS = 2_000 as Ms

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

const everySlot = async (of: LoopOptions): Promise<void> => {
  const { chain, clock, signal } = of
  while (!signal.aborted) {
    const { last, slotMs } = chain.slots()
    await clock.sleep(waitForSlotMs({ nowMs: clock.now(), slotMs, last }) as Ms, signal)
    await written(of, () => chain.make())
  }
}

/** Makes a block; one that cannot be written leaves the chain where it was, so that is no reason to stop. */
const written = async <Made>({ clock, signal, onUnwritten }: LoopOptions, make: () => Made): Promise<Made | null> => {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof SubnetError && error.code === 'CHAIN_NOT_WRITTEN')) throw error
    onUnwritten(error)
    await clock.sleep(RETRY_MS, signal)
    return null
  }
}

const onDemand = async (of: LoopOptions, bell: Bell): Promise<void> => {
  const { chain, clock, signal } = of
  while (!signal.aborted) {
    await bell.rung(signal)
    // A block that settles nothing would be followed by another such: wait until something changes.
    for (let settled = 1; settled > 0 && chain.hasReady() && !signal.aborted; ) {
      const made = await written(of, () => chain.make())
      settled = made === null ? 1 : made.settled
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
