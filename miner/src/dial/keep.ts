import type { Ms } from '@arbor/shared/units'
import { type ConnectionDeps, type Ended, holdConnection, type Welcomed } from './connection.ts'

/** Follows one relay: who has welcomed us, and that it is over. */
export interface KeepEvents {
  readonly onWelcome: (welcomed: Welcomed) => void
  readonly onLost: () => void
}

export interface KeepDeps extends ConnectionDeps {
  /** Draws from [0, 1). */
  readonly random: () => number
}

/** Keeps a connection to one relay until the signal aborts: dials again after a pause that grows, drawn at random. */
export const keepConnected = async (
  deps: KeepDeps,
  of: { readonly url: URL; readonly signal: AbortSignal } & KeepEvents,
): Promise<void> => {
  const { clock, limits, log, random } = deps
  const { url, signal } = of
  let bound = limits.firstPauseMs
  while (!signal.aborted) {
    const startedAt = clock.monotonic()
    const onWelcome = (welcomed: Welcomed): void => {
      log.info({ event: 'miner.dialled', relay: url.host, relays: welcomed.welcome.relays }, 'connected to a relay')
      of.onWelcome(welcomed)
    }
    const ended = await holdConnection(deps, { url, signal, onWelcome })
    of.onLost()
    if (signal.aborted) return
    if (clock.monotonic() - startedAt >= limits.goodMs) bound = limits.firstPauseMs
    const pause = isReplaced(ended) ? limits.replacedMs * (1 + random()) : bound * (0.5 + random() / 2)
    const why = ended.kind === 'refused' ? ended.code : ended.why
    log.warn({ event: 'miner.dial_lost', relay: url.host, why, againInMs: Math.round(pause) }, textOf(ended, url.host))
    bound = Math.min(2 * bound, limits.longestPauseMs)
    await clock.sleep(pause as Ms, signal).catch(() => undefined) // stopped
  }
}

const isReplaced = (ended: Ended): boolean => ended.kind === 'refused' && ended.code === 'RELAY_REPLACED'

const textOf = (ended: Ended, host: string): string =>
  isReplaced(ended)
    ? `another process with this hotkey has dialled ${host}: stop one of the two`
    : `the connection to ${host} is over, it will be dialled again`
