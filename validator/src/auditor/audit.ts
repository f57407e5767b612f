import { setImmediate } from 'node:timers/promises'
import type { ChainClient, WeightRow } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { SignedHead } from '@arbor/shared/tree-head'
import type { Block, NetUid, Ss58, Uid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { type Anchored, readAnchored } from '../log/anchor.ts'
import type { LogEntry } from '../log/entry.ts'
import type { ScoreState } from '../scoring/rules.ts'
import type { Attempt } from './check-move.ts'
import type { RoundGroup } from './check-round.ts'
import { type EpochSpan, findEpoch } from './epoch.ts'
import { type ChainFacts, openFacts } from './facts.ts'
import { type Mismatch, type Omission, shown } from './findings.ts'
import { attemptInForce, checkForce, inForce } from './in-force.ts'
import { openMerges } from './merges-of.ts'
import { openStretch, type Within } from './pages.ts'
import { type Replayed, startReplay } from './replay.ts'
import type { ServedLog } from './served-log.ts'
import { checkExtends, checkHead, checkStretch, type KnownRoot } from './tree.ts'

/** What one validator's log is audited by. */
export interface AuditDeps {
  readonly chain: ChainClient
  readonly netuid: NetUid
  readonly spec: SubnetSpec
  /** Opens the log at a URL; whoever opened it closes it. */
  readonly open: (url: string) => ServedLog
}

export interface AuditOf {
  readonly validator: Ss58
  /** The newest one that ended when absent. */
  readonly epoch?: number | undefined
  /** Where the log is served; as the chain says when absent. */
  readonly url?: string | undefined
  readonly mechanism?: number
  /** A head that was kept of an earlier audit. */
  readonly earlier?: SignedHead | undefined
  /** Reads all that the head signs, for what the log says now; else only what the epoch's row needs. */
  readonly isWhole?: boolean
  /** Hears each round of the stretch. */
  readonly onRound?: (group: RoundGroup, before: ScoreState, facts: ChainFacts) => void
}

/** What an audit found. */
export interface Audited {
  readonly validator: Ss58
  readonly uid: Uid
  readonly span: EpochSpan
  readonly url: string
  readonly head: SignedHead
  /** Roots that the head was held to. */
  readonly anchors: readonly KnownRoot[]
  /** The entries that were read: positions from … to (exclusive). */
  readonly stretch: { readonly from: number; readonly to: number; readonly bytes: number }
  readonly replayed: Replayed | null
  /** The row in force at the epoch's end: by the chain, by the log, and as it was computed again. */
  readonly held: WeightRow | null
  readonly logged: WeightRow | null
  readonly recomputed: WeightRow | null
  readonly attempt: Attempt | null
  readonly omissions: readonly Omission[]
  /** Starts of rounds of the epoch that the log does not have. */
  readonly skipped: readonly Block[]
  readonly mismatch: Mismatch | null
  readonly log: ServedLog
  readonly facts: ChainFacts
}

/** Entries after which other work has its turn: a stranger's log may be made to cost time. */
const YIELD_EVERY = 64

/** Entries of this many blocks after the epoch are read too: what became of its last rows stands there. */
const AFTER = 64

/**
 * Audits the row that a validator had in force at the end of an epoch: from the log that it serves, and from the chain.
 * @throws AUDIT_EPOCH, AUDIT_NO_URL, AUDIT_SPEC, AUDIT_PRUNED, AUDIT_UNREACHABLE and what else kept it from being done
 */
export async function audit(deps: AuditDeps, of: AuditOf, signal: AbortSignal): Promise<Audited> {
  const { chain, netuid, spec } = deps
  const facts = await openFacts({ chain, netuid })
  const span = await findEpoch({ chain, facts, netuid, epoch: of.epoch })
  const anchored = await anchoredBy(deps, of.validator, facts, span)
  const log = deps.open(of.url ?? urlOf(anchored, of.validator))
  const head = await log.head(signal)
  const whose = { genesisHash: chain.genesisHash, netuid, hotkey: of.validator }
  const anchors: readonly KnownRoot[] = [
    ...anchored.map(rootOf),
    ...(of.earlier === undefined ? [] : [kept(of.earlier)]),
  ]
  const about = { validator: of.validator, span, url: log.url, head, anchors, log, facts }
  const headFault = checkHead(head, whose) ?? (of.earlier === undefined ? null : checkHead(of.earlier, whose))
  const forks = headFault === null ? await forksOf(log, { anchors, head }, signal) : []
  const force = await inForce(deps, of, facts, span)
  const unread = { logged: null, recomputed: null, attempt: null, omissions: [], skipped: [], replayed: null }
  const nothing = { ...about, ...force, ...unread, stretch: { from: 0, to: 0, bytes: log.bytes } }
  if (headFault !== null) return { ...nothing, mismatch: headFault }
  const within = withinOf(of, { anchors, span, from: force.from })
  const stretch = await openStretch(log, { before: force.from, size: head.size, within }, signal)
  if (stretch === null) return { ...nothing, mismatch: forks[0]?.mismatch ?? { ...NO_PEAKS, found: shown(log.url) } }

  const rules = { self: of.validator, netuid, spec, genesisHash: chain.genesisHash }
  const onRound = (group: RoundGroup, before: ScoreState): void => of.onRound?.(group, before, facts)
  const { training: terms, roundsPerEpoch } = spec
  const mergesOf = terms === undefined ? undefined : openMerges({ chain, netuid, terms, roundsPerEpoch, facts })
  const replay = startReplay({ ...rules, onRound, mergesOf }, facts)
  const bound = Math.max(0, ...anchors.filter((each) => isAnchorOf(each, span.last)).map(({ size }) => size))
  let states = 0
  for await (const placed of stretch.entries()) {
    if (placed.position % YIELD_EVERY === 0) await setImmediate() // deadlines and health are heard between
    signal.throwIfAborted()
    if (placed.position === stretch.from) mustBegin(placed.entry, log.url)
    await replay.take(placed)
    states += placed.entry.kind === 'state' && placed.entry.block > span.last ? 1 : 0
    // So audits of epochs in a row leave no entry out, and the state at which one begins is one that another looks at.
    if (of.isWhole === true || stretch.tree.size < bound) continue
    if (states >= 1 && replay.isSettled(span.last)) break
    if (states >= 2 || isPast(placed.entry, (span.last + AFTER) as Block)) break
  }
  const foreign = await checkStretch(log, { stretch, head }, signal)
  const replayed = replay.end()
  const attempt = await attemptInForce({ ...force, facts, span, ...rules }, replayed.attempts, of.mechanism ?? 0)
  const logged = attempt?.placed.entry.row ?? null
  const forked = forks.find((fork) => !isDeclared(fork, replayed, facts.head.number))?.mismatch ?? null
  const broken = forked ?? foreign ?? stretch.broken ?? replayed.mismatch
  const mismatch = broken ?? (await checkForce({ ...force, facts, span, attempt, ...rules }))
  return {
    ...about,
    ...force,
    stretch: { from: stretch.from, to: stretch.tree.size, bytes: log.bytes },
    replayed,
    attempt,
    logged,
    recomputed: attempt?.recomputed ?? null,
    omissions: replayed.omissions.filter(({ roundBlock }) => isIn(span, roundBlock)),
    skipped: replayed.skipped.filter((start) => isIn(span, start)),
    mismatch,
  }
}

const isIn = ({ first, last }: EpochSpan, block: Block): boolean => block >= first && block <= last

const NO_PEAKS: Omit<Mismatch, 'found'> = {
  position: null,
  kind: 'tree',
  what: 'a proof of where the entries stand',
  expected: 'a root for each perfect subtree before them',
}

/** What the validator has bound itself to on the chain: at the epoch's end as far as the chain has it, and now. */
async function anchoredBy(
  { chain, netuid }: AuditDeps,
  hotkey: Ss58,
  facts: ChainFacts,
  span: EpochSpan,
): Promise<readonly Anchored[]> {
  const found: Anchored[] = []
  for (const block of [facts.head.number, span.last, span.first]) {
    const anchored = await readAt(facts, block, (at) => readAnchored({ chain, netuid, hotkey, at }))
    if (anchored !== null && !found.some(({ size, root }) => size === anchored.size && root === anchored.root))
      found.push(anchored)
  }
  return found
}

async function readAt<T>(facts: ChainFacts, block: Block, read: (at: `0x${string}`) => Promise<T>): Promise<T | null> {
  const found = await facts.at(block, read)
  return found === 'pruned' ? null : found
}

const rootOf = ({ size, root, block }: Anchored): KnownRoot => ({ size, root, block, by: 'chain' })
const kept = ({ size, root, block }: SignedHead): KnownRoot => ({ size, root, block, by: 'head' })

function urlOf([newest]: readonly Anchored[], validator: Ss58): string {
  if (newest !== undefined && newest.url !== '') return newest.url
  throw new SubnetError({
    code: 'AUDIT_NO_URL',
    message: `${validator} ${newest === undefined ? 'has anchored no log on this chain' : 'has anchored a log and does not say where it is served'}; ask whoever runs it, and name the place with --url`,
    details: { validator },
  })
}

const isAnchorOf = ({ by, block }: KnownRoot, upTo: Block): boolean => by === 'chain' && block <= upTo

/**
 * Finds what the log had to contain before the epoch began, by its anchor of then; and where it is followed, before it was read last. Null where
 * there is neither.
 */
function withinOf(
  { isWhole, earlier }: AuditOf,
  of: { readonly anchors: readonly KnownRoot[]; readonly span: EpochSpan; readonly from: Block },
): Within | null {
  const anchored = of.anchors.filter((each) => isAnchorOf(each, of.span.first))
  // After a longer pause than a row's past all would have to be read since.
  const followed = isWhole === true && earlier !== undefined && earlier.block >= of.from ? [earlier] : []
  const [least] = [...anchored, ...followed].sort((a, b) => a.size - b.size)
  return least === undefined ? null : { size: least.size, block: least.block }
}

/** An audit begins where all is said that later rows need. */
function mustBegin(entry: LogEntry, url: string): void {
  if (entry.kind === 'terms' || entry.kind === 'state') return
  throw new SubnetError({
    code: 'AUDIT_ANSWER',
    message: `${url} gave a ${entry.kind} entry where the log's terms and state were asked for; it is no validator's log`,
  })
}

const isPast = (entry: LogEntry, block: Block): boolean =>
  (entry.kind === 'round' && entry.start.number > block) || (entry.kind === 'row' && entry.block.number > block)

interface Fork {
  readonly known: KnownRoot
  readonly mismatch: Mismatch
}

/** Finds the roots that the validator has bound itself to and from which its log does not go on. */
async function forksOf(
  log: ServedLog,
  of: { readonly anchors: readonly KnownRoot[]; readonly head: SignedHead },
  signal: AbortSignal,
): Promise<readonly Fork[]> {
  const forks: Fork[] = []
  for (const known of of.anchors) {
    const mismatch = await checkExtends(log, { known, head: of.head }, signal)
    if (mismatch !== null) forks.push({ known, mismatch })
  }
  return forks
}

/**
 * A log that was lost is no second history where its validator says so in the new one: of what it had bound itself to until then, up to the size
 * that it names. Of what it bound itself to later, and of more than that, it says nothing.
 */
const isDeclared = ({ known }: Fork, { lost }: Replayed, head: Block): boolean =>
  lost.some(({ size, root, since }) => {
    const isOfIt = known.size < size || (known.size === size && known.root === root)
    return isOfIt && known.block <= since && since <= head
  })

/**
 * Tells what an audit came to: a row is `equal` only where the chain, the log and the entries all say the same, but for uids that the chain
 * zeroed since they changed hands. Where the chain cannot say who was registered at the row's block, the log could leave out whom it likes.
 */
export const verdictOf = ({ mismatch, held, attempt }: Audited): 'equal' | 'different' | 'undecided' => {
  if (mismatch !== null) return 'different'
  return held === null || attempt?.byChain === false ? 'undecided' : 'equal'
}
