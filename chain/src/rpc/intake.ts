import type { SharedBounds } from './shared-bounds.ts'

/** Longest head of a frame. @source RFC 6455 §5.2 */
const FRAME_HEAD = 14
/** A connection that holds less than this is never blamed for what all hold together. */
const BLAMELESS = 1024 * 1024

/** What of a connection's requests arrived and is not answered: frames in the making, and those that wait. */
export interface Intake {
  /** Counts what arrived. @returns false when all connections hold too much and this one is to blame */
  fits(bytes: number): boolean
  /** Takes a message off again. */
  answered(bytes: number): void
  /** Takes all off, when the connection has closed. */
  end(): void
}

/** Creates the count of a connection. */
export const countIntake = (bounds: Pick<SharedBounds, 'receiving' | 'answered'>): Intake => {
  let held = 0
  const answered = (bytes: number): void => {
    const whole = Math.min(held, bytes + FRAME_HEAD)
    held -= whole
    bounds.answered(whole)
  }
  const fits = (bytes: number): boolean => {
    held += bytes
    return bounds.receiving(bytes) || held < BLAMELESS
  }
  return { answered, fits, end: () => answered(held) }
}
