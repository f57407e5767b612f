import { canonicalJson } from '@arbor/shared/canonical-json'
import type { Block, Blocks } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { forfeitOf } from '../forfeit.ts'
import type { AuditEntry, ForfeitEntry } from '../log/entry.ts'
import { forfeitKey } from '../scoring/fold.ts'
import type { ScoreState } from '../scoring/rules.ts'
import { type Mismatch, mismatchOf, type Placed } from './findings.ts'

/** Audits of users' answers whose forfeits may still follow. */
export interface PendingAudits {
  take(audit: Placed<AuditEntry>): Mismatch | null
  /** Expects a forfeit to follow from one of them. */
  check(forfeit: Placed<ForfeitEntry>): Mismatch | null
  /** Expects of all that cost a forfeit that it is told, and forgets them. Call it before the next entry of another kind. */
  settle(state: ScoreState): Mismatch | null
}

/** Audits that are held: more than a validator's pass over its users' answers has. */
const MOST_AT_ONCE = 65_536

/** @param of.lengths lengths that rounds had lately */
export function openPendingAudits(of: {
  readonly spec: SubnetSpec
  readonly lengths: () => readonly Blocks[]
}): PendingAudits {
  let pending: Placed<AuditEntry>[] = []
  const dueOf = ({ entry }: Placed<AuditEntry>, length: Blocks) =>
    forfeitOf({ ...entry, spec: of.spec, kind: 'user', atBlock: entry.before, length })
  return {
    take: (audit) => {
      pending.push(audit)
      return pending.length <= MOST_AT_ONCE
        ? null
        : mismatchOf(audit, "no more audits at once than a validator's pass has", {
            expected: MOST_AT_ONCE,
            found: 'more',
          })
    },
    check: (placed) => {
      const { forfeit } = placed.entry
      const audit = pending.find(({ entry }) => entry.receipt === forfeit.receipt && entry.hotkey === forfeit.hotkey)
      if (audit === undefined)
        return mismatchOf(placed, 'an audit or a verdict that costs a forfeit', { expected: 'audit', found: forfeit })
      const rounds = of.spec.audit?.forfeitRounds ?? 1
      const lengths = of.lengths()
      // Before the first round of the stretch nobody has said how long one is.
      const usable = lengths.length > 0 ? lengths : [((forfeit.untilBlock - forfeit.atBlock) / rounds) as Blocks]
      const due = usable.map((length) => dueOf(audit, length))
      if (due.some((each) => each !== null && same(each, forfeit))) return null
      return mismatchOf(placed, 'the forfeit that follows from its audit', { expected: due[0] ?? null, found: forfeit })
    },
    settle: (state) => {
      if (pending.length === 0) return null
      const told = new Set(state.forfeits.map(forfeitKey))
      const untold = pending.find((audit) => {
        const due = dueOf(audit, 1 as Blocks)
        return due !== null && !told.has(forfeitKey(due)) && !isOver(due.atBlock, state)
      })
      pending = []
      return untold === undefined
        ? null
        : mismatchOf(untold, 'the forfeit that follows from its audit', { expected: 'forfeit', found: null })
    },
  }
}

/** A forfeit of long ago has run out and left the state. */
const isOver = (atBlock: Block, { rounds }: ScoreState): boolean => atBlock < (rounds.at(-1) ?? 0)

const same = (a: object, b: object): boolean => canonicalJson(a) === canonicalJson(b)
