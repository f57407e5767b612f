import { concatBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import { decodeHeader } from '../header.ts'
import { compact, reader, vec } from '../scale.ts'
import type { StoredBlock } from '../types.ts'
import { bytesOf, numberOf, type Row } from './sql.ts'

/** Says that there is no such block. */
export const unknownBlock = (which: string): SubnetError =>
  new SubnetError({
    code: 'CHAIN_UNKNOWN_BLOCK',
    message: `This chain has no block ${which}; check it against the genesis hash`,
  })

/** Says that a state was let go of. */
export const pruned = (number: number, first: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_STATE_PRUNED',
    message: `The state of block ${number} is gone, the first one kept is that of block ${first}; ask for a later block, or run the chain with --keep archive`,
    details: { block: number, first },
  })

/** Reads a row of a block. @throws CHAIN_DATA_CORRUPT */
export const readBlock = (row: Row | undefined): StoredBlock | null => {
  if (row === undefined) return null
  try {
    return {
      hash: toHex(bytesOf(row, 'hash')),
      header: decodeHeader(bytesOf(row, 'header')),
      extrinsics: decodeBody(bytesOf(row, 'extrinsics')),
    }
  } catch (cause) {
    throw new SubnetError({
      code: 'CHAIN_DATA_CORRUPT',
      message: `Block ${numberOf(row, 'number')} does not decode; restore the folder from a copy or an export, or begin anew in another one`,
      cause,
    })
  }
}

/** Encodes extrinsics. */
export const encodeBody = (extrinsics: readonly Uint8Array[]): Uint8Array =>
  concatBytes(compact(extrinsics.length), ...extrinsics.map(vec))

/** Decodes extrinsics. @throws CHAIN_SCALE */
export const decodeBody = (encoded: Uint8Array): readonly Uint8Array[] => {
  const source = reader(encoded)
  return Array.from({ length: source.compact() }, () => source.vec().slice())
}
