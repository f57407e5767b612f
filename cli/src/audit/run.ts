import { findModel } from '@arbor/engine/find-model'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Ms, Ss58 } from '@arbor/shared/units'
import { type AuditDeps, type Audited, type AuditOf, audit } from '@arbor/validator/auditor/audit'
import { compare, type Side } from '@arbor/validator/auditor/compare'
import type { Mismatch } from '@arbor/validator/auditor/findings'
import { type AuditReport, reportOf, type SampleReport } from '@arbor/validator/auditor/report'
import { answerFacts, bodyOf, checkBody, checkRejudged, drawSample, isAnswered } from '@arbor/validator/auditor/sample'
import { rejudge } from '../verify/rejudge.ts'

/** What is audited, and what beside the row. */
export interface RunOf extends AuditOf {
  readonly compare?: Ss58 | undefined
  readonly compareUrl?: string | undefined
  readonly sample?: number | undefined
  readonly model?: string | undefined
  readonly cwd: string
  readonly clock: Clock
}

/** Milliseconds that audit and comparison may take: each log has 512 MiB at most, and each of its answers 30 s. */
const AUDIT_MS = 3_600_000
/** Milliseconds for each answer that is judged again. */
const SAMPLE_MS = 60_000

/**
 * Audits a row, judges a sample of its answers again, and lays another validator's receipts beside them.
 * @throws AUDIT_LATE after an hour, and a minute more for each answer that is judged
 */
export async function runAudit(deps: AuditDeps, of: RunOf, parent: AbortSignal): Promise<AuditReport> {
  const ms = (AUDIT_MS + SAMPLE_MS * (of.sample ?? 0)) as Ms
  using deadline = startDeadline({ clock: of.clock, ms, parent, reason: () => late(ms) })
  const { signal } = deadline
  const first = await oneSide(deps, of, signal)
  const { audited } = first
  const sampled = of.sample === undefined || audited.mismatch !== null ? null : await sampleOf(deps, first, of, signal)
  const compared = of.compare === undefined ? null : await comparedWith(deps, first, of.compare, of, signal)
  return reportOf(
    { ...audited, mismatch: audited.mismatch ?? sampled?.mismatch ?? null },
    { netuid: deps.netuid, sample: sampled?.report ?? null, compared },
  )
}

interface OneSide {
  readonly audited: Audited
  readonly rounds: Side['rounds']
}

async function oneSide(deps: AuditDeps, of: AuditOf, signal: AbortSignal): Promise<OneSide> {
  const rounds: Side['rounds'][number][] = []
  const audited = await audit(deps, { ...of, onRound: (group, before) => rounds.push({ group, before }) }, signal)
  return { audited, rounds }
}

async function comparedWith(
  deps: AuditDeps,
  first: OneSide,
  validator: Ss58,
  { compareUrl, ...of }: RunOf,
  signal: AbortSignal,
) {
  const { span, facts } = first.audited
  const { mechanism } = of
  const other = await oneSide(
    deps,
    { validator, epoch: span.epoch, url: compareUrl, ...(mechanism === undefined ? {} : { mechanism }) },
    signal,
  )
  if (other.audited.mismatch !== null) throw otherDiffers(validator, other.audited.mismatch)
  const sides = [first, other].map(sideOf)
  const [left, right] = sides
  if (left === undefined || right === undefined || left === null || right === null) throw noRow(validator)
  const metagraph = await facts.metagraph(right.at.block)
  return {
    with: validator,
    ...compare(left, right, { spec: deps.spec, metagraph: metagraph === 'pruned' ? null : metagraph }),
  }
}

const sideOf = ({ audited, rounds }: OneSide): Side | null => {
  const { attempt } = audited
  if (attempt === null) return null
  const { position, entry } = attempt.placed
  return { rounds, row: attempt.recomputed, at: { block: entry.block.number, position } }
}

/** Draws answers of the epoch, and judges each again. */
async function sampleOf(
  deps: AuditDeps,
  { audited, rounds }: OneSide,
  of: RunOf,
  signal: AbortSignal,
): Promise<{ readonly report: SampleReport; readonly mismatch: Mismatch | null }> {
  const { span, facts, log, validator } = audited
  const folder = findModel({ model: of.model ?? deps.spec.model.name, cwd: of.cwd })
  const seedBlock = seedBlockOf(audited)
  const seed = await facts.blockHash(seedBlock)
  if (seed === null) throw notYet(seedBlock)
  const verdicts = rounds
    .filter(({ group }) => group.begin.entry.start.number >= span.first && group.begin.entry.start.number <= span.last)
    .flatMap(({ group }) => group.verdicts.filter(isAnswered))
  const drawn = drawSample({ verdicts, seed, size: of.sample ?? 0 })
  const missing: number[] = []
  let judged = 0
  let mismatch: Mismatch | null = null
  for (const verdict of drawn) {
    signal.throwIfAborted()
    const text = await bodyOf(log, verdict, signal)
    if (text === null) missing.push(verdict.position)
    if (text === null) continue
    const about = { spec: deps.spec, netuid: deps.netuid, genesisHash: deps.chain.genesisHash, validator }
    const body = checkBody(text, verdict, { ...about, ...(await answerFacts(facts, verdict)) })
    mismatch = body.mismatch
    if (mismatch === null && body.receipt !== null) {
      const again = await rejudge({ receipt: body.receipt, folder, spec: undefined, cwd: of.cwd })
      mismatch = checkRejudged(verdict, again.verdict)
      judged += 1
    }
    if (mismatch !== null) break
  }
  return { report: { seed, seedBlock, drawn: drawn.length, judged, missing }, mismatch }
}

/**
 * The first block after the entries were anchored; without an anchor, the newest final one: later than the entries, but the head's signer may
 * have known it.
 */
function seedBlockOf({ anchors, stretch, facts }: Audited): Block {
  const covering = anchors.filter(({ by, size }) => by === 'chain' && size >= stretch.to).map(({ block }) => block)
  const first = Math.min(...covering) + 1
  return (first <= facts.head.number ? first : facts.head.number) as Block
}

const late = (ms: Ms): SubnetError =>
  new SubnetError({
    code: 'AUDIT_LATE',
    message: `the audit took more than ${ms / 60_000} minutes; try again, name another place of the log with --url, or sample fewer answers`,
    details: { ms },
    retryable: true,
  })

const otherDiffers = (validator: Ss58, { what, position }: Mismatch): SubnetError =>
  new SubnetError({
    code: 'AUDIT_COMPARE',
    message: `the log of ${validator} does not pass its own audit (${what}${position === null ? '' : ` at entry ${position}`}), so nothing is compared with it; audit it by itself`,
  })

const noRow = (validator: Ss58): SubnetError =>
  new SubnetError({
    code: 'AUDIT_COMPARE',
    message: `there are no two rows to compare: this one or ${validator} had none in force, or its log has none; compare another epoch`,
  })

const notYet = (block: Block): SubnetError =>
  new SubnetError({
    code: 'AUDIT_BLOCK',
    message: `block ${block}, by which the sample is drawn, is not final yet; audit again when it is`,
    retryable: true,
  })
