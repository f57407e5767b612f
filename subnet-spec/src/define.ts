import type { InferenceEngine } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import type { z } from 'zod'

/** When a response came, measured at the socket. */
export interface Timing {
  /** From the request's last byte written to the answer's last byte read. */
  readonly totalMs: number
  /** The deadline that the request named. */
  readonly deadlineMs: number
}

/** What a validator thinks of one answer. */
export interface Verdict {
  /** `ok`, or one lower-case word that says what was wrong. */
  readonly reason: string
  /** Quality in [0, 1]; 0 unless the reason is ok. */
  readonly value: number
  /** Standard deviation of the value. */
  readonly sigma: number
}

/** One kind of work: what is asked, how it is answered, how an answer is judged. */
export interface TaskDefinition<Request = unknown, Response = unknown> {
  readonly request: z.ZodType<Request>
  readonly response: z.ZodType<Response>
  /** Time a miner has from the first byte sent to the last byte received. */
  readonly deadlineMs: number
  readonly maxRequestBytes: number
  readonly maxResponseBytes: number
  /** Derives the request from a seed alone; every validator derives the same. */
  plan(context: { readonly seed: Hex }): Request
  /** The reference miner's answer. */
  solve(context: { readonly request: Request; readonly engine: InferenceEngine; readonly signal: AbortSignal }): Promise<Response>
  /** Judges an answer; runs in a worker thread; never throws for what a miner sent. */
  score(context: {
    readonly request: Request
    readonly response: Response
    readonly engine: InferenceEngine
    readonly timing: Timing
  }): Promise<Verdict>
}

/** A subnet: the folder that designers fork. */
export interface SubnetSpec {
  readonly name: string
  /** Changes whenever an honest validator could score differently; sent as the weights' version key. */
  readonly version: number
  /** The model that honest miners run and validators check against. */
  readonly model: { readonly name: string; readonly hash: Hex }
  /** Rounds in one epoch; a round starts at every block that is a multiple of floor(tempo / roundsPerEpoch). */
  readonly roundsPerEpoch: number
  readonly tasks: Readonly<Record<string, TaskDefinition>>
  /** The task that a round's seed asks of a miner. */
  pick(context: { readonly seed: Hex }): string
  /** Turns a miner's moving average of verdict values into its weight before normalisation. */
  reward(average: number): number
  /** Half-life of the moving average, in rounds. */
  readonly halfLifeRounds: number
}
