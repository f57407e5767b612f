import type { Clock } from '@arbor/shared/clock'
import type { Logger } from '@arbor/shared/log'
import type { Loop } from '@arbor/shared/supervise'
import type { Ms } from '@arbor/shared/units'
import { type KeyEntry, readKeys, stampOf } from './file.ts'
import { idOf, isKey } from './key.ts'

/** The keys that open this gateway. */
export interface KeyRing {
  /** Finds whose key it is; null for anything else. */
  find(key: string): KeyEntry | null
  /** Reads the file again when it has changed; what cannot be read leaves the keys as they were. */
  readonly follow: Loop
}

/** How soon a changed file is seen. */
const LOOK_EVERY_MS = 2_000 as Ms

/**
 * Opens the keys of a file, which may change while the gateway runs. Without a file nobody is let in until there is one.
 * @throws GATEWAY_KEYS
 */
export const openKeyRing = (of: { readonly file: string; readonly clock: Clock; readonly log: Logger }): KeyRing => {
  const { file, clock, log } = of
  let stamp = stampOf(file)
  let keys = byId(stamp === 'absent' ? [] : readKeys(file))
  if (keys.size === 0) log.warn({ event: 'gateway.no_keys', file }, 'there is no key yet: arbor gateway key add NAME')

  const look = (): void => {
    const now = stampOf(file)
    if (now === stamp) return
    stamp = now // what is wrong with it is told once, not at every look
    try {
      keys = byId(readKeys(file))
      log.info({ event: 'gateway.keys', keys: keys.size }, 'keys read again')
    } catch (error) {
      log.warn({ event: 'gateway.keys_kept', error: String(error) }, 'the keys stay as they were')
    }
  }
  return {
    find: (text) => {
      const id = idOf(text)
      const entry = id === null ? undefined : keys.get(id)
      return isKey(text.slice(0, 256), entry?.hash) ? (entry ?? null) : null
    },
    follow: async (signal) => {
      for (;;) {
        await clock.sleep(LOOK_EVERY_MS, signal)
        look()
      }
    },
  }
}

const byId = (keys: readonly KeyEntry[]): ReadonlyMap<string, KeyEntry> => new Map(keys.map((key) => [key.id, key]))
