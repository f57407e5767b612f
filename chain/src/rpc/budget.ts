import { RPC, RpcError } from './error.ts'

/** Bytes of values in one answer; twice as many characters. */
const MAX_VALUES = 16 * 1024 * 1024

/** Counts what an answer grows by, so that a short question cannot ask for more than the process can hold. */
export const createBudget = (max = MAX_VALUES): { spend(bytes: number): void } => {
  let left = max
  return {
    spend: (bytes) => {
      left -= bytes
      if (left >= 0) return
      const data = `Exceeded max limit of ${max}`
      throw new RpcError({ code: RPC.answerTooBig, message: 'Response is too big', data })
    },
  }
}
