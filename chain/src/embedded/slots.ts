/** Answers which slot the next block is made in. */
export interface SlotQuestion {
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number
  readonly slotMs: number
  /** Slot of the block below; null for genesis. */
  readonly last: number | null
  /** Tells whether a slot is the author's. */
  readonly isOurs: (slot: number) => boolean
  /** Number of authors, which bounds the search. */
  readonly authors: number
}

/** Chooses the present slot, or the next of ours after the last block's: time on a chain never stands or goes back. */
export const nextSlot = ({ nowMs, slotMs, last, isOurs, authors }: SlotQuestion): number => {
  const first = Math.max(Math.floor(nowMs / slotMs), last === null ? 1 : last + 1)
  const ours = Array.from({ length: authors }, (_, offset) => first + offset).find(isOurs)
  return ours ?? first
}

/**
 * Computes how long to wait for the slot after the last block's. A chain that is ahead of the clock (the clock was set back,
 * or blocks were made on demand) goes on at its pace.
 */
export const waitForSlotMs = ({ nowMs, slotMs, last }: Pick<SlotQuestion, 'nowMs' | 'slotMs' | 'last'>): number =>
  last === null ? 0 : Math.min(slotMs, Math.max(0, (last + 1) * slotMs - nowMs))
