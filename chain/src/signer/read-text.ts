import type { Ss58 } from '@arbor/shared/units'

/** What a request on Bittensor's wire says in the text that its hotkey signs. */
export interface SynapseText {
  /** Nanoseconds of Unix time. */
  readonly nonce: bigint
  readonly dendrite: Ss58
}

const ADDRESS = '[1-9A-HJ-NP-Za-km-z]{48}'
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const TEXT = new RegExp(`^([1-9]\\d{18})\\.(${ADDRESS})\\.${ADDRESS}\\.${UUID}\\.[0-9a-f]{64}$`)
/** 19 + 48 + 48 + 36 + 64 characters and four dots. */
const LENGTH = 219

/** Reads the text `nonce.dendrite.axon.uuid.hash`; null when it is anything else. @source docs/bittensor.md */
export const readSynapseText = (message: Uint8Array): SynapseText | null => {
  if (message.length !== LENGTH) return null
  const [, nonce, dendrite] = TEXT.exec(Buffer.from(message).toString('latin1')) ?? []
  return nonce === undefined || dendrite === undefined ? null : { nonce: BigInt(nonce), dendrite: dendrite as Ss58 }
}
