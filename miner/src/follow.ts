import { isSignerError } from '@arbor/shared/signer'
import type { Uid } from '@arbor/shared/units'
import { type SubnetView, viewOf } from './admission/subnet-view.ts'
import { advertise, isAdvertised } from './axon.ts'
import type { Endpoint } from './dial/dial.ts'
import type { MinerDeps, MinerSettings } from './miner.ts'
import { createRegistrationWatch } from './registration.ts'
import type { ServeSessions } from './sessions.ts'

/** What a running miner knows of itself. */
export interface State {
  view: SubnetView
  uid: Uid | null
  ready: boolean
}

/** Makes what tells, the first time it is called, that the miner serves. */
export const readyOnce = (
  { settings, log, onReady }: MinerDeps,
  state: State,
): ((endpoint: Endpoint | null) => void) => {
  let told = false
  return (endpoint) => {
    if (told || state.uid === null) return
    told = true
    state.ready = true
    const url = endpoint === null ? null : `http://${hostOf(endpoint.ip)}:${endpoint.port}`
    log.info({ event: 'miner.ready', url, uid: state.uid, hotkey: settings.identity.hotkey }, 'miner serves')
    onReady({ url, uid: state.uid })
  }
}

const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip)

/** Finds what to announce: where the miner is reached, but for what its operator says of it. */
export const announced = ({ externalIp, externalPort }: MinerSettings, at: Endpoint | null): Endpoint | null =>
  at === null ? null : { ip: externalIp ?? at.ip, port: externalPort ?? at.port }

export const announce = (
  { chain, hotkey, settings, clock, log }: MinerDeps,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<void> => advertise({ chain, hotkey, netuid: settings.identity.netuid, endpoint, clock, log, signal })

/** Blocks after an announcement before a chain that shows another endpoint is told again. */
const ANNOUNCE_AGAIN_BLOCKS = 20

/** Reads the metagraph at each finalised head; repairs the announcement when someone else's, or an older one, stands. */
export const follow = async (
  deps: MinerDeps,
  of: {
    readonly state: State
    readonly sessions: ServeSessions
    /** What is to be announced now; null for nothing. */
    readonly endpoint: () => Endpoint | null
  },
  signal: AbortSignal,
): Promise<void> => {
  const { chain, settings, log } = deps
  const { state, sessions } = of
  const watch = createRegistrationWatch(settings.identity)
  let announcedAt = settings.port === null ? null : (await chain.best()).number
  for await (const head of chain.heads('finalized', signal)) {
    state.view = viewOf(await chain.metagraph(settings.identity.netuid, head.hash))
    const self = watch.see(state.view)
    if (self !== null && self.uid !== state.uid)
      log.info({ event: 'miner.uid', uid: self.uid }, 'registered under another uid')
    state.uid = self?.uid ?? null
    if (self !== null) sessions.registered(self.registeredAt)
    const endpoint = of.endpoint()
    if (self === null || endpoint === null || isAdvertised(self.axon, endpoint)) continue
    if (announcedAt !== null && head.number < announcedAt + ANNOUNCE_AGAIN_BLOCKS) continue
    announcedAt = head.number
    await announceAgain(deps, endpoint, signal)
  }
}

/** Announces while the miner serves already: a hotkey's holder that is away, or refuses, is asked again later. */
const announceAgain = async (deps: MinerDeps, endpoint: Endpoint, signal: AbortSignal): Promise<void> => {
  try {
    await announce(deps, endpoint, signal)
  } catch (error) {
    if (!isSignerError(error)) throw error
    const { code, message } = error
    deps.log.warn(
      { event: 'miner.advertise_failed', ...endpoint, error: code, why: message },
      'nobody signs the endpoint',
    )
  }
}
