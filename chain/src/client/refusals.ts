import type { SubnetError } from '@arbor/shared/errors'
import type { Submission } from './types.ts'

type Refused = Extract<Submission, { status: 'refused' }>

/** Texts of sp_runtime's InvalidTransaction and UnknownTransaction, with our names and whether a later try may succeed. */
const TEXTS: readonly (readonly [pattern: RegExp, name: string, retryable: boolean])[] = [
  [/inability to pay|balance too low/i, 'InvalidTransaction.Payment', false],
  [/outdated|stale/i, 'InvalidTransaction.Stale', true],
  [/will be valid in the future|future/i, 'InvalidTransaction.Future', true],
  [/bad signature|bad proof/i, 'InvalidTransaction.BadProof', false],
  [/ancient birth block/i, 'InvalidTransaction.AncientBirthBlock', true],
  [/exhaust the block limits|exhausts? resources/i, 'InvalidTransaction.ExhaustsResources', true],
  [/bad mandatory|mandatory/i, 'InvalidTransaction.BadMandatory', false],
  [/invalid signing address|bad signer/i, 'InvalidTransaction.BadSigner', false],
  [/call is not expected/i, 'InvalidTransaction.Call', false],
]

/** Custom validity errors that Bittensor's clients know by number. */
const CUSTOM: Readonly<Record<number, readonly [name: string, retryable: boolean]>> = {
  1: ['StakeTooLow', false],
  3: ['SubnetNotExists', false],
  4: ['HotKeyAccountNotExists', false],
  6: ['TxRateLimitExceeded', true],
  10: ['NotRegisteredInNetwork', false],
  11: ['InvalidIpAddress', false],
  12: ['ServingRateLimitExceeded', true],
  13: ['InvalidPort', false],
  18: ['InputLengthsUnequal', false],
  19: ['UidNotFound', false],
  25: ['NonAssociatedColdKey', false],
  26: ['DelegateTakeTooLow', false],
  27: ['DelegateTakeTooHigh', false],
  255: ['BadRequest', false],
}

/** The transaction pool's own refusals. */
const POOL: Readonly<Record<number, readonly [name: string, retryable: boolean]>> = {
  1011: ['UnknownTransaction', true],
  1012: ['Pool.TemporarilyBanned', true],
  1013: ['Pool.AlreadyImported', false],
  1014: ['Pool.PriorityTooLow', true],
  1015: ['Pool.CycleDetected', false],
  1016: ['Pool.ImmediatelyDropped', true],
  1018: ['Pool.Unactionable', false],
  1021: ['Pool.NonceConflict', true],
}

/** Reads a pool's refusal from the RPC error; null when the error is none. */
export function asRefusal(error: SubnetError): Refused | null {
  const code = Number(error.details.rpcCode)
  if (error.code !== 'CHAIN_RPC') return null
  const text = `${error.details.rpcData ?? ''} ${error.details.rpcMessage ?? ''}`
  if (code === 1010) return invalid(code, text)
  const known = POOL[code]
  return known ? { status: 'refused', code, error: known[0], retryable: known[1] } : null
}

const invalid = (code: number, text: string): Refused => {
  const custom = /custom error:?\s*(\d+)/i.exec(text)?.[1]
  if (custom !== undefined) {
    const [name, retryable] = CUSTOM[Number(custom)] ?? [`Custom${custom}`, false]
    return { status: 'refused', code, error: `InvalidTransaction.${name}`, retryable }
  }
  const found = TEXTS.find(([pattern]) => pattern.test(text))
  return { status: 'refused', code, error: found?.[1] ?? 'InvalidTransaction', retryable: found?.[2] ?? false }
}
