import { toHex } from '@arbor/shared/hex'
import { type Reader, reader } from './scale.ts'
import type { Validity } from './types.ts'

/** Index of InvalidTransaction::ExhaustsResources. @source sp_runtime::transaction_validity */
const EXHAUSTS_RESOURCES = 6
/** Index of Custom in InvalidTransaction and in UnknownTransaction. */
const CUSTOM = { invalid: 7, unknown: 2 } as const

/** Tells whether an extrinsic was refused only because this block is full. */
export const isExhausted = (validity: Validity): boolean =>
  !validity.valid && validity.kind === 'invalid' && validity.index === EXHAUSTS_RESOURCES

/** What is said of an extrinsic on which the runtime stopped: Call, "not expected". */
export const TRAPPED: Validity = { valid: false, kind: 'invalid', index: 0, custom: null }

/** What is said of an extrinsic whose signature is wrong: BadProof. */
export const BAD_SIGNATURE: Validity = { valid: false, kind: 'invalid', index: 4, custom: null }

/** Decodes the answer of TaggedTransactionQueue_validate_transaction. @throws CHAIN_SCALE */
export const decodeValidity = (encoded: Uint8Array): Validity => {
  const source = reader(encoded)
  if (source.u8() !== 0) return decodeError(source)
  const priority = source.u64()
  const requires = tags(source)
  const provides = tags(source)
  return { valid: true, priority, requires, provides, longevity: source.u64(), propagate: source.u8() === 1 }
}

/** Decodes the answer of BlockBuilder_apply_extrinsic: null when the extrinsic is in the block, even if its call failed. */
export const decodeApplied = (encoded: Uint8Array): Validity | null => {
  const source = reader(encoded)
  return source.u8() === 0 ? null : decodeError(source)
}

const decodeError = (source: Reader): Validity => {
  const kind = source.u8() === 0 ? 'invalid' : 'unknown'
  const index = source.u8()
  return { valid: false, kind, index, custom: index === CUSTOM[kind] ? source.u8() : null }
}

const tags = (source: Reader): readonly `0x${string}`[] =>
  Array.from({ length: source.compact() }, () => toHex(source.vec()))
