import { concatBytes } from '@arbor/shared/bytes'
import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import { type Reader, reader } from '../../embedded/scale.ts'
import { RPC, RpcError } from '../error.ts'
import type { Method, MethodDeps } from '../method.ts'
import { bytesParam, hashParam, listParam, numberParam, textParam } from '../params.ts'
import { versionView } from '../views.ts'

/** Most keys of one page. @source sc-rpc state/mod.rs STORAGE_KEYS_PAGED_MAX_COUNT */
const MAX_PAGE = 1000

/** Makes the methods that read state and call the runtime. */
export const stateMethods = ({ reads }: Pick<MethodDeps, 'reads'>): Record<string, Method> => {
  const read = (key: unknown, hash: unknown): Uint8Array | undefined =>
    reads.state(hashParam(hash)).get(bytesParam(key, 'key'))

  const getStorage: Method = ([key, hash]) => hexOrNull(read(key, hash))
  const getStorageSize: Method = ([key, hash]) => read(key, hash)?.length ?? null
  const getStorageHash: Method = ([key, hash]) => {
    const value = read(key, hash)
    return value === undefined ? null : toHex(blake2b256(value))
  }
  const queryStorageAt: Method = ([keys, hash]) => {
    const block = reads.hash(hashParam(hash))
    const state = reads.state(block)
    const changes = listParam(keys, 'keys').map((key) => [key, hexOrNull(state.get(bytesParam(key, 'key')))])
    return [{ block, changes }]
  }
  const getKeysPaged: Method = ([prefix, size, start, hash]) => {
    const count = numberParam(size, 'count')
    if (count > MAX_PAGE) throw tooManyKeys(count)
    const startKey = start === undefined || start === null ? undefined : bytesParam(start, 'start key')
    const prefixBytes = prefix === undefined || prefix === null ? new Uint8Array() : bytesParam(prefix, 'prefix')
    return reads
      .state(hashParam(hash))
      .keys(prefixBytes, startKey === undefined ? { count } : { count, startKey })
      .map(toHex)
  }
  const call: Method = ([name, args, hash]) =>
    toHex(reads.call(textParam(name, 'method'), bytesParam(args, 'arguments'), hashParam(hash)))
  const getMetadata: Method = ([hash]) =>
    toHex(reader(reads.call('Metadata_metadata', new Uint8Array(), hashParam(hash))).vec())
  const getRuntimeVersion: Method = ([hash]) =>
    versionView(reads.call('Core_version', new Uint8Array(), hashParam(hash)))

  return {
    state_call: call,
    state_callAt: call,
    state_getKeysPaged: getKeysPaged,
    state_getKeysPagedAt: getKeysPaged,
    state_getMetadata: getMetadata,
    state_getRuntimeVersion: getRuntimeVersion,
    chain_getRuntimeVersion: getRuntimeVersion,
    state_getStorage: getStorage,
    state_getStorageAt: getStorage,
    state_getStorageHash: getStorageHash,
    state_getStorageHashAt: getStorageHash,
    state_getStorageSize: getStorageSize,
    state_getStorageSizeAt: getStorageSize,
    state_queryStorageAt: queryStorageAt,
    ...childStateMethods,
    ...paymentMethods({ reads }),
  }
}

/** The runtime keeps no child tries, so each of these names a trie that is not there. */
const noChildTrie: Method = () => {
  throw new RpcError({ code: RPC.client, message: 'Client error: Invalid child storage key' })
}

const childStateMethods: Record<string, Method> = Object.fromEntries(
  ['getKeys', 'getKeysPaged', 'getStorage', 'getStorageEntries', 'getStorageHash', 'getStorageSize'].map((name) => [
    `childstate_${name}`,
    noChildTrie,
  ]),
)

const CLASSES = ['normal', 'operational', 'mandatory'] as const

/** Makes the methods that price an extrinsic. @source pallet-transaction-payment-rpc */
const paymentMethods = ({ reads }: Pick<MethodDeps, 'reads'>): Record<string, Method> => {
  const ask = (method: string, extrinsic: unknown, hash: unknown) => {
    const bytes = bytesParam(extrinsic, 'extrinsic')
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, bytes.length, true)
    return reader(reads.call(`TransactionPaymentApi_${method}`, concatBytes(bytes, length), hashParam(hash)))
  }
  return {
    payment_queryInfo: ([extrinsic, hash]) => {
      const answer = ask('query_info', extrinsic, hash)
      const weight = { ref_time: answer.compact(), proof_size: answer.compact() }
      return { weight, class: CLASSES[answer.u8()] ?? 'normal', partialFee: balance(answer, answer.left).toString() }
    },
    payment_queryFeeDetails: ([extrinsic, hash]) => {
      const answer = ask('query_fee_details', extrinsic, hash)
      if (answer.u8() === 0) return { inclusionFee: null }
      const width = answer.left / 4 // three fees and the tip
      const [baseFee, lenFee, adjustedWeightFee] = [1, 2, 3].map(() => `0x${balance(answer, width).toString(16)}`)
      return { inclusionFee: { baseFee, lenFee, adjustedWeightFee } }
    },
  }
}

/** Reads a balance of as many bytes as the runtime gives it: 8 here, 16 in most others. */
const balance = (answer: Reader, width: number): bigint =>
  answer.bytes(width).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

const hexOrNull = (value: Uint8Array | undefined): string | null => (value === undefined ? null : toHex(value))

const tooManyKeys = (count: number): RpcError =>
  new RpcError({
    code: RPC.countTooLarge,
    message: `count exceeds maximum value. value: ${count}, max: ${MAX_PAGE}`,
  })
