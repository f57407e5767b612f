import { toKey } from '../key.ts'
import type { HostContext } from './host/context.ts'

/** Signatures remembered; one is asked for on entry to the pool, on building a block, and on checking it. */
const REMEMBERED = 8_192
/** Payloads above 256 bytes are signed by their hash, so longer messages are rare. */
const LONGEST_MESSAGE = 512

/**
 * Remembers which signatures were right, so that each is computed once (0.2 ms) though the runtime asks three times. The
 * key is everything that the answer depends on; wrong signatures are not remembered.
 */
export const rememberVerified = (verify: HostContext['verifySr25519']): HostContext['verifySr25519'] => {
  const right = new Set<string>()
  return (publicKey, message, signature) => {
    if (message.length > LONGEST_MESSAGE) return verify(publicKey, message, signature)
    const question = toKey(publicKey) + toKey(signature) + toKey(message)
    if (right.has(question)) return true
    if (!verify(publicKey, message, signature)) return false
    if (right.size >= REMEMBERED) right.clear()
    right.add(question)
    return true
  }
}
