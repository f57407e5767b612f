import type { LoopBounds } from './liveness.ts'

/** File of a data folder with the address of a validator's health, where `arbor validator health` looks. */
export const HEALTH_FILE = 'health.json'

/** An address to listen at. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** What the guard's thread is started with. */
export interface GuardData {
  readonly board: SharedArrayBuffer
  readonly hangMs: number
  readonly stopMs: number
  readonly health: Place | null
  readonly webhook: string | null
  /** File of the alarms that are on; null without a webhook. */
  readonly alarms: string | null
  /** Stands in every notice. */
  readonly about: Readonly<Record<string, string | number>>
}

/** What main answers for, since only it knows. */
export type Asked = 'ready' | 'metrics'

export type ToGuard =
  | { readonly kind: 'loop'; readonly number: number; readonly bounds: LoopBounds }
  | {
      readonly kind: 'answer'
      readonly id: number
      readonly status: number
      readonly type: string
      readonly body: string
    }
  | { readonly kind: 'notice'; readonly body: string }
  /** Posts what is left, and says `closed`. */
  | { readonly kind: 'close' }

export type FromGuard =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'ask'; readonly id: number; readonly what: Asked }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn'; readonly event: string; readonly text: string }
  | { readonly kind: 'closed' }
