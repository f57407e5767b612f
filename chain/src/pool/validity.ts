import type { Validity } from '../embedded/types.ts'

type Refused = Extract<Validity, { valid: false }>

/** Variants of sp_runtime InvalidTransaction, by index. */
const INVALID = [
  'Transaction call is not expected',
  'Inability to pay some fees (e.g. account balance too low)',
  'Transaction will be valid in the future',
  'Transaction is outdated',
  'Transaction has a bad signature',
  'Transaction has an ancient birth block',
  'Transaction would exhaust the block limits',
  'InvalidTransaction custom error',
  'A call was labelled as mandatory, but resulted in an Error.',
  'Transaction dispatch is mandatory; transactions must not be validated.',
  'Invalid signing address',
  'The implicit data was unable to be calculated',
  'The transaction extension did not authorize any origin',
] as const

/** Variants of sp_runtime UnknownTransaction as Rust's Debug writes them, by index. */
const UNKNOWN = ['CannotLookup', 'NoUnsignedValidator'] as const

const FUTURE = 2
const EXHAUSTS_RESOURCES = 6

/** Tells whether a refusal by the block says nothing against a later block. */
export const mayPassLater = (validity: Validity): boolean =>
  validity.valid || validity.kind === 'unknown' || validity.index === FUTURE || validity.index === EXHAUSTS_RESOURCES

/** Writes a refusal in the words that Substrate's RPC gives as `data`. */
export const validityText = ({ kind, index, custom }: Refused): string => {
  if (kind === 'unknown') return custom === null ? (UNKNOWN[index] ?? `Unknown ${index}`) : `Custom(${custom})`
  return custom === null ? (INVALID[index] ?? `Invalid ${index}`) : `Custom error: ${custom}`
}
