import { Worker } from 'node:worker_threads'
import { toBytes } from '@arbor/shared/bytes'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Signer } from '@arbor/shared/signer'
import { createBudget } from '@arbor/shared/supervise'
import type { Block } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { Logger } from 'pino'
import type { PlannedTask } from '../plan.ts'
import type { Answer } from './answer.ts'
import { type FromThread, owned, type ThreadData, type ToThread } from './messages.ts'
import { createOutbox, type Outbox } from './outbox.ts'

/** The client that asks miners. */
export interface Dendrite {
  /**
   * Asks one miner; every way in which it can fail is a value. Rejects with the signal's reason when it aborts first.
   * @param onChunk takes the text of a streamed answer as it comes, where the task has a stream; what it took is worth nothing
   *   unless the answer that follows is one
   * @throws DENDRITE_DEAD
   */
  ask(task: PlannedTask, signal: AbortSignal, onChunk?: (text: Uint8Array) => void): Promise<Answer>
  /** Says in which block our hotkey was registered; needed before the first question, and whenever it changes. */
  registered(at: Block): void
  close(): Promise<void>
}

export interface DendriteDeps extends Omit<ThreadData, 'spec' | 'hotkey'> {
  readonly spec: SubnetSpec
  /** The spec's name or the path of its module, which the thread loads again. */
  readonly specifier: string
  readonly signer: Signer
  readonly clock: Clock
  readonly log: Logger
}

interface Pending {
  readonly settle: (answer: Answer) => void
  readonly onChunk: ((text: Uint8Array) => void) | undefined
}

/** Objects of 4 096 questions in flight take a third of it; a thread that needs more than all of it ends alone. */
const MAX_HEAP_MB = 1_024
/** A thread that dies this often is broken. */
const BUDGET = { failures: 5, withinMs: 600_000 }

/**
 * Opens the client that asks miners, in a thread of its own. A thread that dies costs the questions in flight, which then have
 * no answer for a reason of ours; another is started.
 */
export function openDendrite({ spec, specifier, signer, clock, log, ...settings }: DendriteDeps): Dendrite {
  const data: ThreadData = {
    ...settings,
    spec: specifier,
    hotkey: { address: signer.address, publicKey: signer.publicKey },
  }
  const spend = createBudget({ name: 'dendrite', budget: BUDGET, clock })
  const pending = new Map<number, Pending>()
  let asked = 0
  let registeredAt: Block | null = null
  let dead: SubnetError | null = null
  let closed = false
  let { worker, outbox } = start()

  function start(): { readonly worker: Worker; readonly outbox: Outbox<ToThread> } {
    const started = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: data,
      name: 'dendrite',
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    })
    let failure: unknown = new Error('the thread ended')
    started.on('message', (messages: readonly FromThread[]) => messages.forEach(receive))
    started.on('error', (error) => {
      failure = error
    })
    started.on('exit', () => ended(failure))
    const send = (messages: readonly ToThread[], handOver: readonly ArrayBuffer[]): void =>
      started.postMessage(messages, [...handOver])
    return { worker: started, outbox: createOutbox({ send }) }
  }

  function ended(failure: unknown): void {
    if (closed) return
    const why = failure instanceof Error ? failure.message : String(failure)
    log.error({ event: 'dendrite.crashed', asked: pending.size, error: why }, `the dendrite's thread ended: ${why}`)
    for (const { settle } of pending.values())
      settle({ kind: 'ours', reason: 'thread', why: 'the thread that asked ended' })
    pending.clear()
    try {
      spend(failure)
    } catch (cause) {
      dead = new SubnetError({
        code: 'DENDRITE_DEAD',
        message: `the thread that asks miners ended too often, last: ${why}; start the validator again and report this`,
        cause,
      })
      return
    }
    ;({ worker, outbox } = start())
    if (registeredAt !== null) tell({ kind: 'registered', at: registeredAt })
  }

  function tell(message: ToThread, handOver?: ArrayBuffer): void {
    outbox.post(message, handOver)
  }

  function receive(message: FromThread): void {
    if (message.kind === 'settled') {
      pending.get(message.id)?.settle(message.answer)
      pending.delete(message.id)
    } else if (message.kind === 'chunk') pending.get(message.id)?.onChunk?.(message.bytes)
    else if (message.kind === 'log') log[message.level](message.fields, message.text)
    else void sign(message)
  }

  async function sign({ id, message, purpose }: Extract<FromThread, { kind: 'sign' }>): Promise<void> {
    try {
      tell({ kind: 'signed', id, signature: await signer.sign(message, purpose) })
    } catch (error) {
      const { code = 'SIGNER_FAILED', message: text = 'the hotkey did not sign' } = Object(
        error,
      ) as Partial<SubnetError>
      tell({ kind: 'not-signed', id, code, message: text })
    }
  }

  async function ask(task: PlannedTask, signal: AbortSignal, onChunk?: (text: Uint8Array) => void): Promise<Answer> {
    signal.throwIfAborted()
    if (dead !== null) throw dead
    const definition = spec.tasks[task.task]
    if (definition === undefined) throw new Error(`the spec ${spec.name} has no task ${task.task}`)
    const id = asked++
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const onAbort = (): void => {
      pending.delete(id)
      tell({ kind: 'abort', id })
      reject(signal.reason)
    }
    const { axon, hotkey, registeredAt: minerSince } = task
    const body = owned(toBytes(JSON.stringify(task.request)))
    pending.set(id, { settle: resolve, onChunk })
    signal.addEventListener('abort', onAbort, { once: true })
    tell(
      {
        kind: 'ask',
        id,
        task: task.task,
        hotkey,
        registeredAt: minerSince,
        address: { ip: axon.ip, port: axon.port },
        isOwn: task.isOwn === true,
        version: axon.version,
        body,
        deadlineMs: definition.deadlineMs,
        maxResponseBytes: definition.maxResponseBytes,
        wantsChunks: onChunk !== undefined && definition.stream === true,
      },
      body.buffer,
    )
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  return {
    ask,
    registered: (at) => {
      if (at === registeredAt) return
      registeredAt = at
      tell({ kind: 'registered', at })
    },
    close: async () => {
      closed = true
      for (const { settle } of pending.values())
        settle({ kind: 'ours', reason: 'thread', why: 'the dendrite is closed' })
      pending.clear()
      await worker.terminate()
    },
  }
}
