/** Collects messages for another thread, which wakes it once for many of them. */
export interface Outbox<Message> {
  /** @param handOver memory that moves along instead of being copied */
  post(message: Message, handOver?: ArrayBuffer): void
}

/** Messages that go together at most; more would keep the first of them waiting for nothing. */
const MOST = 64
/** Smaller bodies are copied for less than handing over their memory costs. */
const HAND_OVER_BYTES = 16_384

/**
 * Creates an outbox that is emptied after each pass of the event loop, or later while there is more to come.
 * @param of.isBusy whether more messages are about to be posted
 */
export const createOutbox = <Message>(of: {
  readonly send: (messages: readonly Message[], handOver: readonly ArrayBuffer[]) => void
  readonly isBusy?: () => boolean
}): Outbox<Message> => {
  let messages: Message[] = []
  let handOver: ArrayBuffer[] = []
  const flush = (): void => {
    if (messages.length < MOST && of.isBusy?.() === true) {
      setImmediate(flush)
      return
    }
    const [out, memory] = [messages, handOver]
    messages = []
    handOver = []
    of.send(out, memory)
  }
  return {
    post: (message, memory) => {
      messages.push(message)
      if (memory !== undefined && memory.byteLength >= HAND_OVER_BYTES) handOver.push(memory)
      if (messages.length === 1) setImmediate(flush)
    },
  }
}
