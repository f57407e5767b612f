import type { Block, Ss58 } from '@arbor/shared/units'
import type { Link } from './link.ts'
import type { ProvedCertificate } from './proof.ts'

/** A miner that is connected. */
export interface Connected {
  readonly link: Link
  /** Its newest certificate. */
  certificate: ProvedCertificate
}

/** The miners that are connected, by hotkey: one connection each, the newest proved one. */
export interface Registry {
  readonly size: number
  get(hotkey: Ss58): Connected | undefined
  /** Puts a miner in; the connection that it had before is told and closed. */
  put(entry: Connected): void
  /** Takes a connection out, if it is still the miner's. */
  remove(link: Link): void
  /** Closes the connections whose certificate ran out or whose registration is another or gone. */
  prune(of: { readonly now: number; readonly registeredAt: (hotkey: Ss58) => Block | null }): void
  all(): IterableIterator<Connected>
}

/** Creates a registry with nobody in it. */
export const createRegistry = (of: { readonly onChange: (hotkey: Ss58, connected: boolean) => void }): Registry => {
  const entries = new Map<Ss58, Connected>()
  return {
    get size() {
      return entries.size
    },
    get: (hotkey) => entries.get(hotkey),
    put: (entry) => {
      const { hotkey } = entry.link
      const before = entries.get(hotkey)
      entries.set(hotkey, entry)
      before?.link.close('RELAY_REPLACED')
      if (before === undefined) of.onChange(hotkey, true)
    },
    remove: (link) => {
      if (entries.get(link.hotkey)?.link !== link) return
      entries.delete(link.hotkey)
      of.onChange(link.hotkey, false)
    },
    prune: ({ now, registeredAt }) => {
      for (const { link, certificate } of entries.values()) {
        if (certificate.expiresAt <= now) link.close('RELAY_EXPIRED')
        else if (registeredAt(link.hotkey) !== certificate.registeredAt) link.close('RELAY_UNREGISTERED')
      }
    },
    all: () => entries.values(),
  }
}
