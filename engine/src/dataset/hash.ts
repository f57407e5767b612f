import { createHash } from 'node:crypto'
import type { Hex } from '@arbor/shared/units'
import { HELD_OUT, TRAIN } from './limits.ts'

/**
 * Names a dataset by its content as model folders are named: SHA-256 over one line `<SHA-256>  <name>` and a line feed for each of
 * the two files of tokens, sorted by name, which is the output of `sha256sum held-out.u16 train.u16`, hashed once more.
 * @param of SHA-256 of each file, hexadecimal without 0x
 */
export const datasetHash = (of: { readonly train: string; readonly heldOut: string }): Hex =>
  `0x${createHash('sha256').update(`${of.heldOut}  ${HELD_OUT}\n${of.train}  ${TRAIN}\n`).digest('hex')}`

/** Hashes bytes; hexadecimal without 0x. */
export const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
