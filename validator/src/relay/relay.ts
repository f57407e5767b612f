import type { Clock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import type { Block, Ms, NetUid, Ss58 } from '@arbor/shared/units'
import { createAsking } from './ask.ts'
import { createHttpHandler } from './http.ts'
import { defaultRelayLimits, type RelayLimits } from './limits.ts'
import { createProbe } from './probe.ts'
import { createProver } from './proof.ts'
import { createProofRate } from './proof-rate.ts'
import { createRegistry } from './registry.ts'
import { acceptUpgrades, boundedServer, listenAt, type Place } from './server.ts'

/** Who is registered at a finalised block. */
export interface Registrations {
  readonly block: Block
  readonly registeredAt: ReadonlyMap<Ss58, Block>
}

/** A relay that listens. */
export interface Relay {
  readonly port: number
  /** Where this process asks when nobody else may: a port on 127.0.0.1; `port` when everybody may. */
  readonly askPort: number
  readonly miners: number
  readonly inFlight: number
  isConnected(hotkey: Ss58): boolean
  /** Takes the registrations of a new block; those who lost theirs are sent away. */
  update(registrations: Registrations): void
  /** Ends what runs out and pings miners, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  /** Tells miners, closes everything and frees the ports. */
  close(): Promise<void>
}

export interface RelayDeps {
  readonly place: Place
  /** Names under which it is dialled besides its own addresses, as "host:port". */
  readonly names: readonly string[]
  /** Whether everybody may ask at `place`; else only who finds a port on 127.0.0.1. */
  readonly isOpen: boolean
  /** Whether miners may ask to be dialled back. */
  readonly probes: boolean
  readonly genesisHash: Uint8Array
  readonly netuid: NetUid
  /** Public key of the validator that listens; zeros for a relay of nobody's. */
  readonly self: Uint8Array
  readonly registrations: Registrations
  readonly limits?: RelayLimits
  readonly randomBytes: (length: number) => Uint8Array
  readonly clock: Clock
  readonly log: Logger
  readonly onChange?: (hotkey: Ss58, connected: boolean) => void
}

/**
 * Starts a relay: miners dial in, questions are forwarded to them, sealed as they come.
 * @throws RELAY_PORT_IN_USE, RELAY_ADDRESS
 */
export const startRelay = async (deps: RelayDeps): Promise<Relay> => {
  const { clock, isOpen, log } = deps
  const limits = deps.limits ?? defaultRelayLimits
  const names: ReadonlySet<string> = new Set(deps.names.map((name) => name.toLowerCase()))
  let known = deps.registrations
  let closing = false
  const registeredAt = (hotkey: Ss58): Block | null => known.registeredAt.get(hotkey) ?? null
  const registry = createRegistry({ onChange: deps.onChange ?? (() => undefined) })
  const rate = createProofRate({ perSecond: limits.proofsPerSecond, burst: limits.proofsBurst, clock })
  const proof = { ...deps, registeredAt, rate }
  const asking = createAsking({ registry, limits, registeredAt, clock, log })
  const health = () => ({ ready: !closing, miners: registry.size, inFlight: asking.inFlight, block: known.block })
  const probe = deps.probes ? createProbe({ ...proof, limits, names }) : null

  const front = boundedServer({
    limits,
    log,
    handle: createHttpHandler({ registry, asking: isOpen ? asking : null, probe, health }),
  })
  const dialled = acceptUpgrades(front, {
    registry,
    prove: createProver(proof),
    limits,
    relays: isOpen,
    randomBytes: deps.randomBytes,
    clock,
    log,
    names,
    isClosing: () => closing,
  })
  const inner = isOpen
    ? null
    : boundedServer({
        limits: { ...limits, socketsPerAddress: limits.sockets }, // all who ask there have this machine's address
        log,
        handle: createHttpHandler({ registry, asking, probe: null, health }),
      })
  const servers = inner === null ? [front] : [front, inner]
  const port = await listenAt(front, deps.place)
  const askPort = inner === null ? port : await listenAt(inner, { host: '127.0.0.1', port: 0 })

  return {
    port,
    askPort,
    get miners() {
      return registry.size
    },
    get inFlight() {
      return asking.inFlight
    },
    isConnected: (hotkey) => registry.get(hotkey) !== undefined,
    update: (registrations) => {
      known = registrations
      registry.prune({ now: clock.now(), registeredAt })
    },
    run: async (signal) => {
      let pingAt = clock.monotonic() + limits.pingMs
      while (!signal.aborted) {
        await clock.sleep(limits.sweepMs as Ms, signal).catch((error: unknown) => {
          if (!signal.aborted) throw error
        })
        asking.sweep()
        registry.prune({ now: clock.now(), registeredAt })
        if (clock.monotonic() < pingAt) continue
        pingAt = clock.monotonic() + limits.pingMs
        for (const { link } of registry.all()) link.ping()
      }
    },
    close: async () => {
      closing = true
      for (const { link } of [...registry.all()]) link.close('RELAY_CLOSING')
      const closed = Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
      const done = new AbortController()
      await Promise.race([closed, clock.sleep(limits.closeMs as Ms, done.signal).catch(() => undefined)])
      done.abort()
      dialled.terminate()
      for (const server of servers) server.closeAllConnections()
      await closed
    },
  }
}
