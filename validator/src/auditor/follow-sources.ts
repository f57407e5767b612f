import type { Neuron } from '@arbor/chain/client/types'
import { type Clock, startDeadline } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { SignedHead } from '@arbor/shared/tree-head'
import type { Block, Ms, Ss58 } from '@arbor/shared/units'
import type { Logger } from 'pino'
import type { ChainView, Snapshot } from '../chain-view.ts'
import type { Keep } from '../keep.ts'
import type { ScoreState } from '../scoring/rules.ts'
import { type AuditDeps, type Audited, type AuditOf, audit } from './audit.ts'
import type { Mismatch } from './findings.ts'
import { openAnswerDraw, proveAnswers } from './prove-answers.ts'

/** What a log that passed its audit came to. */
export interface PassedSource {
  readonly validator: Ss58
  readonly head: SignedHead
  readonly state: ScoreState
  /** Newest finalised block when it was audited. */
  readonly at: Block
}

/** Heads that were seen of each source, so that none can be taken back later. */
export interface SeenHeads {
  get(validator: Ss58): SignedHead | undefined
  set(head: SignedHead): void
}

export interface SourcesDeps {
  readonly view: ChainView
  readonly keep: Keep
  readonly clock: Clock
  readonly log: Logger
  readonly self: Ss58
  /** Those that are asked; all with a permit when empty. */
  readonly chosen: readonly Ss58[]
  readonly seen: SeenHeads
  /** Those that are followed although they say that they lost an earlier log. */
  readonly acceptLost: readonly Ss58[]
  /** Opens what one audit works with, and closes it. */
  readonly within: <T>(body: (deps: AuditDeps) => Promise<T>) => Promise<T>
}

/** The sources as they stand, and the loop that audits them. */
export interface FollowedSources {
  /** Null before the first audits are done. */
  readonly passed: () => readonly PassedSource[] | null
  /** Lists whose logs should be sources: those that are asked, without auditors. */
  readonly expected: (neurons: readonly Neuron[]) => readonly Ss58[]
  readonly loop: (signal: AbortSignal) => Promise<void>
}

/** Time that the audit of one source may take: its pages are asked one after another, and each has 30 s. */
const SOURCE_MS = 180_000 as Ms
/** Time of all: sixty-four permits, two at once. */
const STEP_MS = 6_000_000
const AT_ONCE = 2

/** Audits every source once an epoch, and once more in its second half, when rows of this epoch are due. */
export function followSources(deps: SourcesDeps): FollowedSources {
  const passed = new Map<Ss58, PassedSource>()
  const auditors = new Set<Ss58>()
  let done: { readonly epoch: number; readonly half: number } | null = null
  let looked: Block | null = null
  return {
    passed: () => (done === null ? null : [...passed.values()]),
    expected: (neurons) => sourcesOf(neurons, deps).filter((hotkey) => !auditors.has(hotkey)),
    loop: (signal) =>
      deps.keep(
        {
          name: 'sources',
          timeoutMs: STEP_MS,
          next: (until) => deps.view.after(looked, until),
          step: async (snapshot, until) => {
            looked = snapshot.metagraph.block.number
            const now = halfOf(snapshot)
            if (done !== null && done.epoch === now.epoch && done.half === now.half) return
            await auditAll(deps, snapshot, { passed, auditors }, until)
            done = now
          },
        },
        signal,
      ),
  }
}

const halfOf = ({ metagraph }: Snapshot): { readonly epoch: number; readonly half: number } => {
  const { block, lastEpochBlock, tempo, epochIndex } = metagraph
  return { epoch: epochIndex, half: 2 * (block.number - lastEpochBlock) >= tempo ? 1 : 0 }
}

/** Lists whose logs are asked: others with a permit, each once, the largest stake first. */
export function sourcesOf(
  neurons: readonly Neuron[],
  { self, chosen }: Pick<SourcesDeps, 'self' | 'chosen'>,
): readonly Ss58[] {
  const permitted = neurons
    .filter(({ hotkey, validatorPermit }) => validatorPermit && hotkey !== self)
    .sort((a, b) => (a.totalStake < b.totalStake ? 1 : a.totalStake > b.totalStake ? -1 : a.uid - b.uid))
    .map(({ hotkey }) => hotkey)
  return [...new Set(permitted)].filter((hotkey) => chosen.length === 0 || chosen.includes(hotkey))
}

async function auditAll(
  deps: SourcesDeps,
  snapshot: Snapshot,
  { passed, auditors }: { readonly passed: Map<Ss58, PassedSource>; readonly auditors: Set<Ss58> },
  signal: AbortSignal,
): Promise<void> {
  const queue = [...sourcesOf(snapshot.metagraph.neurons, deps)]
  for (const known of [...passed.keys()]) if (!queue.includes(known)) passed.delete(known)
  const asked = queue.length
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const source = await auditOne(deps, next, signal)
      if (source === 'auditor') auditors.add(next)
      else if (source !== 'away') auditors.delete(next)
      // Whoever can keep a log from being read for a while must not choose whose scores are left: what it said last goes stale by itself.
      if (source === 'away') continue
      if (source === 'auditor' || source === 'failed') passed.delete(next)
      else passed.set(next, source)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const fields = { event: 'auditor.sources', asked, passed: passed.size, block: snapshot.metagraph.block.number }
  deps.log.info(fields, `${passed.size} of ${asked} validators' logs pass their audit`)
}

/** What an audit of a source came to where it did not pass: it does not hold, it could not be read now, or it asks no miner. */
type LeftOut = 'failed' | 'away' | 'auditor'

/** Audits one source; where it is left out, with a warning that says why. */
async function auditOne(deps: SourcesDeps, validator: Ss58, signal: AbortSignal): Promise<PassedSource | LeftOut> {
  const { clock, log, seen } = deps
  const late = new SubnetError({
    code: 'AUDIT_UNREACHABLE',
    message: `the audit of ${validator} took more than ${SOURCE_MS} ms; its log answers slowly`,
    retryable: true,
  })
  using deadline = startDeadline({ clock, ms: SOURCE_MS, parent: signal, reason: () => late })
  try {
    const { audited, mismatch, fault } = await deps.within((of) => look(deps, of, validator, deadline.signal))
    if (fault === null) {
      seen.set(audited.head)
      const at = audited.facts.head.number
      return { validator, head: audited.head, state: audited.replayed?.state ?? NOTHING, at }
    }
    log.error({ event: 'auditor.source-failed', validator, mismatch }, `the log of ${validator} is left out: ${fault}`)
    return isAuditor(audited) ? 'auditor' : 'failed'
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof SubnetError) || error.code.startsWith('CHAIN_')) throw error
    const { code, message } = error
    const level = code === 'AUDIT_NO_URL' ? 'debug' : 'warn' // miners have permits too where there are enough
    log[level]({ event: 'auditor.source-left-out', validator, code }, `the log of ${validator} is left out: ${message}`)
    return error.retryable ? 'away' : 'failed'
  }
}

const NOTHING: ScoreState = { scores: [], forfeits: [], rounds: [], endedAt: null }

/** Audits a log, and then sees that some of its answers were given. */
async function look(
  { seen, acceptLost }: SourcesDeps,
  of: AuditDeps,
  validator: Ss58,
  signal: AbortSignal,
): Promise<{ readonly audited: Audited; readonly mismatch: Mismatch | null; readonly fault: string | null }> {
  const draw = openAnswerDraw()
  const onRound: AuditOf['onRound'] = (group, _, { head }) => draw.take(group, head.hash)
  const audited = await audit(of, { validator, earlier: seen.get(validator), isWhole: true, onRound }, signal)
  const isOpen = audited.mismatch === null && !isAuditor(audited)
  if (isOpen && audited.replayed?.lost[0] !== undefined && !acceptLost.includes(validator))
    throw hasLost(validator, audited.replayed.lost[0].size)
  const mismatch = isOpen ? await proveAnswers(of, { audited, draw }, signal) : audited.mismatch
  return { audited, mismatch, fault: faultOf(audited, mismatch) }
}

/** Says why a source that was audited does not count; null when it does. */
function faultOf(audited: Audited, mismatch: Mismatch | null): string | null {
  if (mismatch !== null)
    return `${mismatch.what}${mismatch.position === null ? '' : ` (entry ${mismatch.position})`} does not hold`
  return isAuditor(audited) ? 'it is an auditor itself, and asks no miner' : null
}

/** Two auditors that followed each other would say what nobody measured. */
const isAuditor = ({ mismatch, replayed }: Audited): boolean =>
  mismatch === null && (replayed === null || replayed.counts.source > 0)

const hasLost = (validator: Ss58, size: number): SubnetError =>
  new SubnetError({
    code: 'AUDIT_LOST',
    message: `it says that it lost an earlier log of ${size} entries, so what it had said before cannot be held against it; name ${validator} with --accept-lost where you believe it`,
    details: { validator, size },
  })
