import { setImmediate as turn } from 'node:timers/promises'
import { asRpcError, RPC, RpcError } from './error.ts'
import type { Method, MethodDeps, SubscriptionMethod } from './method.ts'
import { authorMethods, authorSubscriptions } from './methods/author.ts'
import { chainMethods } from './methods/chain.ts'
import { engineMethods } from './methods/engine.ts'
import { chainSubscriptions } from './methods/heads.ts'
import { stateMethods } from './methods/state.ts'
import { systemMethods } from './methods/system.ts'
import { createReads } from './reads.ts'
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

type Id = string | number | null

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
    ...systemMethods(deps),
    ...authorMethods(deps),
    ...(deps.maker ? engineMethods(deps.maker) : {}),
    rpc_methods: () => ({ methods: names }),
  }
  const names = [...Object.keys(table), ...Object.keys(subscriptions), ...unsubscribes].sort()
  const methods = new Map(Object.entries(table))
  const starters = new Map(Object.entries(subscriptions))

  const perform = (method: string, params: readonly unknown[], session: Session | null): unknown => {
    const plain = methods.get(method)
    if (plain) return plain(params)
    const starter = starters.get(method)
    if (!starter && !unsubscribes.has(method)) {
      throw new RpcError({ code: RPC.methodNotFound, message: 'Method not found' })
    }
    if (session === null) {
      throw new RpcError({
        code: RPC.methodNotFound,
        message: 'Method not found',
        data: 'Subscriptions need a WebSocket connection',
      })
    }
    return starter ? session.subscribe(starter, params) : session.unsubscribe(params[0])
  }

  const answer = async (request: unknown, session: Session | null): Promise<string | null> => {
    const read = readRequest(request)
    if (!read.ok) return errorText(read.id, new RpcError({ code: RPC.invalidRequest, message: 'Invalid request' }))
    try {
      const result = await perform(read.method, read.params, session)
      return read.notification ? null : JSON.stringify({ jsonrpc: '2.0', id: read.id, result: result ?? null })
    } catch (error) {
      const refusal = asRpcError(error)
      if (refusal.rpcCode === RPC.internal) {
        deps.log.error({ event: 'rpc.internal_error', method: read.method, err: refusal.cause })
      }
      return read.notification ? null : errorText(read.id, refusal)
    }
  }

  const handle: Dispatcher['handle'] = async (text, session) => {
    let message: unknown
    try {
      message = JSON.parse(text)
    } catch {
      return errorText(null, new RpcError({ code: RPC.parse, message: 'Parse error' }))
    }
    if (!Array.isArray(message)) return answer(message, session)
    if (message.length === 0 || message.length > MAX_BATCH) {
      const data = `a batch holds 1 to ${MAX_BATCH} requests`
      return errorText(null, new RpcError({ code: RPC.invalidRequest, message: 'Invalid request', data }))
    }
    const answers: string[] = []
    let size = 0
    for (const request of message) {
      const one = size < MAX_BATCH_ANSWER ? await answer(request, session) : tooMuch(request)
      if (one !== null) answers.push(one)
      size += one?.length ?? 0
      await turn() // blocks and other clients come in between
    }
    return answers.length === 0 ? null : `[${answers.join(',')}]`
  }

  return { handle, methods: names }
}

const tooMuch = (request: unknown): string => {
  const { id } = readRequest(request)
  const data = `the answers of one batch exceed ${MAX_BATCH_ANSWER} characters; ask in smaller batches`
  return errorText(id, new RpcError({ code: RPC.answerTooBig, message: 'Response is too big', data }))
}

type Read =
  | {
      readonly ok: true
      readonly id: Id
      readonly method: string
      readonly params: readonly unknown[]
      readonly notification: boolean
    }
  | { readonly ok: false; readonly id: Id }

/** Reads a request object; ids go back exactly as they came. */
const readRequest = (value: unknown): Read => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { ok: false, id: null }
  const request: { id?: unknown; method?: unknown; params?: unknown; jsonrpc?: unknown } = value
  const id = isId(request.id) ? request.id : null
  const params = request.params ?? []
  const wellFormed =
    request.jsonrpc === '2.0' &&
    typeof request.method === 'string' &&
    Array.isArray(params) &&
    (request.id === undefined || isId(request.id))
  if (!wellFormed) return { ok: false, id }
  return { ok: true, id, method: String(request.method), params, notification: request.id === undefined }
}

const isId = (id: unknown): id is Id => id === null || typeof id === 'string' || typeof id === 'number'

export const errorText = (id: Id, { rpcCode, message, data }: RpcError): string =>
  JSON.stringify({ jsonrpc: '2.0', id, error: { code: rpcCode, message, ...(data === undefined ? {} : { data }) } })
