import { blake256 } from '../hash.ts'
import { toKey } from '../key.ts'
import { isRight, type Signed } from './signature.ts'
import type { VerifyThread } from './verify-thread.ts'

/** The signature checks of a chain: each signature is verified once, if possible in another thread. */
export interface SignatureChecks {
  /** Answers the runtime: from memory, or by verifying here and now. */
  verify(signed: Signed): boolean
  /**
   * Runs the runtime as if all signatures were right, and says whether they are. Those that were not known are verified in
   * the thread, and are known from then on.
   * @throws CHAIN_CHECKS_FULL when too many signatures wait for the thread
   */
  postpone<Result>(run: () => Result): { readonly result: Result; readonly areRight: () => Promise<boolean> }
  close(): Promise<void>
}

/** Signatures remembered, some 300 bytes each; one is asked for on entry to the pool, on building a block, and on checking it. */
const REMEMBERED = 8_192
/** Longer messages are remembered by their hash. */
const LONGEST_MESSAGE = 256

/**
 * Creates the checks. Right signatures are remembered by everything that the answer depends on; wrong ones are not.
 * @param of.thread null: all are verified in this thread
 */
export const createSignatureChecks = ({ thread }: { readonly thread: VerifyThread | null }): SignatureChecks => {
  const right = new Set<string>()
  let postponed: Signed[] | null = null

  const remember = (question: string): void => {
    right.add(question)
    for (const oldest of right) {
      if (right.size <= REMEMBERED) return
      right.delete(oldest)
    }
  }
  const verify = (signed: Signed): boolean => {
    const question = questionOf(signed)
    if (right.has(question)) return true
    if (postponed !== null) {
      postponed.push(signed)
      return true
    }
    if (!isRight(signed)) return false
    remember(question)
    return true
  }
  const verifyLater = async (signed: Signed, by: VerifyThread): Promise<boolean> => {
    const answer = await by.verify(signed)
    if (answer) remember(questionOf(signed))
    return answer
  }
  return {
    verify,
    postpone: (run) => {
      if (thread === null) return { result: run(), areRight: async () => true }
      const open: Signed[] = []
      postponed = open
      try {
        const result = run()
        return {
          result,
          areRight: async () => (await Promise.all(open.map((signed) => verifyLater(signed, thread)))).every(Boolean),
        }
      } finally {
        postponed = null
      }
    },
    close: async () => thread?.close(),
  }
}

const questionOf = ({ kind, publicKey, message, signature }: Signed): string =>
  kind +
  toKey(publicKey) +
  toKey(signature) +
  (message.length > LONGEST_MESSAGE ? `#${toKey(blake256(message))}` : toKey(message))
