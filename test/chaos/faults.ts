import type { Random } from './random.ts'

/** Everything that goes wrong in a run, but for kills at chosen writes. */
export const FAULTS = [
  // a validator's way to the chain
  'link-cut',
  'link-half-open',
  'link-slow',
  'link-swallow',
  'link-deaf',
  'link-fork',
  'link-older',
  // processes
  'kill-validator',
  'kill-chain',
  'chain-upgrade',
  'chain-reorg',
  // whoever holds a validator's hotkey
  'signer-away',
  'signer-rival',
  // the machine
  'clock-ahead',
  'clock-behind',
  'disk-full',
  // miners
  'miner-down',
  'miners-gone',
  'miner-moves',
  'miner-joins',
  // rules
  'commit-reveal',
  'reveal-period',
  'tempo',
  'rate-limit',
  'version-key',
  'permits',
  'stake-threshold',
] as const
export type FaultKind = (typeof FAULTS)[number]

/** A fault that begins at an epoch of a run and lasts some blocks. */
export interface PlannedFault {
  readonly kind: FaultKind
  /** Blocks after the run's first block. */
  readonly at: number
  /** Blocks. */
  readonly lasts: number
  /** Which validator or miner it hits, in [0, 1) of them. */
  readonly whom: number
  /** Chooses among values, in [0, 1). */
  readonly value: number
}

/** Faults that a machine may not let a suite cause, or that cost seconds each: at most so many a run. */
const MOST: Partial<Record<FaultKind, number>> = {
  'chain-upgrade': 1,
  'kill-chain': 3,
  'link-fork': 2,
  'link-older': 2,
  'disk-full': 2,
  'miner-joins': 6,
}

/** Draws a run's faults: one begins every `every` blocks or so, each kind as likely as another. */
export const planFaults = (of: {
  readonly random: Random
  readonly blocks: number
  readonly every: number
  readonly kinds?: readonly FaultKind[]
}): readonly PlannedFault[] => {
  const { random, blocks, every, kinds = FAULTS } = of
  const counts = new Map<FaultKind, number>()
  const planned: PlannedFault[] = []
  let bag: FaultKind[] = []
  for (let at = random.within(10, 20); at < blocks - 10; at += random.within(1, 2 * every - 1)) {
    if (bag.length === 0) bag = shuffled(random, kinds)
    const kind = bag.pop() as FaultKind
    const count = counts.get(kind) ?? 0
    if (count >= (MOST[kind] ?? Infinity)) continue
    counts.set(kind, count + 1)
    planned.push({ kind, at, lasts: random.within(1, 12), whom: random.next(), value: random.next() })
  }
  return planned
}

const shuffled = <T>(random: Random, of: readonly T[]): T[] => {
  const items = [...of]
  for (let i = items.length - 1; i > 0; i -= 1) {
    const j = random.within(0, i)
    ;[items[i], items[j]] = [items[j] as T, items[i] as T]
  }
  return items
}
