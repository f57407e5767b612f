import { concatBytes } from '@arbor/shared/bytes'
import { toHex } from '@arbor/shared/hex'
import { type Reader, reader } from '../../embedded/scale.ts'
import type { Method, MethodDeps } from '../method.ts'
import { bytesParam, hashParam, textParam } from '../params.ts'
import { versionView } from '../views.ts'

/** Makes the methods that call the runtime. */
export const stateMethods = ({ reads }: Pick<MethodDeps, 'reads'>): Record<string, Method> => {
  const call: Method = ([name, args, hash]) =>
    toHex(reads.call(textParam(name, 'method'), bytesParam(args, 'arguments'), hashParam(hash)))
  const getMetadata: Method = ([hash]) =>
    toHex(reader(reads.call('Metadata_metadata', new Uint8Array(), hashParam(hash))).vec())
  const getRuntimeVersion: Method = ([hash]) =>
    versionView(reads.call('Core_version', new Uint8Array(), hashParam(hash)))

  return {
    state_call: call,
    state_callAt: call,
    state_getMetadata: getMetadata,
    state_getRuntimeVersion: getRuntimeVersion,
    chain_getRuntimeVersion: getRuntimeVersion,
    ...paymentMethods({ reads }),
  }
}

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
