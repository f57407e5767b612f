import { z } from 'zod'
import { type Audited, verdictOf } from './audit.ts'
import type { Compared } from './compare.ts'

const row = z.array(z.tuple([z.int(), z.int()]))
const mismatch = z.strictObject({
  position: z.int().nullable(),
  kind: z.string(),
  what: z.string(),
  expected: z.json(),
  found: z.json(),
})
const said = z.strictObject({ reason: z.string(), value: z.number() }).nullable()
const difference = z.strictObject({
  roundBlock: z.int(),
  hotkey: z.string(),
  uid: z.int(),
  repeat: z.int(),
  first: said,
  second: said,
})

/** What `arbor audit --json` prints; docs/auditing.md. */
export const auditReport = z.strictObject({
  /** Chain, log and recomputation say the same row, and nothing was found wrong. */
  equal: z.boolean(),
  verdict: z.enum(['equal', 'different', 'undecided']),
  validator: z.string(),
  uid: z.int(),
  netuid: z.int(),
  epoch: z.int(),
  blocks: z.strictObject({ first: z.int(), last: z.int(), exact: z.boolean() }),
  url: z.string(),
  /** The row that the chain holds at the epoch's last block; null where it has no state of then. */
  row: row.nullable(),
  logged: row.nullable(),
  recomputed: row.nullable(),
  firstMismatch: mismatch.nullable(),
  attempt: z
    .strictObject({ attempt: z.int(), position: z.int(), block: z.int(), method: z.string(), state: z.string() })
    .nullable(),
  head: z.strictObject({
    genesisHash: z.string(),
    netuid: z.int(),
    hotkey: z.string(),
    size: z.int(),
    root: z.string(),
    block: z.int(),
    signature: z.string(),
  }),
  anchors: z.array(z.strictObject({ size: z.int(), root: z.string(), block: z.int(), by: z.enum(['chain', 'head']) })),
  entries: z.strictObject({ from: z.int(), to: z.int(), bytes: z.int(), kinds: z.record(z.string(), z.int()) }),
  /** What had to be taken from the log, since the chain has no state of then any more. */
  byWord: z.strictObject({ rounds: z.int(), rows: z.int(), moves: z.int() }),
  omissions: z.array(z.strictObject({ roundBlock: z.int(), hotkey: z.string(), uid: z.int() })),
  /** Starts of rounds that the log does not have. */
  skipped: z.array(z.int()),
  sample: z
    .strictObject({
      seed: z.string(),
      seedBlock: z.int(),
      drawn: z.int(),
      judged: z.int(),
      /** Positions whose body the log does not keep. */
      missing: z.array(z.int()),
    })
    .nullable(),
  compared: z
    .strictObject({
      with: z.string(),
      rounds: z.strictObject({ both: z.int(), first: z.array(z.int()), second: z.array(z.int()) }),
      verdicts: z.int(),
      differences: z.array(difference),
      pairs: z.record(z.string(), z.int()),
      distance: z.number(),
      explained: z.number().nullable(),
    })
    .nullable(),
  /** What this audit could not show. */
  unproven: z.array(z.string()),
})

export type AuditReport = z.infer<typeof auditReport>
export type SampleReport = NonNullable<AuditReport['sample']>

/** The most differences and omissions that a report names. */
const NAMED = 1_000

/** Writes an audit as the document that `--json` prints. */
export function reportOf(
  audited: Audited,
  of: {
    readonly netuid: number
    readonly sample: SampleReport | null
    readonly compared: (Compared & { readonly with: string }) | null
  },
): AuditReport {
  const { span, replayed, attempt, stretch, head } = audited
  const verdict = verdictOf(audited)
  return {
    equal: verdict === 'equal',
    verdict,
    validator: audited.validator,
    uid: audited.uid,
    netuid: of.netuid,
    epoch: span.epoch,
    blocks: { first: span.first, last: span.last, exact: span.exact },
    url: audited.url,
    row: pairs(audited.held),
    logged: pairs(audited.logged),
    recomputed: pairs(audited.recomputed),
    firstMismatch:
      audited.mismatch === null
        ? null
        : { ...audited.mismatch, expected: json(audited.mismatch.expected), found: json(audited.mismatch.found) },
    attempt:
      attempt === null
        ? null
        : {
            attempt: attempt.placed.entry.attempt,
            position: attempt.placed.position,
            block: attempt.placed.entry.block.number,
            method: attempt.placed.entry.method,
            state: attempt.state,
          },
    head: { ...head },
    anchors: audited.anchors.map((anchor) => ({ ...anchor })),
    entries: { ...stretch, kinds: { ...(replayed?.counts ?? {}) } },
    byWord: { rounds: replayed?.roundsByWord ?? 0, rows: replayed?.rowsByWord ?? 0, moves: replayed?.movesByWord ?? 0 },
    omissions: audited.omissions.slice(0, NAMED).map((omission) => ({ ...omission })),
    skipped: audited.skipped.slice(0, NAMED),
    sample: of.sample,
    compared: of.compared === null ? null : comparedOf(of.compared),
    unproven: [...unprovenOf(audited)],
  }
}

const pairs = (of: Audited['held']): [number, number][] | null => of?.map(([uid, weight]) => [uid, weight]) ?? null
const json = (value: unknown): z.infer<ReturnType<typeof z.json>> => JSON.parse(JSON.stringify(value))

const comparedOf = (compared: Compared & { readonly with: string }): NonNullable<AuditReport['compared']> => ({
  ...compared,
  rounds: { both: compared.rounds.both, first: [...compared.rounds.first], second: [...compared.rounds.second] },
  differences: compared.differences.slice(0, NAMED).map((each) => ({ ...each })),
  pairs: { ...compared.pairs },
})

/** Lists in words what the audit could not show. */
function unprovenOf(audited: Audited): readonly string[] {
  const { replayed, span, held, anchors, omissions, skipped } = audited
  const words = [
    'that a time-out, a refusal or a busy miner was one: only the validator saw it; compare with another validator (--compare)',
    "verdicts of users' answers: their questions are never served",
  ]
  if (anchors.every(({ by }) => by !== 'chain'))
    words.push('that others were shown the same log: its validator has anchored no root on the chain')
  else if (anchors.every(({ by, block }) => by !== 'chain' || block > span.first))
    words.push('that the scores at which the audit begins stood in the log before the epoch: no root of then is known')
  if (replayed !== null && replayed.counts.checkpoint > 0)
    words.push(
      'the losses that training verdicts follow from, which who has the model measures again; and that merges led to the checkpoints that are named: arbor finetune replay merges again',
    )
  if (replayed !== null && replayed.mergesByWord > 0)
    words.push(
      `what ${replayed.mergesByWord} rounds merged: the endpoint has no state of then, so it is the log's word`,
    )
  if (replayed !== null && replayed.counts.source > 0)
    words.push('that its sources served what it says: audit those validators')
  if (omissions.length > 0)
    words.push(
      `why ${omissions.length} questions that were due have no verdict: a validator that could not ask says nothing of the miner`,
    )
  if (skipped.length > 0)
    words.push(`why ${skipped.length} rounds of the epoch are not there: a validator skips one while another runs`)
  if (!span.exact)
    words.push('the blocks of the epoch: the chain has no state of then, they are counted back by the tempo')
  if (held === null)
    words.push(
      'the row that the chain held: this endpoint has no state of then any more; name one that keeps it with --network',
    )
  if (replayed !== null && replayed.roundsByWord > 0)
    words.push(`who was to be asked in ${replayed.roundsByWord} rounds: the endpoint has no state of then`)
  if (replayed !== null && replayed.rowsByWord > 0)
    words.push(
      `who held which uid for ${replayed.rowsByWord} rows: the endpoint has no state of then, so it is the log's word`,
    )
  if (replayed !== null && replayed.movesByWord > 0)
    words.push(`that ${replayed.movesByWord} rows were held when the log says so: the endpoint has no state of then`)
  for (const { size } of replayed?.lost ?? [])
    words.push(`an earlier log of ${size} entries, which the validator says it lost: its roots stay on the chain`)
  return [...words, 'the scores at which the audit begins, of rounds before it: audit earlier epochs for those']
}
