import type { Block, NetUid, Ss58 } from '@arbor/shared/units'
import type { ThreadMessage } from '../serving-thread.ts'
import type { RelayLimits } from './limits.ts'
import type { Registrations } from './relay.ts'
import type { Place } from './server.ts'

/** What the listener's thread is given when it starts. */
export interface ListenerData {
  readonly place: Place
  readonly names: readonly string[]
  readonly genesisHash: Uint8Array
  readonly netuid: NetUid
  /** Public key of the validator's hotkey. */
  readonly self: Uint8Array
  readonly registrations: Registrations
  readonly limits: RelayLimits
}

export type ToListener =
  | { readonly kind: 'registrations'; readonly block: Block; readonly registeredAt: ReadonlyMap<Ss58, Block> }
  | { readonly kind: 'close' }

/** Where miners dial, and where the validator asks those that did. */
export interface ListenerPorts {
  readonly port: number
  readonly askPort: number
}

/** A miner came or left. */
export interface ListenerChange {
  readonly kind: 'change'
  readonly hotkey: Ss58
  readonly connected: boolean
}

export type FromListener = ThreadMessage<ListenerPorts> | ListenerChange
