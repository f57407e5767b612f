/** What a sealing draws at random; the same values give the same bytes. */
export interface SealRandomness {
  /** Key of AES, 32 bytes. */
  readonly key: Uint8Array
  /** Seed of the ephemeral key, 32 bytes. */
  readonly sigma: Uint8Array
  /** Nonce of AES-GCM, 12 bytes. */
  readonly nonce: Uint8Array
}

/** Draws what a sealing needs. @param randomBytes gives so many unpredictable bytes */
export const drawSealRandomness = (randomBytes: (length: number) => Uint8Array): SealRandomness => ({
  key: randomBytes(32),
  sigma: randomBytes(32),
  nonce: randomBytes(12),
})
