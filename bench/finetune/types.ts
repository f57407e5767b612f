import type { AdamWTerms } from '../../shared/src/training.ts'
import type { OptimiserTerms } from '../../subnet-spec/finetune/types.ts'

/** One way to train by many: what is compared. */
export interface Arm {
  readonly name: string
  /** Steps between two exchanges. */
  readonly steps: number
  readonly adamw: AdamWTerms
  /** Null for DDP, which exchanges every gradient in fp32. */
  readonly optimiser: OptimiserTerms | null
  /** How the learning rate goes over a run whose end is known; the subnet's has none, so that its rate is constant. */
  readonly schedule: 'constant' | 'cosine'
}

/** What all arms of a comparison have in common. */
export interface Setting {
  readonly model: string
  readonly workers: number
  /** Steps of each worker in all; windows of a step, and tokens that each predicts. */
  readonly steps: number
  readonly batch: number
  readonly length: number
}

/** One run of one arm, a line of the file of runs. */
export interface Run extends Setting {
  readonly arm: string
  readonly terms: Omit<Arm, 'name'>
  readonly seed: number
  /** Mean loss a token on all of the held-out text, in nats: before, and at the end. */
  readonly startLoss: number
  readonly loss: number
  /** That a worker sent, counted from the files. */
  readonly bytes: number
  readonly rounds: number
  readonly tokens: number
  /** [step, loss on a fifth of the held-out text] on the way. */
  readonly curve: readonly (readonly [number, number])[]
  readonly cpuSeconds: number
}
