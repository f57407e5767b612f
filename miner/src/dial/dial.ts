import { refusalOf } from '@arbor/chain/address'
import type { Metagraph } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { AXON_PROTOCOL } from '@arbor/shared/dial/statement'
import type { Logger } from '@arbor/shared/log'
import { PROTOCOL_VERSION } from '@arbor/shared/protocol/limits'
import type { Ms, Ss58 } from '@arbor/shared/units'
import { type KeepDeps, keepConnected } from './keep.ts'
import { type DialLimits, defaultDialLimits } from './limits.ts'

/** Whom a miner dials: relays or validators by their URL, or every permitted validator that listens. */
export type DialTargets = readonly URL[] | 'validators'

/** Where others can ask a miner that dials. */
export interface Endpoint {
  readonly ip: string
  readonly port: number
}

/** The connections of a miner that dials. */
export interface Dialling {
  /** Connections that are welcomed. */
  readonly connected: number
  /** Where everybody can ask: the address of a relay; null while there is none, or only validators are dialled. */
  endpoint(): Endpoint | null
  /** Keeps the connections until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
}

export interface DiallingDeps extends Omit<KeepDeps, 'limits'> {
  readonly targets: DialTargets
  readonly hotkey: Ss58
  readonly metagraph: () => Metagraph
  /** Whether validators are dialled at addresses that are not of the public internet. */
  readonly privateAllowed: boolean
  readonly limits?: DialLimits
  /** Called whenever a relay has welcomed us. */
  readonly onConnected: () => void
  readonly clock: Clock
  readonly log: Logger
}

interface Kept {
  readonly url: URL
  readonly stop: AbortController
  readonly done: Promise<void>
  endpoint: Endpoint | null
  connected: boolean
}

/** Makes the connections of a miner that dials; `run` opens them. */
export const createDialling = (deps: DiallingDeps): Dialling => {
  const limits = deps.limits ?? defaultDialLimits
  const kept = new Map<string, Kept>()
  let announced: Endpoint | null = null
  let dialled: number | null = null

  const keep = (url: URL, signal: AbortSignal): Kept => {
    const stop = new AbortController()
    const until = AbortSignal.any([signal, stop.signal])
    const done = keepConnected(
      { ...deps, limits },
      {
        url,
        signal: until,
        onWelcome: ({ ip, welcome }) => {
          entry.connected = true
          entry.endpoint = welcome.relays && deps.targets !== 'validators' ? { ip, port: portOf(url) } : null
          deps.onConnected()
        },
        onLost: () => {
          entry.connected = false
        },
      },
    )
    const entry: Kept = { url, stop, done, endpoint: null, connected: false }
    return entry
  }

  /** Dials whom the metagraph names now, and hangs up on those it no longer names. */
  const reconcile = (signal: AbortSignal): void => {
    const urls = deps.targets === 'validators' ? listening(deps, limits.validators) : deps.targets
    const wanted = new Map(urls.map((url) => [url.href, url]))
    if (wanted.size !== dialled) tellCount(deps.log, wanted.size)
    dialled = wanted.size
    for (const [href, entry] of kept) {
      if (wanted.has(href)) continue
      entry.stop.abort()
      kept.delete(href)
    }
    for (const [href, url] of wanted) if (!kept.has(href)) kept.set(href, keep(url, signal))
  }

  return {
    get connected() {
      return [...kept.values()].filter(({ connected }) => connected).length
    },
    endpoint: () => {
      const open = [...kept.values()].filter(({ connected, endpoint }) => connected && endpoint !== null)
      const same = open.find(({ endpoint }) => endpoint?.ip === announced?.ip && endpoint?.port === announced?.port)
      announced = (same ?? open[0])?.endpoint ?? announced
      return announced
    },
    run: async (signal) => {
      while (!signal.aborted) {
        reconcile(signal)
        await deps.clock.sleep(limits.lookMs as Ms, signal).catch(() => undefined) // stopped
      }
      await Promise.all([...kept.values()].map(({ done }) => done))
    },
  }
}

const tellCount = (log: Logger, count: number): void => {
  if (count > 0) log.info({ event: 'miner.dials', count }, 'dialling out')
  else log.warn({ event: 'miner.dials', count }, 'no validator of the subnet listens for miners: dial a relay, or wait')
}

const portOf = (url: URL): number => Number(url.port || (url.protocol === 'wss:' ? 443 : 80))

/** Finds the validators that listen: those with a permit and an axon to be dialled, the most stake first. */
const listening = ({ metagraph, hotkey, privateAllowed }: DiallingDeps, most: number): readonly URL[] =>
  metagraph()
    .neurons.filter(({ validatorPermit, hotkey: theirs }) => validatorPermit && theirs !== hotkey)
    .filter(({ axon }) => axon?.version === PROTOCOL_VERSION && axon.protocol === AXON_PROTOCOL.dial)
    .filter(({ axon }) => axon !== null && refusalOf(axon, privateAllowed) === null)
    .toSorted((a, b) => (a.totalStake === b.totalStake ? 0 : a.totalStake > b.totalStake ? -1 : 1))
    .slice(0, most)
    .flatMap(({ axon }) => (axon === null ? [] : [urlOf(axon)]))

const urlOf = ({ ip, port }: Endpoint): URL => new URL(`ws://${ip.includes(':') ? `[${ip}]` : ip}:${port}`)
