import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { EventRecord } from '@polkadot/types/interfaces'
import { toEvent } from './events.ts'
import type { EventName } from './needs/others.ts'
import { entryOf, type Reader } from './reader.ts'
import { storageIndex } from './salted.ts'

/** What the chain did with a timelocked commit, and in which block. */
export type Opened =
  | { readonly kind: 'opened'; readonly block: Block }
  /** `reason` as the chain words it. */
  | { readonly kind: 'dropped'; readonly block: Block; readonly reason: string }

const OPENED: EventName = 'SubtensorModule.TimelockedWeightsRevealed'
const DROPPED: EventName = 'SubtensorModule.TimelockedWeightsDropped'

/** Blocks that are looked into at most, newest first; a chain node keeps the state of some 256. */
const MOST_BLOCKS = 64

/** Looks for the events of a commit, from the newest block back; null when no block tells, or none is kept. */
export async function findOpened(
  { reader, hashOf }: { readonly reader: Reader; readonly hashOf: (number: Block) => Promise<Hex | null> },
  of: { readonly netuid: NetUid; readonly mechanism?: number; readonly hotkey: Ss58; readonly committedAt: Block },
  { from, to }: { readonly from: Block; readonly to: Block },
): Promise<Opened | null> {
  const index = BigInt(storageIndex(of.netuid, of.mechanism ?? 0))
  for (let number: number = to; number > Math.max(from, to - MOST_BLOCKS); number -= 1) {
    const hash = await hashOf(number as Block)
    if (hash === null) continue
    const [runtime, [records]] = await Promise.all([
      reader.runtimeAt(hash),
      reader.many([entryOf('System.Events')], hash),
    ])
    for (const record of (records ?? []) as unknown as Iterable<EventRecord>) {
      const { pallet, name, data } = toEvent(runtime, record)
      const [subnet, hotkey, block, reason] = Object.values(data)
      if (subnet !== index || hotkey !== of.hotkey) continue
      const event = `${pallet}.${name}`
      if (event === OPENED) return { kind: 'opened', block: number as Block }
      if (event === DROPPED && block === BigInt(of.committedAt))
        return { kind: 'dropped', block: number as Block, reason: wordsOf(reason) }
    }
  }
  return null
}

/** Words a reason: its name, and what it carries. */
const wordsOf = (reason: unknown): string =>
  typeof reason === 'string'
    ? reason
    : JSON.stringify(reason, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
