import { commitTimelockedWeights, commitWeights, setMechanismWeights, setWeights } from '@arbor/chain/client/calls'
import { drawSalt, saltedHash, saltedRow } from '@arbor/chain/client/salted'
import type { BlockRef, Call, WeightRow } from '@arbor/chain/client/types'
import { drawSealRandomness } from '@arbor/chain/timelock/randomness'
import { nextEpoch } from '@arbor/chain/timelock/schedule'
import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import type { Block } from '@arbor/shared/units'
import { noMeter, timed } from '../health/meter.ts'
import { type Advancing, afterDelivery, ended, isOf } from './advance.ts'
import type { WeightAttempt, WeightMove } from './attempt.ts'
import { backingOff } from './backoff.ts'
import { readBeaconOf } from './facts.ts'
import type { ComputedRow } from './ledger.ts'
import { methodFor } from './method.ts'
import { epochOfNext, nextAllowed, type WeightFacts, type WeightStep } from './next-allowed.ts'
import { sealingRefusal } from './outcome.ts'
import { type WeightOutcome, warnOfChangedHands } from './report.ts'
import { changedHands, holdersOf, sameRow } from './row.ts'
import { type Sending, send } from './send.ts'
import { saltedOf } from './tend.ts'

/** Attempts by which a method is chosen. */
const LOOKED_AT = 10

/** What deciding brings about beside an outcome. */
export interface Decision {
  readonly outcome: WeightOutcome
  /** Scored registrations that hold no uid any more. */
  readonly departed: ComputedRow['departed']
}

/**
 * Sends the row that is due, if one is and the chain allows it.
 * @param waiting own commits that the chain holds
 */
export async function decide(of: Advancing, waiting: readonly WeightAttempt[], signal: AbortSignal): Promise<Decision> {
  const { deps, facts } = of
  const { chain, ledger, netuid, mechanism, version } = deps
  const recent = ledger.recentAttempts(mechanism, LOOKED_AT)
  const method = methodFor({ clock: facts.clock, beacon: await readBeaconOf(chain, facts), recent })
  const step: WeightStep = { kind: method === 'open' ? 'set' : 'commit', method, version }
  const next = nextAllowed(facts, step)
  if (!next.allowed) return { outcome: { kind: 'waiting', next }, departed: [] }
  const pending = method === 'open' ? undefined : waiting.find((attempt) => isOfThisEpoch(attempt, facts))
  if (pending !== undefined) return { outcome: pendingOutcome(pending, facts), departed: [] }
  const { me, metagraph } = facts
  const off = backingOff(recent, { block: metagraph.block.number, tempo: metagraph.tempo })
  if (off !== null) return { outcome: off, departed: [] }
  if (me === undefined) throw new Error('unreachable: an unregistered hotkey is never allowed')
  const held = await chain.weights(netuid, me.uid, metagraph.block.hash, mechanism)
  const opened = openRow(of, { step, held: waiting.at(-1) ?? { row: held, inherited: inheritedNow(recent) } })
  if (!('attempt' in opened)) return opened
  const { attempt, departed } = opened
  const best = await chain.best()
  const stale = await staleHolders(of, attempt, best)
  if (stale !== null) return { outcome: stale, departed }
  return { outcome: await deliver(of, attempt, best, signal), departed }
}

/** A commit that is not to be replaced, made in the epoch that the next block belongs to. */
const isOfThisEpoch = (attempt: WeightAttempt, facts: WeightFacts): boolean =>
  attempt.inherited.length === 0 &&
  facts.commits.some((commit) => isOf(attempt, commit) && commit.epoch === epochOfNext(facts))

const pendingOutcome = (attempt: WeightAttempt, { clock, metagraph }: WeightFacts): WeightOutcome => ({
  kind: 'pending',
  attempt,
  block: metagraph.block.number,
  next: nextEpoch(clock.schedule),
})

/** Uids that inherit weight from the row that the chain holds. */
const inheritedNow = ([last]: readonly WeightAttempt[]): WeightAttempt['inherited'] =>
  last?.state === 'confirmed' ? last.inherited : []

/** Blocks after which a row is sent again though it did not change: each tempo, and long before the chain counts its validator inactive. */
export const refreshBlocks = ({ metagraph, hyperparameters }: WeightFacts): number =>
  Math.max(1, Math.min(metagraph.tempo || Number.POSITIVE_INFINITY, Math.floor(hyperparameters.activityCutoff / 2)))

/** Computes the row and opens its attempt, if one is due and keeps the subnet's rules for rows. */
function openRow(
  { deps, facts }: Advancing,
  {
    step,
    held,
  }: {
    readonly step: Exclude<WeightStep, { kind: 'reveal' }>
    readonly held: Pick<WeightAttempt, 'row' | 'inherited'>
  },
): { readonly attempt: WeightAttempt; readonly departed: ComputedRow['departed'] } | Decision {
  const { ledger, mechanism, version, source, random, clock } = deps
  const { metagraph, rules } = facts
  let outcome: WeightOutcome = { kind: 'nothing-scored' }
  let departed: ComputedRow['departed'] = []
  const compute = (): ComputedRow | null => {
    const due = source(facts)
    departed = due?.departed ?? []
    if (due === null || due.row.length === 0) return null
    const next = nextAllowed(facts, { ...step, row: due.row })
    if (!next.allowed) {
      outcome = { kind: 'waiting', next }
      return null
    }
    const again = ((rules.lastUpdate ?? 0) + refreshBlocks(facts)) as Block
    if (sameRow(due.row, held.row) && held.inherited.length === 0 && metagraph.block.number < again) {
      outcome = { kind: 'unchanged', row: due.row, again }
      return null
    }
    return { ...due, registrations: holdersOf(due.row, metagraph.neurons) }
  }
  const attempt = ledger.openAttempt({
    ...{ mechanism, method: step.method, version, compute },
    salt: step.method === 'salted' ? drawSalt(random) : null,
    block: metagraph.block,
    tempo: metagraph.tempo,
    at: clock.now(),
  })
  return attempt === null ? { outcome, departed } : { attempt, departed }
}

/** Gives a row up whose uids changed hands between the final block it follows from and the best one. */
async function staleHolders(
  { deps }: Advancing,
  attempt: WeightAttempt,
  best: BlockRef,
): Promise<WeightOutcome | null> {
  const { chain, netuid, log } = deps
  const { registrations } = attempt
  const at = await chain.registeredAt(
    netuid,
    registrations.map(({ uid }) => uid),
    best.hash,
  )
  const uids = changedHands(registrations, at)
  if (uids.length === 0) return null
  warnOfChangedHands(log, { attempt, uids, what: 'the row is computed again without them before it is sent' })
  return ended(deps, attempt, 'superseded', `uids ${uids.join(', ')} changed hands before it was sent`)
}

/** Sends an attempt's row by its method, and takes it on from what became of it. */
async function deliver(
  of: Advancing,
  attempt: WeightAttempt,
  best: BlockRef,
  signal: AbortSignal,
): Promise<WeightOutcome> {
  const { deps, facts } = of
  try {
    const delivery = await timed({ clock: deps.clock, meter: deps.meter ?? noMeter }, 'set', async () =>
      send(deps, { attempt, ...(await callOf(of, attempt)), facts, best }, signal),
    )
    return await afterDelivery(of, delivery)
  } catch (error) {
    const refusal = sealingRefusal(error)
    if (refusal === null) throw error
    return afterDelivery(of, { kind: 'refused', attempt, refusal })
  }
}

async function callOf(
  { deps }: Advancing,
  attempt: WeightAttempt,
): Promise<{ readonly call: Call; readonly as: Sending; readonly note?: Omit<WeightMove, 'state' | 'sent'> }> {
  const { chain, netuid, hotkey, random } = deps
  const { mechanism, row, version } = attempt
  if (attempt.method === 'open') return { call: openCall({ netuid, mechanism, row, version }), as: 'setting' }
  if (attempt.method === 'salted') {
    const sealed = saltedRow(saltedOf(attempt, { netuid, hotkey: hotkey.address }))
    return { call: commitWeights(sealed), as: 'committing', note: { commitHash: saltedHash(sealed) } }
  }
  const of = { netuid, mechanism, hotkey: hotkey.address, row, version }
  const sealed = await chain.sealWeights(of, drawSealRandomness(random))
  const commitHash = toHex(blake2b256(sealed.sealed))
  return { call: commitTimelockedWeights(sealed), as: 'committing', note: { commitHash, round: sealed.round } }
}

const openCall = (of: {
  readonly netuid: Advancing['deps']['netuid']
  readonly mechanism: number
  readonly row: WeightRow
  readonly version: bigint
}): Call => (of.mechanism === 0 ? setWeights(of) : setMechanismWeights(of))
