import type { SignPurpose } from '@arbor/shared/signer'
import type { Block, Hex, Ms, NetUid, Ss58 } from '@arbor/shared/units'
import type { Answer } from './answer.ts'
import type { AskLimits } from './ask.ts'
import type { Question } from './speaker.ts'

/** What the dendrite's thread is given when it starts. */
export interface ThreadData {
  /** A spec's name or the path of its module. */
  readonly spec: string
  /** Our hotkey; its secret stays where it is. */
  readonly hotkey: { readonly address: Ss58; readonly publicKey: Uint8Array }
  readonly netuid: NetUid
  readonly genesisHash: Hex
  readonly limits: AskLimits
  readonly isSealed: boolean
  readonly proof: 'mac' | 'signature'
  readonly privateAllowed: boolean
  /** Whether axons that announce a version of Bittensor's are asked on its wire. */
  readonly speaksBittensor: boolean
  readonly sessionMs: Ms
}

/** A question as it crosses: the task's definition is loaded on the other side. */
export interface AskMessage extends Omit<Question, 'definition' | 'onChunk'> {
  readonly kind: 'ask'
  readonly id: number
  readonly wantsChunks: boolean
}

export type ToThread =
  | AskMessage
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'registered'; readonly at: Block }
  | { readonly kind: 'signed'; readonly id: number; readonly signature: Uint8Array }
  | { readonly kind: 'not-signed'; readonly id: number; readonly code: string; readonly message: string }

export type FromThread =
  | { readonly kind: 'settled'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'chunk'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'sign'; readonly id: number; readonly message: Uint8Array; readonly purpose: SignPurpose }
  | { readonly kind: 'log'; readonly level: 'debug' | 'warn'; readonly fields: object; readonly text: string }

/** Makes bytes fit to be handed over: alone in their memory. */
export const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength && !Buffer.isBuffer(bytes)
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes)
