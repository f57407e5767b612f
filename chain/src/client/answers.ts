import { type HeadRef, isHash, type ReadHeader } from './header.ts'

/** Tells what is wrong with the answer to a request; null when nothing is. */
export type Misfit = (method: string, params: readonly unknown[], result: unknown) => string | null

const isHex = (value: unknown): boolean => typeof value === 'string' && /^0x(?:[0-9a-f]{2})*$/i.test(value)
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/**
 * Creates the check of answers: whatever an endpoint mixes up must not be taken for the chain's state.
 * What a method is not listed for is taken as it is.
 */
export const createMisfit = (readHeader: ReadHeader): Misfit => {
  const hashOf = (json: unknown): HeadRef | null => {
    try {
      return readHeader(json)
    } catch {
      return null
    }
  }
  const checks: Readonly<Record<string, (params: readonly unknown[], result: unknown) => string | null>> = {
    chain_getBlockHash: (_, result) => (result === null || isHash(result) ? null : 'no hash'),
    chain_getFinalizedHead: (_, result) => (isHash(result) ? null : 'no hash'),
    chain_getHeader: ([hash], result) => {
      if (result === null) return hash === undefined ? 'no header of the best block' : null
      const header = hashOf(result)
      if (header === null) return 'no header'
      return hash === undefined || hash === null || header.hash === hash ? null : `the header of ${header.hash}`
    },
    chain_getBlock: ([hash], result) => {
      if (result === null) return null
      const { header, extrinsics } = ((result as { block?: object }).block ?? {}) as Record<string, unknown>
      if (!Array.isArray(extrinsics)) return 'no block'
      const found = hashOf(header)
      return found?.hash === hash ? null : 'another block'
    },
    state_getRuntimeVersion: (_, result) =>
      isObject(result) && Number.isInteger(Reflect.get(result, 'specVersion')) ? null : 'no version',
    state_getMetadata: (_, result) => (isHex(result) ? null : 'no bytes'),
    state_call: (_, result) => (isHex(result) ? null : 'no bytes'),
    state_queryStorageAt: ([keys, at], result) => storageMisfit(keys as readonly string[], at, result),
    state_getKeysPaged: ([prefix], result) =>
      Array.isArray(result) && result.every((key) => isHex(key) && key.startsWith(String(prefix))) ? null : 'no keys',
    system_accountNextIndex: (_, result) => (Number.isSafeInteger(result) && Number(result) >= 0 ? null : 'no nonce'),
  }
  return (method, params, result) => {
    if (/_subscribe|AndWatch/.test(method))
      return typeof result === 'string' || typeof result === 'number' ? null : 'no subscription'
    return checks[method]?.(params, result) ?? null
  }
}

/** Every key that was asked for must be there, of the block that was asked for: what is left out would be read as absent. */
const storageMisfit = (keys: readonly string[], at: unknown, result: unknown): string | null => {
  if (!Array.isArray(result)) return 'no storage'
  const found = new Set<unknown>()
  for (const set of result) {
    if (!isObject(set) || !Array.isArray(Reflect.get(set, 'changes'))) return 'no storage'
    if (at !== undefined && Reflect.get(set, 'block') !== at) return `the storage of block ${Reflect.get(set, 'block')}`
    for (const change of Reflect.get(set, 'changes') as readonly unknown[]) {
      if (!Array.isArray(change) || !(change[1] === null || isHex(change[1]))) return 'no storage'
      found.add(change[0])
    }
  }
  const missing = keys.filter((key) => !found.has(key)).length
  return missing === 0 ? null : `storage without ${missing} of ${keys.length} keys`
}
