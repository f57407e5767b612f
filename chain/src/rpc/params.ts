import { fromHex, isHex } from '@arbor/shared/hex'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Hex } from '@arbor/shared/units'
import { reader } from '../embedded/scale.ts'
import { invalidParams, RPC, RpcError } from './error.ts'

/** Reads bytes; Bittensor's clients send the arguments of runtime calls without 0x. */
export const bytesParam = (value: unknown, name: string): Uint8Array => {
  if (typeof value === 'string') {
    const text = value.startsWith('0x') ? value : `0x${value}`
    if (isHex(text)) return fromHex(text)
  }
  throw invalidParams(`${name} must be hexadecimal of whole bytes`)
}

/** Reads an extrinsic: its length, then so many bytes. What they mean is the runtime's to say. */
export const extrinsicParam = (value: unknown): Uint8Array => {
  const bytes = bytesParam(value, 'extrinsic')
  const fault = lengthFault(bytes)
  if (fault === null) return bytes
  throw new RpcError({ code: RPC.badFormat, message: `Extrinsic has invalid format: ${fault}` })
}

/** Says in parity-scale-codec's words what is wrong with the length prefix. */
const lengthFault = (bytes: Uint8Array): string | null => {
  try {
    const read = reader(bytes)
    const length = read.compact()
    if (length === read.left) return null
    return length < read.left ? 'Input buffer has still data left after decoding!' : 'Not enough data to fill buffer'
  } catch {
    return 'Not enough data to fill buffer'
  }
}

/** Reads a block hash; null and absent mean the best block. */
export const hashParam = (value: unknown, name = 'hash'): Hex | null => {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') {
    const text = (value.startsWith('0x') ? value : `0x${value}`).toLowerCase()
    if (isHex(text, 32)) return text
  }
  throw invalidParams(`${name} must be 32 bytes of hexadecimal, or null`)
}

/** Reads a number given as such, as decimal text, or as hexadecimal text. */
export const numberParam = (value: unknown, name: string): number => {
  const number = typeof value === 'string' && /^(0x[0-9a-f]+|\d+)$/i.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw invalidParams(`${name} must be a number from 0`)
}

export const textParam = (value: unknown, name: string): string => {
  if (typeof value === 'string') return value
  throw invalidParams(`${name} must be text`)
}

export const listParam = (value: unknown, name: string): readonly unknown[] => {
  if (Array.isArray(value)) return value
  throw invalidParams(`${name} must be a list`)
}

/** Reads yes or no; absent and null mean no. */
export const flagParam = (value: unknown, name: string): boolean => {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  throw invalidParams(`${name} must be true or false`)
}

/** Reads an SS58 address or a public key in hexadecimal. */
export const accountParam = (value: unknown): Uint8Array => {
  if (typeof value === 'string' && isHex(value, 32)) return fromHex(value)
  try {
    return decodeSs58(textParam(value, 'account'))
  } catch (error) {
    throw invalidParams(error instanceof Error ? error.message : 'account must be an SS58 address')
  }
}
