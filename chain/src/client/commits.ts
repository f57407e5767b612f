import type { Block, Blocks, Hex, NetUid, Ss58, UnixMs } from '@arbor/shared/units'
import { afterEpoch, type EpochState, nextEpoch } from '../timelock/schedule.ts'
import { toPlain } from './plain.ts'
import { entryOf, type Reader } from './reader.ts'
import { storageIndex } from './salted.ts'
import type { BlockRef } from './types.ts'

/** A subnet's rules and clock of commit-reveal at one block. */
export interface CommitRevealState {
  readonly enabled: boolean
  /** Epochs between a commit and its reveal. */
  readonly revealPeriod: number
  /** Epoch that a commit of this block belongs to. */
  readonly epoch: number
  /** An epoch was deferred to the next block; `epoch` counts it already. */
  readonly epochDue: boolean
  readonly schedule: EpochState
  /** Version that timelocked commits must state. */
  readonly version: number
  /** Blocks between two commits of a hotkey. */
  readonly rateLimit: Blocks
  /** Newest round whose pulse the chain has; 0 for none, null where it keeps none. */
  readonly lastStoredRound: bigint | null
  /** The chain's own time. */
  readonly now: UnixMs
}

/** A commit that the chain has not opened yet. `last_update` says nothing of it: it moves at the commit already. */
export interface PendingCommit {
  readonly hotkey: Ss58
  /** Block of the commit. */
  readonly block: Block
  readonly epoch: number
  /** What was committed: the hash of a salted row, or a ciphertext and its round. */
  readonly sealed:
    | { readonly kind: 'salted'; readonly hash: Hex }
    | { readonly kind: 'timelocked'; readonly ciphertext: Hex; readonly round: bigint }
  /** First and last block of the epoch in which it is opened, as the schedule stands now; null when no epoch comes. */
  readonly window: { readonly from: Block; readonly to: Block } | null
  /** `waiting` for its window, `open` in it, `expired` after it. */
  readonly status: 'waiting' | 'open' | 'expired'
}

/** Commits of one mechanism at one block. */
export interface PendingCommits {
  readonly block: BlockRef
  readonly state: CommitRevealState
  readonly commits: readonly PendingCommit[]
}

/** Reads a subnet's rules and clock of commit-reveal in one round trip. */
export async function readCommitReveal(reader: Reader, netuid: NetUid, block: BlockRef): Promise<CommitRevealState> {
  const values = (
    await reader.many(
      [
        entryOf('SubtensorModule.CommitRevealWeightsEnabled', netuid),
        entryOf('SubtensorModule.RevealPeriodEpochs', netuid),
        entryOf('SubtensorModule.SubnetEpochIndex', netuid),
        entryOf('SubtensorModule.LastEpochBlock', netuid),
        entryOf('SubtensorModule.PendingEpochAt', netuid),
        entryOf('SubtensorModule.Tempo', netuid),
        entryOf('SubtensorModule.BlocksSinceLastStep', netuid),
        entryOf('SubtensorModule.CommitRevealWeightsVersion'),
        entryOf('SubtensorModule.WeightsSetRateLimit', netuid),
        { ...entryOf('Drand.LastStoredRound'), optional: true },
        entryOf('Timestamp.Now'),
      ],
      block.hash,
    )
  ).map(toPlain)
  const number = (index: number, absent = 0n): number => Number(values[index] ?? absent)
  const tempo = number(5)
  const legacy = values[2] === null
  const schedule = {
    block: block.number,
    lastEpochBlock: (legacy ? legacyEpochBlock(netuid, tempo, block.number) : number(3)) as Block,
    pendingEpochAt: number(4) as Block,
    // The legacy schedule counts tempo + 1 blocks from one epoch to the next.
    tempo: (legacy && tempo > 0 ? tempo + 1 : tempo) as Blocks,
    blocksSinceLastStep: number(6) as Blocks,
  }
  const index = legacy ? Math.floor((block.number + netuid + 1) / (tempo + 1)) : number(2)
  const due = !legacy && isDue(schedule)
  return {
    enabled: values[0] === true,
    revealPeriod: number(1),
    epoch: index + (due ? 1 : 0),
    epochDue: due,
    schedule,
    version: number(7, 4n),
    rateLimit: number(8) as Blocks,
    lastStoredRound: typeof values[9] === 'bigint' ? values[9] : null,
    now: number(10) as UnixMs,
  }
}

/** An epoch that waited for the next block at the end of this one. */
const isDue = (state: EpochState): boolean => nextEpoch({ ...state, block: (state.block - 1) as Block }) === state.block

const legacyEpochBlock = (netuid: number, tempo: number, block: number): number =>
  block - ((block + netuid + 1) % (tempo + 1))

/** Finds the first and last block of an epoch that is `ahead` epochs after the present one. */
function windowOf(schedule: EpochState, ahead: number): { readonly from: Block; readonly to: Block } | null {
  let state = schedule
  let from = schedule.lastEpochBlock
  for (let epoch = 0; epoch < ahead; epoch += 1) {
    const next = nextEpoch(state)
    if (next === null) return null
    from = next
    state = afterEpoch(state, next)
  }
  const end = nextEpoch(state)
  return end === null ? null : { from, to: (end - 1) as Block }
}

/** Reads the commits of a mechanism that are not opened yet, of one hotkey or of all. */
export async function readPendingCommits(
  reader: Reader,
  of: { readonly netuid: NetUid; readonly mechanism: number; readonly hotkey?: Ss58 },
  block: BlockRef,
): Promise<PendingCommits> {
  const index = storageIndex(of.netuid, of.mechanism)
  const [state, salted, sealed] = await Promise.all([
    readCommitReveal(reader, of.netuid, block),
    readSalted(reader, index, of.hotkey, block.hash),
    readTimelocked(reader, index, block.hash),
  ])
  const { schedule } = state
  const base = state.epochDue ? afterEpoch(schedule, (schedule.block + 1) as Block) : schedule
  const place = (commit: Found): PendingCommit => {
    const ahead = commit.epoch + state.revealPeriod - state.epoch
    const own = windowOf(base, Math.max(0, ahead))
    const window = ahead < 0 ? null : own
    return { ...commit, window, status: ahead > 0 ? 'waiting' : ahead === 0 ? 'open' : 'expired' }
  }
  const commits = [...salted, ...sealed.filter(({ hotkey }) => of.hotkey === undefined || hotkey === of.hotkey)]
  return { block, state, commits: commits.map(place).sort((a, b) => a.block - b.block) }
}

type Found = Omit<PendingCommit, 'window' | 'status'>

async function readSalted(reader: Reader, index: number, hotkey: Ss58 | undefined, at: Hex): Promise<Found[]> {
  const name = 'SubtensorModule.WeightCommits'
  const hotkeys =
    hotkey === undefined ? (await reader.keys(name, [index], at)).map((key) => toPlain(key[1]) as Ss58) : [hotkey]
  const rows = await reader.many(
    hotkeys.map((entry) => entryOf(name, index, entry)),
    at,
  )
  return hotkeys.flatMap((entry, position) =>
    ((toPlain(rows[position]) ?? []) as [Hex, bigint, bigint, bigint][]).map(([hash, epoch, block]) => ({
      hotkey: entry,
      block: Number(block) as Block,
      epoch: Number(epoch),
      sealed: { kind: 'salted', hash } as const,
    })),
  )
}

/** Lists the rounds that the commits of a subnet's mechanisms wait for. */
export async function readTimelockedRounds(reader: Reader, netuid: NetUid, at: Hex): Promise<bigint[]> {
  const [count] = await reader.many([entryOf('SubtensorModule.MechanismCountCurrent', netuid)], at)
  const indices = Array.from({ length: Number(toPlain(count ?? null) ?? 1n) }, (_, index) =>
    storageIndex(netuid, index),
  )
  const commits = (await Promise.all(indices.map((index) => readTimelocked(reader, index, at)))).flat()
  return commits.flatMap(({ sealed }) => (sealed.kind === 'timelocked' ? [sealed.round] : []))
}

async function readTimelocked(reader: Reader, index: number, at: Hex): Promise<Found[]> {
  const name = 'SubtensorModule.TimelockedWeightCommits'
  const epochs = (await reader.keys(name, [index], at)).map((key) => toPlain(key[1]) as bigint)
  const queues = await reader.many(
    epochs.map((epoch) => entryOf(name, index, epoch)),
    at,
  )
  return epochs.flatMap((epoch, position) =>
    (toPlain(queues[position]) as [Ss58, bigint, Hex, bigint][]).map(([hotkey, block, ciphertext, round]) => ({
      hotkey,
      block: Number(block) as Block,
      epoch: Number(epoch),
      sealed: { kind: 'timelocked', ciphertext, round } as const,
    })),
  )
}
