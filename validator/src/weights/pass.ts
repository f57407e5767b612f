import type { Block } from '@arbor/shared/units'
import type { Snapshot } from '../chain-view.ts'
import { registrationKey } from '../scores.ts'
import { type Advancing, afterDelivery, ended, readBack } from './advance.ts'
import type { WeightAttempt } from './attempt.ts'
import { decide } from './decide.ts'
import type { WeightDeps } from './deps.ts'
import { readFacts } from './facts.ts'
import type { WeightPlan } from './ledger.ts'
import { report, unseenText, type WeightOutcome } from './report.ts'
import { settle } from './send.ts'
import { tendCommit } from './tend.ts'

/** What one process remembers between passes; losing it costs a log line. */
export interface PassMemory {
  /** Registrations whose going was told. */
  readonly departed: Set<string>
  plan: string
}

export const newMemory = (): PassMemory => ({ departed: new Set(), plan: '' })

/**
 * Takes every attempt that is not settled one step on, by what the chain says of it, then sends the next row if one is due. A process that
 * was killed anywhere goes on here: nothing is remembered but what the ledger holds.
 */
export async function weighOnce(
  deps: WeightDeps,
  snapshot: Snapshot,
  memory: PassMemory,
  signal: AbortSignal,
): Promise<readonly WeightOutcome[]> {
  const { ledger, mechanism, log } = deps
  const known = newestBlockOf(ledger.recentAttempts(mechanism, LATER))
  // A snapshot from before our own last block does not know of it, and would have us judge or send too early.
  if (snapshot.metagraph.block.number < known) return behind(deps, snapshot.metagraph.block.number, known, memory)
  const facts = await readFacts(deps, snapshot)
  const of: Advancing = { deps, facts }
  const outcomes: WeightOutcome[] = []
  const tell = (outcome: WeightOutcome): void => {
    report(log, outcome)
    deps.meter?.outcome(outcome.kind)
    outcomes.push(outcome)
  }
  for (const { id } of ledger.unsettledAttempts(mechanism)) {
    const attempt = ledger.unsettledAttempts(mechanism).find((each) => each.id === id)
    if (attempt === undefined) continue
    const outcome = await advance(of, attempt, signal)
    if (outcome !== null) tell(outcome)
  }
  // What was just sent is not in these facts: the next block decides.
  if (outcomes.length > 0) return plan(deps, facts.metagraph.block.number, memory, outcomes)
  const { outcome, departed } = await decide(of, ledger.unsettledAttempts(mechanism), signal)
  warnOfDeparted(deps, memory, departed)
  tell(outcome)
  return plan(deps, facts.metagraph.block.number, memory, outcomes)
}

/** Says that a snapshot is too old to decide by; it passes with a newer one, and stays where the chain began anew or lags for good. */
function behind(deps: WeightDeps, block: Block, known: Block, memory: PassMemory): readonly WeightOutcome[] {
  const at = (known + 1) as Block
  const why = `block ${block} is older than ${known}, the newest in which something is known of our rows`
  deps.log.debug({ event: 'weights.behind', block, known, at }, why)
  note(deps, { rule: 'behind', at, why }, block, memory)
  return []
}

/** The newest block in which something is known to have happened to our attempts. */
const newestBlockOf = (attempts: readonly WeightAttempt[]): Block =>
  Math.max(
    0,
    ...attempts.flatMap(({ committedAt, includedAt, readBackAt }) => [
      committedAt ?? 0,
      includedAt ?? 0,
      readBackAt ?? 0,
    ]),
  ) as Block

/** Takes one attempt one step on; null while it waits. */
async function advance(of: Advancing, attempt: WeightAttempt, signal: AbortSignal): Promise<WeightOutcome | null> {
  const { deps } = of
  switch (attempt.state) {
    case 'computed':
      return ended(deps, attempt, 'superseded', 'it was never signed; the row is computed again')
    case 'setting':
    case 'committing':
    case 'revealing':
    case 'included':
      return afterDelivery(of, await settle(deps, attempt, signal))
    case 'finalised':
      return readBack(of, attempt)
    case 'committed': {
      const { ledger, mechanism } = deps
      const later = ledger.recentAttempts(mechanism, LATER).filter(({ id }) => id > attempt.id)
      return tendCommit(of, attempt, later, signal)
    }
    default:
      return null
  }
}

/** Attempts among which a later one is looked for. */
const LATER = 20

/** Told once a registration; more than so many in one process are forgotten and told again. */
const MOST_DEPARTED = 10_000

function warnOfDeparted(
  { log }: Pick<WeightDeps, 'log'>,
  { departed: told }: PassMemory,
  departed: readonly Parameters<typeof registrationKey>[0][],
): void {
  const fresh = departed.filter((registration) => !told.has(registrationKey(registration)))
  if (fresh.length === 0) return
  if (told.size > MOST_DEPARTED) told.clear()
  for (const registration of fresh) told.add(registrationKey(registration))
  const uids = fresh.map(({ uid }) => uid)
  log.warn(
    { event: 'weights.departed', registrations: fresh },
    `uids ${uids.join(', ')} changed hands since they were scored: who holds them now has no weight of it`,
  )
}

/** Notes what is waited for, where it changed, so that it can be told while the chain is away. */
function plan(
  deps: WeightDeps,
  block: Block,
  memory: PassMemory,
  outcomes: readonly WeightOutcome[],
): readonly WeightOutcome[] {
  const last = outcomes.at(-1)
  if (last === undefined) return outcomes
  note(deps, planOf(last), block, memory)
  return outcomes
}

function note({ ledger, mechanism, clock }: WeightDeps, next: WeightPlan, block: Block, memory: PassMemory): void {
  const text = JSON.stringify([next.rule, next.at])
  if (text !== memory.plan) ledger.planWeights(mechanism, next, block, clock.now())
  memory.plan = text
}

function planOf(outcome: WeightOutcome): WeightPlan {
  switch (outcome.kind) {
    case 'waiting':
      return { rule: outcome.next.rule, at: outcome.next.at, why: outcome.next.why }
    case 'pending':
      return { rule: 'pending', at: outcome.next, why: 'a commit of this epoch waits to be opened' }
    case 'backing-off':
      return { rule: 'backing-off', at: outcome.until, why: `the last try came to nothing: ${outcome.error}` }
    case 'unseen':
      return { rule: 'unseen', at: outcome.until, why: unseenText(outcome) }
    case 'nothing-scored':
      return { rule: 'nothing-scored', at: null, why: 'no miner has a score yet' }
    case 'unchanged':
      return { rule: 'unchanged', at: outcome.again, why: 'the chain holds the row already' }
    default:
      return { rule: null, at: null, why: `attempt ${outcome.attempt.id}: ${outcome.kind}` }
  }
}
