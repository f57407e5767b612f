import { replayOf } from '@arbor/subnet-spec/finetune/seeds'
import type { Update } from '@arbor/subnet-spec/finetune/types'
import type { Committed } from '@arbor/training/types'
import { eachAtOnce, FETCHED_AT_ONCE, fetchFile } from './fetch-updates.ts'
import type { JudgedUpdate } from './judged-update.ts'
import type { ReadUpdate } from './measure.ts'
import { faultOfCommitment, readFetched } from './read-fetched.ts'
import { type Disclosed, discloseStates, type KnownParts } from './replay-segment.ts'
import type { JudgeRoundDeps, Kept, RoundToJudge } from './round-to-judge.ts'

/** An update that came and was read, and what was drawn of its miner's round. */
export interface Fetching extends ReadUpdate {
  readonly committed: Committed
  readonly update: Update
  /** Null where the miner's round is not replayed. */
  readonly disclosed: Promise<Disclosed> | null
  readonly segment: number
}

/** Fetches and reads what was committed, a few at once; faults are kept at once, and drawn states are asked for as soon as an update is read. */
export async function fetchRound(
  deps: JudgeRoundDeps,
  of: RoundToJudge & Kept & { readonly parts: KnownParts },
  until: { readonly files: AbortSignal; readonly states: AbortSignal },
): Promise<readonly Fetching[]> {
  const { netuid, optimiser, terms, ledger } = deps
  const round = {
    netuid,
    round: of.phases.round,
    base: of.base,
    size: of.params.length,
    optimiser,
    limits: terms.limits,
  }
  const read: Fetching[] = []
  const late: (() => void)[] = []
  await eachAtOnce(of.committed, FETCHED_AT_ONCE, async (committed) => {
    const { uid, hotkey, commitment } = committed
    const { name, bytes } = commitment
    const fail = (fault: NonNullable<JudgedUpdate['fault']>): void =>
      of.keep({ uid, hotkey, update: { name, bytes }, fault, measured: null, checkMs: 0 })
    if ((of.known.get(uid)?.fault ?? null) !== null) return
    const wrong = faultOfCommitment(committed, round)
    if (wrong !== null) return fail(wrong)
    const file = await fetchFile(deps, { from: committed, name, bytes }, until.files)
    if (file.kind === 'unavailable' && until.files.aborted) {
      late.push(() => fail('unavailable'))
      return
    }
    if (file.kind === 'unavailable') {
      deps.log.debug(
        { event: 'training.unavailable', uid, why: file.why },
        `the update of uid ${uid} is not to be had: ${file.why}`,
      )
      return fail('unavailable')
    }
    const found = readFetched(file.bytes, committed, round)
    if (found.kind === 'fault') return fail(found.reason)
    const { update, vector } = found
    const drawn = replayOf({ blockHash: of.published.hash, netuid, round: round.round, hotkey, terms: terms.gauntlet })
    const last = ledger.headOf(hotkey)
    const segment = drawn?.segment ?? 0
    const toReplay = {
      known: of.parts,
      from: committed,
      update,
      segment,
      params: of.params,
      last: last?.round === round.round ? null : last,
    }
    const isNeeded = drawn !== null && !of.known.has(uid)
    const disclosed = isNeeded
      ? discloseStates(deps, { ...toReplay, paramsBefore: deps.paramsBefore }, until.states)
      : null
    disclosed?.catch(() => undefined) // heard when its turn comes
    // Of two in one block the lower uid counts as the first.
    read.push({ committed, hotkey, update, vector, order: committed.block * 65_536 + uid, disclosed, segment })
  })
  // Where fewer came than did not, it is our line that is slow, or this machine.
  if (late.length <= read.length) for (const say of late) say()
  return read
}
