import { setImmediate as turn } from 'node:timers/promises'
import { asRpcError, invalidParams, RPC, RpcError } from './error.ts'
import type { Method, MethodDeps, SubscriptionMethod } from './method.ts'
import { arborMethods } from './methods/arbor.ts'
import { authorMethods, authorSubscriptions } from './methods/author.ts'
import { chainMethods } from './methods/chain.ts'
import { engineMethods } from './methods/engine.ts'
import { chainSubscriptions } from './methods/heads.ts'
import { stateMethods } from './methods/state.ts'
import { storageMethods } from './methods/storage.ts'
import { systemMethods } from './methods/system.ts'
import { createReads } from './reads.ts'
import { errorText, MAX_VALUES, type Message, NO_ID, type Request, readMessage, resultText } from './request.ts'
import type { Session } from './session.ts'

/** Most requests in one batch. */
const MAX_BATCH = 1024
/** Characters of a batch's answers at which the rest of the batch is refused: 32 MiB. */
const MAX_BATCH_ANSWER = 32 * 1024 * 1024

/** Turns request text into response text. */
export interface Dispatcher {
  /**
   * Answers one message, single or batch; null when nothing is to be sent (notifications).
   * @param session keeps the caller's subscriptions; null where the transport cannot carry any
   */
  handle(text: string, session: Session | null): Promise<string | null>
  readonly methods: readonly string[]
}

/** Gathers all methods of the chain. */
export const createDispatcher = (of: Omit<MethodDeps, 'reads'>): Dispatcher => {
  const deps: MethodDeps = { ...of, reads: createReads(of.chain) }
  const subscriptions: Readonly<Record<string, SubscriptionMethod>> = {
    ...chainSubscriptions(deps),
    ...authorSubscriptions(deps),
  }
  const unsubscribes = new Set(Object.values(subscriptions).map(({ unsubscribe }) => unsubscribe))
  const table: Readonly<Record<string, Method>> = {
    ...chainMethods(deps),
    ...stateMethods(deps),
    ...storageMethods(deps),
    ...systemMethods(deps),
    ...authorMethods(deps),
    ...(deps.maker ? engineMethods(deps.maker) : {}),
    ...(deps.forTests ? arborMethods(deps) : {}),
    rpc_methods: () => ({ methods: names }),
  }
  const names = [...Object.keys(table), ...Object.keys(subscriptions), ...unsubscribes].sort()
  const methods = new Map(Object.entries(table))
  const starters = new Map(Object.entries(subscriptions))

  const perform = ({ method, params, notification }: Wellformed, session: Session | null): unknown => {
    const plain = methods.get(method)
    const starter = starters.get(method)
    if (!plain && !starter && !unsubscribes.has(method)) throw noMethod()
    if (params === null) throw invalidParams('params must be a list; this server takes none by name')
    if (plain) return plain(params)
    if (session === null) throw noMethod('Subscriptions need a WebSocket connection')
    if (!starter) return session.unsubscribe(params[0])
    return notification ? null : session.subscribe(starter, params) // nobody would learn its id, nor could end it
  }

  const answer = async (request: Request, session: Session | null): Promise<string | null> => {
    if (!request.ok)
      return errorText(request.id, new RpcError({ code: RPC.invalidRequest, message: 'Invalid request' }))
    try {
      const result = await perform(request, session)
      return request.notification ? null : resultText(request.id, result)
    } catch (error) {
      const refusal = asRpcError(error)
      if (refusal.rpcCode === RPC.internal) {
        deps.log.error({ event: 'rpc.internal_error', method: request.method, err: refusal.cause })
      }
      return request.notification ? null : errorText(request.id, refusal)
    }
  }

  const handle: Dispatcher['handle'] = async (text, session) => {
    const message = readMessage(text)
    if (message.kind === 'garbage') return errorText(NO_ID, new RpcError({ code: RPC.parse, message: 'Parse error' }))
    if (message.kind === 'tooMany') {
      const data = `Exceeded max limit of ${MAX_VALUES} values`
      return errorText(NO_ID, new RpcError({ code: RPC.tooBig, message: 'Request is too big', data }))
    }
    if (message.kind === 'single') return answer(message.request, session)
    const refusal = batchFault(message)
    if (refusal !== null) return errorText(NO_ID, refusal)
    const answers: string[] = []
    let size = 0
    for (let index = 0; index < message.length; index += 1) {
      const request = message.at(index)
      const one = size < MAX_BATCH_ANSWER ? await answer(request, session) : tooMuch(request)
      if (one !== null) answers.push(one)
      size += one?.length ?? 0
      await turn() // blocks and other clients come in between
    }
    return answers.length === 0 ? null : `[${answers.join(',')}]`
  }

  return { handle, methods: names }
}

type Wellformed = Extract<Request, { ok: true }>

const noMethod = (data?: string): RpcError =>
  new RpcError({ code: RPC.methodNotFound, message: 'Method not found', data })

const batchFault = ({ length }: Extract<Message, { kind: 'batch' }>): RpcError | null => {
  if (length === 0) return new RpcError({ code: RPC.invalidRequest, message: 'Invalid request' })
  if (length <= MAX_BATCH) return null
  const data = `Exceeded max limit of ${MAX_BATCH}`
  return new RpcError({ code: RPC.batchTooBig, message: 'The batch request was too large', data })
}

/** Refuses the rest of a batch one by one, so that each caller can tell what was not done. */
const tooMuch = (request: Request): string | null => {
  if (request.ok && request.notification) return null
  const data = `Exceeded max limit of ${MAX_BATCH_ANSWER}`
  const message = 'The batch response was too large'
  return errorText(request.id, new RpcError({ code: RPC.batchAnswerTooBig, message, data }))
}
