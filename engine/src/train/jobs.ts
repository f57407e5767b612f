import type { Provider } from '@arbor/shared/inference'
import type { Layout, LocalTerms } from '@arbor/shared/training'
import type { RefusedProvider } from '../session.ts'
import type { BatchShape } from './batches.ts'
import type { OpenGraphsOptions } from './graphs.ts'
import type { LocalState } from './types.ts'

/** What a training process does. Tokens are those of all passes of the job, window by window. */
export type TrainingJob =
  | { readonly kind: 'open' }
  | { readonly kind: 'initial' }
  | {
      readonly kind: 'train'
      readonly terms: LocalTerms
      readonly start: LocalState
      readonly to: number
      /** Steps after which the state is told. */
      readonly at: readonly number[]
      readonly tokens: Uint16Array
    }
  | {
      readonly kind: 'gradient'
      readonly shape: BatchShape
      readonly params: Float32Array
      readonly tokens: Uint16Array
    }
  | {
      readonly kind: 'measure'
      readonly shape: BatchShape
      readonly params: Float32Array
      readonly tokens: Uint16Array
    }

export type TrainingResult =
  | {
      readonly kind: 'open'
      readonly layout: Layout
      readonly provider: Provider
      readonly refused: readonly RefusedProvider[]
    }
  | { readonly kind: 'initial'; readonly params: Float32Array }
  | { readonly kind: 'train'; readonly state: LocalState }
  | { readonly kind: 'gradient'; readonly gradient: Float32Array; readonly loss: number }
  /** One loss a pass. */
  | { readonly kind: 'measure'; readonly losses: readonly number[] }

export type TrainingProgress =
  | { readonly kind: 'step'; readonly step: number; readonly loss: number }
  | { readonly kind: 'state'; readonly state: LocalState }

/** What each worker of a training process is told at its start. */
export type TrainingData = OpenGraphsOptions
