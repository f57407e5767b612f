import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { blake2AsU8a, xxhashAsU8a } from '@polkadot/util-crypto'
import { createReader, type Reader } from '../../src/client/reader.ts'
import type { Runtime } from '../../src/client/runtime.ts'

/** Little-endian bytes of a number. */
export const le = (value: bigint | number, bytes: number): Uint8Array => {
  const out = new Uint8Array(bytes)
  for (let index = 0, rest = BigInt(value); index < bytes; index += 1, rest >>= 8n) out[index] = Number(rest & 255n)
  return out
}

/** Key of a storage item from first principles: hashes of the names, then each key behind its hasher. */
export const keyOf = (name: string, ...keys: Uint8Array[]): Hex => {
  const [pallet = '', item = ''] = name.split('.')
  return toHex(Buffer.concat([xxhashAsU8a(pallet, 128), xxhashAsU8a(item, 128), ...keys]))
}

/** A key behind Blake2_128Concat. */
export const blake = (key: Uint8Array): Uint8Array => Buffer.concat([blake2AsU8a(key, 128), key])

/** A key behind Twox64Concat. */
export const twox = (key: Uint8Array): Uint8Array => Buffer.concat([xxhashAsU8a(key, 64), key])

/** Reads from a state of raw bytes with the codecs of a runtime, as from a chain node. */
export function readerOf(
  runtime: Runtime,
  state: ReadonlyMap<Hex, Hex>,
  calls: Readonly<Record<string, Hex>> = {},
): Reader {
  const request = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    if (method === 'state_queryStorageAt')
      return [{ block: params[1], changes: (params[0] as Hex[]).map((key) => [key, state.get(key) ?? null]) }]
    if (method === 'state_getKeysPaged') {
      const [prefix, count, start] = params as [string, number, string | null]
      const keys = [...state.keys()].filter((key) => key.startsWith(prefix) && (start === null || key > start)).sort()
      return keys.slice(0, count)
    }
    if (method === 'state_call') return calls[String(params[0])]
    throw new Error(`no ${method} here`)
  }
  return createReader({ socket: { request }, runtime, onUpgrade: () => {} })
}
