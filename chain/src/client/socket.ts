import { type Clock, startDeadline } from '@arbor/shared/clock'
import type { SubnetError } from '@arbor/shared/errors'
import type { Ms } from '@arbor/shared/units'
import type { Misfit } from './answers.ts'
import { createEndpoints, type Endpoint } from './endpoints.ts'
import { closedError, unreachable } from './errors.ts'
import { type Fault, faultOf } from './faults.ts'
import { type Answer, createRequests } from './requests.ts'
import type { ConnectionLimits, Request, RpcSocket } from './socket-types.ts'
import { createSubscriptions } from './subscriptions.ts'
import { openWire, type Wire } from './wire.ts'

/** A request that took longer than its deadline may be unlucky; so many on one connection are the endpoint's doing. */
const MAX_TIMEOUTS = 3

type Message = Answer & { readonly params?: { readonly subscription?: unknown; readonly result?: unknown } }

export interface SocketDeps {
  /** Addresses of the chain in order of preference. */
  readonly urls: readonly string[]
  readonly clock: Clock
  readonly limits: ConnectionLimits
  readonly misfit: Misfit
  /** Runs on each new connection before anything else is sent on it; its error says what is wrong with the endpoint. */
  readonly admit: (request: Request, endpoint: string) => Promise<void>
  /** Hears of each connection that is ready for use, counted from 1. */
  readonly onOpen: (of: { readonly endpoint: string; readonly connections: number }) => void
  /** Hears why a connection ended, or could not be opened. */
  readonly onFault: (of: { readonly endpoint: string; readonly fault: Fault; readonly wasOpen: boolean }) => void
}

/** Opens a connection and keeps it, over one endpoint at a time. */
export function openRpcSocket(deps: SocketDeps): RpcSocket {
  const { clock, limits } = deps
  const endpoints = createEndpoints(deps.urls, limits)
  const dead = new AbortController()
  const opened = Promise.withResolvers<void>()
  opened.promise.catch(() => {})
  let used: Endpoint | null = null
  /** The one that served last. */
  let last: Endpoint | null = null
  let wire: Wire | null = null
  let ready = false
  let connections = 0
  let failovers = 0
  let timeouts = 0
  let lostAt: number = clock.monotonic()
  let heardAt: number = lostAt

  const where = (): string => (used ?? last ?? endpoints.all[0])?.name ?? ''
  const suspect: RpcSocket['suspect'] = (fault, connection) => {
    if (connection === connections && ready) wire?.end(fault)
  }
  const requests = createRequests({
    clock,
    limits,
    misfit: deps.misfit,
    where,
    onTimeout: () => {
      timeouts += 1
      if (timeouts >= MAX_TIMEOUTS && endpoints.all.length > 1)
        suspect({ kind: 'slow', cause: `${timeouts} requests were not answered in time` }, connections)
    },
  })
  const subscriptions = createSubscriptions({ call: requests.call, isReady: () => ready && !dead.signal.aborted })

  const receive = (text: string): void => {
    heardAt = clock.monotonic()
    const wrong = read(text)
    if (wrong !== null) wire?.end({ kind: 'garbled', cause: wrong })
  }
  const read = (text: string): string | null => {
    let message: Message | null
    try {
      message = JSON.parse(text) as Message | null
    } catch {
      return `it sent ${text.length} characters that are no JSON`
    }
    if (typeof message !== 'object' || message === null) return 'it sent what is no message'
    if (message.id !== undefined && message.id !== null) return requests.answer(message)
    if (message.params?.subscription !== undefined)
      subscriptions.notice(message.params.subscription, message.params.result)
    return null
  }

  const lose = (): void => {
    ready = false
    wire = null
    subscriptions.lose()
    requests.detach()
    used = null
  }

  const die = (reason: SubnetError): void => {
    if (dead.signal.aborted) return
    dead.abort(reason)
    opened.reject(reason)
    ready = false
    requests.fail(reason)
    subscriptions.clear()
  }

  /** Opens an endpoint, has it looked at, and serves it until it is lost. */
  const serve = async (endpoint: Endpoint, tryMs: number): Promise<{ fault: Fault; servedMs: number | null }> => {
    const late = (): Error => new Error(`not open within ${Math.round(tryMs)} ms`)
    const deadline = startDeadline({ clock, ms: tryMs as Ms, parent: dead.signal, reason: late })
    let opening: Wire | null = null
    const cutOff = (): void =>
      opening?.end({ kind: dead.signal.aborted ? 'left' : 'unreachable', cause: String(deadline.signal.reason) })
    let openedAt: number | null = null
    try {
      opening = await openWire({
        url: endpoint.url,
        clock,
        handshakeMs: tryMs,
        pingMs: limits.pingMs,
        signal: dead.signal,
        onText: receive,
      })
      wire = opening
      used = endpoint
      const over = opening.over.then((fault) => {
        lose()
        return fault
      })
      requests.attach(opening.send)
      deadline.signal.addEventListener('abort', cutOff, { once: true })
      const admitted = prepare(endpoint)
      const early = await Promise.race([admitted.then(() => null), over])
      if (early !== null) {
        await admitted.catch(() => {}) // what it asked for was rejected when the connection was lost
        return { fault: early, servedMs: null }
      }
      deadline[Symbol.dispose]()
      openedAt = clock.monotonic()
      begin(endpoint)
      const fault = await over
      return { fault, servedMs: clock.monotonic() - openedAt }
    } catch (error) {
      opening?.end(faultOf(error))
      await opening?.over
      if (used === endpoint) lose()
      return { fault: faultOf(error), servedMs: null }
    } finally {
      deadline[Symbol.dispose]()
    }
  }

  const prepare = async (endpoint: Endpoint): Promise<void> => {
    const request: Request = (method, params, options = {}) =>
      requests.call(method, params, { ...options, replay: false }, true)
    await deps.admit(request, endpoint.name)
    await subscriptions.renew()
  }

  const begin = (endpoint: Endpoint): void => {
    ready = true
    timeouts = 0
    connections += 1
    if (last !== null && last !== endpoint) failovers += 1
    last = endpoint
    opened.resolve()
    deps.onOpen({ endpoint: endpoint.name, connections })
    requests.release()
  }

  /** What is wrong with each endpoint since the connection was lost. */
  const recent = (): (Fault | null)[] => endpoints.all.map(({ fault, failedAt }) => (failedAt >= lostAt ? fault : null))

  const patienceMs = (): number => {
    if (connections === 0)
      return Math.min(limits.openMs, limits.giveUpMs) + (endpoints.all.length - 1) * limits.attemptMs
    return recent().some((fault) => fault?.kind === 'behind')
      ? Math.max(limits.behindMs, limits.giveUpMs)
      : limits.giveUpMs
  }

  const gaveUp = (triedMs: number): SubnetError => {
    const faults = recent()
    const late = faults.find((fault) => fault?.kind === 'behind')?.error
    const causes = endpoints.all.map(({ name }, index) => ({ url: name, cause: faults[index]?.cause ?? 'not tried' }))
    return late ?? unreachable(triedMs, causes)
  }

  const run = async (): Promise<void> => {
    while (!dead.signal.aborted) {
      const tried = clock.monotonic() - lostAt
      const patience = patienceMs()
      const next = endpoints.pick(clock.monotonic())
      if (next === null || tried + next.waitMs > patience) {
        die((next === null ? endpoints.refusal() : null) ?? gaveUp(patience))
        return
      }
      await clock.sleep(next.waitMs as Ms, dead.signal).catch(() => {})
      if (dead.signal.aborted) return
      const { endpoint } = next
      const tryMs = Math.min(endpoints.all.length === 1 ? limits.openMs : limits.attemptMs, patience - tried)
      const { fault, servedMs } = await serve(endpoint, Math.max(1, tryMs))
      const now = clock.monotonic()
      endpoints.failed(endpoint, fault, { now, servedMs: servedMs ?? 0 })
      if (servedMs !== null) lostAt = now
      if (!dead.signal.aborted) deps.onFault({ endpoint: endpoint.name, fault, wasOpen: servedMs !== null })
    }
  }

  const running = run()

  return {
    request: (method, params, options = {}) => requests.call(method, params, options, false),
    subscribe: async (subscription) => {
      await subscriptions.start(subscription, false)
      return () => subscriptions.stop(subscription)
    },
    suspect,
    isFragile: requests.isFragile,
    heardMs: () => clock.monotonic() - heardAt,
    status: () => ({
      endpoint: ready ? where() : null,
      endpoints: endpoints.status(ready ? used : null, clock.monotonic()),
      connections,
      reconnects: Math.max(0, connections - 1),
      failovers,
      lostMs: ready ? 0 : clock.monotonic() - lostAt,
    }),
    opened: opened.promise,
    dead: dead.signal,
    close: async () => {
      die(closedError(where()))
      await running
    },
  }
}
