import type { RecordKeeper } from '@arbor/chain/client/committed-record'
import type { ChainClient } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Signer } from '@arbor/shared/signer'
import { type Anchor, type TreeHead, treeHeadBytes } from '@arbor/shared/tree-head'
import type { Block, Blocks, NetUid } from '@arbor/shared/units'
import type { Logger } from 'pino'
import type { ChainView, Snapshot } from '../chain-view.ts'
import type { Keep } from '../keep.ts'
import { type Committed, readCommitted, setAnchor } from './anchor.ts'
import type { LogCheck } from './check.ts'
import type { ReceiptLog } from './log.ts'

export interface ReceiptLoopDeps {
  readonly view: ChainView
  readonly keep: Keep
  readonly chain: Pick<ChainClient, 'genesisHash' | 'read'>
  /** The hotkey's record, of which the anchor is one field. */
  readonly record: RecordKeeper
  readonly log: Logger
  readonly receipts: ReceiptLog
  /** Entries that may be told now; null for all. Where rows are committed, the rest would tell what a commit still hides. */
  readonly servable: (isCommitted: boolean) => number | null
  /** Removes receipts' files that no kept entry names any more. */
  readonly forget: (ids: readonly string[]) => void
  readonly hotkey: Signer
  readonly netuid: NetUid
  readonly clock: Clock
  /** Checks the whole log, apart from this loop. */
  readonly checkAll: (signal: AbortSignal) => Promise<LogCheck>
  /** Where the log is served, as the chain is told; null where nothing is anchored. */
  readonly anchorAt: string | null
  readonly keepEpochs: number
  readonly keepEntries: number
}

/** Milliseconds that one step may take: longer than the era for which an anchor may be included (64 blocks of 12 s). */
const STEP_MS = 1_200_000
/** Between two heads at least: 30 a minute, half of what a signer's policy lets a validator have. */
const HEAD_MS = 2_000
/** Between two anchors at least, for local nets with epochs of seconds: weights need the signer's and the chain's patience, too. */
const ANCHOR_MS = 5_000
/** Blocks after which an anchor that the chain refused is tried again. */
const RETRY_BLOCKS = 20

interface Progress {
  seen: Block | null
  isChecked: boolean
  /** When the last head was signed, by the monotonic clock. */
  signedAt: number
  /** Block before which no anchor is tried, and when the last one was. */
  anchorFrom: number
  anchoredAt: number
  /** Epoch in which old bodies were forgotten last. */
  pruned: number
}

/**
 * Tells others what the log holds: a signed head when entries were added, the chain's record once an epoch; and forgets old bodies.
 * Nothing is signed before the whole log was checked, against itself and against what the chain holds of it.
 */
export const runReceipts = (deps: ReceiptLoopDeps, signal: AbortSignal): Promise<void> => {
  const at: Progress = {
    seen: null,
    isChecked: false,
    signedAt: Number.NEGATIVE_INFINITY,
    anchorFrom: 0,
    anchoredAt: Number.NEGATIVE_INFINITY,
    pruned: -1,
  }
  return deps.keep(
    {
      name: 'receipts',
      timeoutMs: STEP_MS,
      next: (until) => deps.view.after(at.seen, until),
      step: async ({ metagraph }, until) => {
        at.seen = metagraph.block.number // before anything fails: what is too old is not looked at again and again
        const snapshot = deps.view.now()
        if (!at.isChecked) await begin(deps, snapshot, until)
        at.isChecked = true
        await sign(deps, snapshot, at)
        await anchor(deps, { snapshot, at, signal: until })
        prune(deps, snapshot, at)
      },
    },
    signal,
  )
}

/** Checks the log against itself and against the chain, before anything of it is signed. @throws LOG_* */
async function begin(deps: ReceiptLoopDeps, { metagraph }: Snapshot, signal: AbortSignal): Promise<void> {
  const check = await deps.checkAll(signal)
  if (deps.anchorAt !== null)
    mustContain(deps.receipts, await readCommitted({ ...deps, hotkey: deps.hotkey.address, at: metagraph.block.hash }))
  deps.log.info({ event: 'receipts.checked', ...check }, `the log of ${check.entries} receipts is whole`)
}

/**
 * Expects the log to contain what the chain holds of it.
 * @throws LOG_BEHIND_ANCHOR when the log is an older copy, or another one
 */
export const mustContain = (receipts: Pick<ReceiptLog, 'extent' | 'root' | 'lost'>, committed: Committed): void => {
  if (committed.kind !== 'anchor') return
  const { size, root, block } = committed.anchor
  const { size: held } = receipts.extent()
  if (size <= held && receipts.root(size) === root) return
  const lost = receipts.lost()
  if (lost?.size === size && lost.root === root) return
  throw new SubnetError({
    code: 'LOG_BEHIND_ANCHOR',
    message: `the chain has held ${size} entries of this hotkey's log since block ${block}, with root ${root}; this log has ${held} and ${size > held ? 'is an older copy' : 'another history'}. Restore the newest copy of ledger.sqlite; where there is none, --lost-log says so in a new log, for all to see`,
    details: { anchored: size, root, entries: held },
  })
}

/** Signs a head when entries were added since the last one that may be told. */
async function sign(deps: ReceiptLoopDeps, { metagraph, hyperparameters }: Snapshot, at: Progress): Promise<void> {
  const { receipts, hotkey, netuid, chain, clock } = deps
  const most = deps.servable(hyperparameters.commitRevealEnabled) ?? Number.POSITIVE_INFINITY
  const size = Math.min(receipts.extent().size, most)
  const now = clock.monotonic()
  if (size <= (receipts.heads.newest()?.size ?? 0) || now - at.signedAt < HEAD_MS) return
  const head: TreeHead = {
    genesisHash: chain.genesisHash,
    netuid,
    hotkey: hotkey.address,
    size,
    root: receipts.root(size),
    block: metagraph.block.number,
  }
  const signature = toHex(await hotkey.sign(treeHeadBytes(head), { kind: 'head' }))
  at.signedAt = now
  receipts.heads.add({ ...head, signature })
  deps.log.debug({ event: 'receipts.head', size, root: head.root }, `signed the log's first ${size} entries`)
}

/** Writes the newest head to the chain, once an epoch, and reads it back. */
async function anchor(
  deps: ReceiptLoopDeps,
  { snapshot, at, signal }: { readonly snapshot: Snapshot; readonly at: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const { receipts, anchorAt: url, log } = deps
  const { block, lastEpochBlock, epochIndex } = snapshot.metagraph
  const head = receipts.heads.newest()
  const anchored = receipts.heads.anchored()
  if (url === null || head === null || snapshot.me === undefined || block.number < at.anchorFrom) return
  if (anchored !== null && (anchored.head.size >= head.size || anchored.anchoredAt > lastEpochBlock)) return
  if (deps.clock.monotonic() - at.anchoredAt < ANCHOR_MS) return
  const whose = { ...deps, hotkey: deps.hotkey.address, at: block.hash }
  // Who votes sets the same record anew: only the ledger knows since when the chain has held this anchor.
  if (adopt(deps, await readCommitted(whose)) && (receipts.heads.anchored()?.anchoredAt ?? -1) > lastEpochBlock) return
  const next: Anchor = { size: head.size, root: head.root, url }
  at.anchorFrom = block.number + RETRY_BLOCKS
  at.anchoredAt = deps.clock.monotonic()
  const outcome = await setAnchor({ record: deps.record, anchor: next, epochIndex, signal })
  if (outcome.kind === 'no-space') {
    log.warn(
      { event: 'receipts.no-space' },
      'the chain lets this hotkey write no more in this epoch; the next one is waited for',
    )
    return
  }
  if (outcome.kind === 'refused') {
    const { error } = outcome
    log.warn({ event: 'receipts.refused', error }, `the chain did not take the log's root: ${error}; it is tried again`)
    return
  }
  if (outcome.displaced > 0)
    log.warn(
      { event: 'receipts.replaces', fields: outcome.displaced },
      "this hotkey's record on the chain was full; the receipts took the place of what stood last in it",
    )
  at.anchorFrom = 0
  if (adopt(deps, await readCommitted({ ...whose, at: outcome.block.hash }))) return
  log.error(
    { event: 'receipts.mismatch', block: outcome.block.number },
    "the chain does not hold the log's root as it was set",
  )
}

/** Notes a head that the chain holds, also one that was set just before the process ended. @returns whether it is one of ours */
function adopt({ receipts, log }: ReceiptLoopDeps, committed: Committed): boolean {
  if (committed.kind !== 'anchor') return false
  const { size, root, block, url } = committed.anchor
  if (receipts.heads.at(size)?.root !== root) return false
  if (receipts.heads.anchored()?.head.size === size) return true
  receipts.heads.setAnchored(size, block)
  log.info({ event: 'receipts.anchored', size, root, block, url }, `the chain holds the log's first ${size} entries`)
  return true
}

/** Forgets old bodies, once an epoch; what is too much for one step waits for the next. */
function prune(deps: ReceiptLoopDeps, { metagraph }: Snapshot, at: Progress): void {
  const { epochIndex, block, tempo } = metagraph
  if (at.pruned === epochIndex) return
  const keep = (deps.keepEpochs * tempo) as Blocks
  const { entries, receipts, isDone } = deps.receipts.prune({ block: block.number, keep, most: deps.keepEntries })
  if (isDone) at.pruned = epochIndex
  if (entries === 0) return
  deps.forget(receipts)
  deps.log.info({ event: 'receipts.pruned', entries }, `forgot ${entries} old entries of the log; their hashes stay`)
}
