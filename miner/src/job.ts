import type { Loop } from '@arbor/shared/supervise'
import type { ServingParts } from './service/deps.ts'

/** What a miner does for its subnet: it answers questions, or it trains and hands out what it trained. */
export interface Job extends Pick<ServingParts, 'solve' | 'pace'> {
  /** Loads what it works with, before anything is announced. */
  open(): Promise<void>
  /** Whether it can work. */
  isRunning(): boolean
  /** Questions that are worked on at once. */
  readonly places: number
  /** Questions a second that one caller may ask, and those that it may ask at once. */
  readonly rate: { readonly perSecond: number; readonly burst: number }
  /** What it does besides answering. */
  readonly loops: Readonly<Record<string, Loop>>
  /** What a probe is told of it. */
  about(): object
  close(): Promise<void>
}
