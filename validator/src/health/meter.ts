import type { Clock } from '@arbor/shared/clock'

/** What a validator's time goes into; `set` is from computing a row until it is final, `read-back` comparing it. */
export const PHASES = ['ask', 'draw', 'judge', 'record', 'set', 'read-back'] as const
export type Phase = (typeof PHASES)[number]

/** Hears what happens, for metrics and alarms; calls cost microseconds and never throw. */
export interface Meter {
  /** One phase is over, however it ended. @param ms what it took */
  phase(phase: Phase, ms: number): void
  /** One answer, or its absence, was judged. */
  verdict(reason: string): void
  /** One try to set weights came to this: the outcome's kind. */
  outcome(kind: string): void
}

/** Hears nothing. */
export const noMeter: Meter = {
  phase: () => undefined,
  verdict: () => undefined,
  outcome: () => undefined,
}

/** Does a phase's work and tells the meter what it took, by the monotonic clock. */
export const timed = async <T>(
  { meter, clock }: { readonly meter: Meter; readonly clock: Clock },
  phase: Phase,
  work: () => Promise<T>,
): Promise<T> => {
  const began = clock.monotonic()
  try {
    return await work()
  } finally {
    meter.phase(phase, clock.monotonic() - began)
  }
}
