import { type Clock, startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Hex, Ms } from '@arbor/shared/units'
import { endpointName } from './faults.ts'
import { type Finality, readFinalised, standing } from './finality.ts'
import type { ReadHeader } from './header.ts'
import type { Lineage } from './lineage.ts'
import { probe } from './probe.ts'
import type { ConnectionLimits, Request, RpcSocket } from './socket-types.ts'

export interface WatchDeps {
  readonly urls: readonly string[]
  readonly socket: RpcSocket
  readonly finality: Finality
  readonly lineage: Lineage
  readonly lookers: ReadonlySet<(request: Request) => Promise<void>>
  readonly readHeader: ReadHeader
  readonly clock: Clock
  readonly limits: ConnectionLimits
  readonly genesis: () => Hex | null
}

/** An endpoint that answers other things may be late with a look so often. */
const MOST_LATE = 3
/** Blocks by which endpoints of one chain differ while all is well. */
const ORDINARY_LAG = 2

/**
 * Looks at the endpoint in use again and again, whatever its subscriptions tell: at its finalised head and what the listeners ask. One that
 * answers too late is left; one whose chain stands still is left when another has newer blocks; a more preferred one is gone back to.
 */
export async function watchEndpoint(deps: WatchDeps): Promise<void> {
  const { socket, clock, limits, urls } = deps
  const { dead } = socket
  const state = { late: 0, connection: 0, newest: -1, movedAt: clock.monotonic(), since: clock.monotonic() }
  await socket.opened.catch(() => {})
  while (!dead.aborted) {
    await clock.sleep(limits.checkMs as Ms, dead).catch(() => {})
    const { connections, endpoint } = socket.status()
    if (dead.aborted || endpoint === null) continue
    if (connections !== state.connection)
      Object.assign(state, { connection: connections, late: 0, since: clock.monotonic(), movedAt: clock.monotonic() })
    await look(deps, state)
    const newest = deps.finality.newest()?.number ?? 0
    if (newest !== state.newest) Object.assign(state, { newest, movedAt: clock.monotonic() })
    if (urls.length > 1 && !dead.aborted) await compare(deps, state).catch(() => {})
  }
}

interface State {
  late: number
  readonly connection: number
  movedAt: number
  since: number
}

/** Asks what is asked at each look. */
async function look({ socket, finality, lookers, limits }: WatchDeps, state: State): Promise<void> {
  const request: Request = (method, params) =>
    socket.request(method, params, { replay: false, timeoutMs: limits.slowMs })
  try {
    await finality.look(request)
    await Promise.all([...lookers].map((looker) => looker(request)))
    state.late = 0
  } catch (error) {
    if (!(error instanceof SubnetError) || error.code !== 'CHAIN_TIMEOUT') return
    state.late += 1
    const isBusy = socket.heardMs() < limits.slowMs / 2
    if (!isBusy || state.late >= MOST_LATE)
      socket.suspect({ kind: 'slow', cause: `a look at it took over ${limits.slowMs} ms`, error }, state.connection)
  }
}

/** Looks whether another endpoint serves better. */
async function compare(deps: WatchDeps, state: State): Promise<void> {
  const { socket, clock, limits, urls, finality } = deps
  const now = clock.monotonic()
  const isStale = now - state.movedAt >= limits.staleMs
  const isDue = now - state.since >= limits.returnMs
  if (!isStale && !isDue) return
  if (isStale) state.movedAt = now // so that the others are asked once in a while only
  if (isDue) state.since = now
  const { endpoints } = socket.status()
  const used = endpoints.findIndex(({ state: is }) => is === 'used')
  if (used === -1) return
  for (const [index, url] of urls.entries()) {
    if (index === used || endpoints[index]?.state !== 'ready' || (!isStale && index > used)) continue
    const newest = finality.newest()?.number ?? 0
    const final = await finalOf(deps, url)
    if (final === null) continue
    if (isStale && final > newest + ORDINARY_LAG) {
      const cause = `it stands at block ${newest}, and ${endpointName(url)} is at ${final}`
      return socket.suspect({ kind: 'behind', cause }, state.connection)
    }
    if (index < used && final >= newest && !socket.isFragile())
      return socket.suspect({ kind: 'left', cause: `${endpointName(url)} is back` }, state.connection)
  }
}

/** The last final block of another endpoint; null when it is away, on another fork, or another chain. */
async function finalOf(deps: WatchDeps, url: string): Promise<number | null> {
  const { socket, clock, limits, lineage, readHeader } = deps
  const late = (): Error => new Error('late')
  using deadline = startDeadline({ clock, ms: limits.attemptMs as Ms, parent: socket.dead, reason: late })
  try {
    return await probe({ url, clock, limits, signal: deadline.signal }, async (request) => {
      if ((await request('chain_getBlockHash', [0])) !== deps.genesis()) return null
      const head = await readFinalised(request, readHeader)
      const wrong = await standing({ lineage, request, url: endpointName(url) }, head)
      return wrong === null ? head.number : null
    })
  } catch {
    return null // it is no better, whatever keeps it from answering
  }
}
