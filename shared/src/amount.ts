import { SubnetError } from './errors.ts'

/** Smallest units in one TAO or one alpha. */
const UNIT = 1_000_000_000n
/** Amounts on the chain are u64. */
const MAX = 2n ** 64n - 1n

/**
 * Reads a decimal amount of TAO or alpha exactly, as "1.5" → 1 500 000 000 of the smallest unit.
 * @throws AMOUNT_INVALID for anything but a positive decimal of at most nine places that fits the chain's u64
 */
export function parseAmount(text: string): bigint {
  const found = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text)
  const value = found === null ? 0n : BigInt(found[1] ?? '0') * UNIT + BigInt((found[2] ?? '').padEnd(9, '0'))
  if (value <= 0n || value > MAX) {
    throw new SubnetError({
      code: 'AMOUNT_INVALID',
      message: `"${text}" is no amount; give a positive decimal with at most nine places, as 1.5`,
    })
  }
  return value
}

/** Writes an amount exactly, without trailing zeros. */
export function formatAmount(amount: bigint): string {
  const sign = amount < 0n ? '-' : ''
  const size = amount < 0n ? -amount : amount
  const places = (size % UNIT).toString().padStart(9, '0').replace(/0+$/, '')
  return `${sign}${size / UNIT}${places === '' ? '' : `.${places}`}`
}
