import { hash } from 'node:crypto'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex } from '@arbor/shared/units'
import type { AuditDeps, Audited } from './audit.ts'
import type { RoundGroup } from './check-round.ts'
import type { Mismatch } from './findings.ts'
import { type Answered, answerFacts, bodyOf, checkBody, isAnswered } from './sample.ts'

/** Answers of each source whose bodies are looked at in each audit: two audits an epoch. */
export const PROVEN = 4
/** Rounds that are looked at lie so many tempos before the newest that was anchored: an anchor may be two behind, and audits half a tempo apart. */
const LOOKED_TEMPOS = 3
/** Rounds that may follow on the newest anchored one; a validator anchors once an epoch. */
const LAG_TEMPOS = 2
/** Rounds that are held; four tempos have fewer. */
const MOST_ROUNDS = 4_096

interface RankedRound {
  readonly start: Block
  /** Position of its last entry. */
  readonly end: number
  readonly answers: readonly Ranked[]
}

interface Ranked {
  readonly rank: string
  readonly verdict: Answered
}

/** Answers as they are drawn while a log is read. */
export interface AnswerDraw {
  take(group: RoundGroup, seed: Hex): void
  rounds(): readonly RankedRound[]
}

/** Keeps of each round the answers with the lowest ranks; a rank follows from a block's hash and a place in the log. */
export function openAnswerDraw(): AnswerDraw {
  const rounds: RankedRound[] = []
  return {
    take: ({ begin, verdicts, end }, seed) => {
      const answers = lowest(verdicts.filter(isAnswered).map((verdict) => ({ rank: rankOf(seed, verdict), verdict })))
      rounds.push({ start: begin.entry.start.number, end: end.position, answers })
      if (rounds.length > MOST_ROUNDS) rounds.shift()
    },
    rounds: () => rounds,
  }
}

const rankOf = (seed: Hex, { position }: Answered): string =>
  hash('sha256', `arbor/audit-draw/1 ${seed} ${position}`, 'hex')

const lowest = (ranked: readonly Ranked[]): readonly Ranked[] =>
  ranked.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).slice(0, PROVEN)

/**
 * Shows that a log's answers were given to its own validator: fetches some that it had anchored before the block that drew them, so that none
 * could be written for the draw, and holds them to their verdicts. Needs no model.
 * @returns what does not hold
 * @throws AUDIT_UNPROVEN when it cannot be shown: half of the bodies or more are missing, or too little is anchored; AUDIT_HTTP and others of the log
 */
export async function proveAnswers(
  { chain, netuid, spec }: Pick<AuditDeps, 'chain' | 'netuid' | 'spec'>,
  { audited, draw }: { readonly audited: Audited; readonly draw: AnswerDraw },
  signal: AbortSignal,
): Promise<Mismatch | null> {
  const { facts, log, validator } = audited
  const drawn = drawnOf(audited, draw)
  let missing = 0
  for (const verdict of drawn) {
    signal.throwIfAborted()
    const text = await bodyOf(log, verdict, signal)
    if (text === null) missing += 1
    if (text === null) continue
    const about = { spec, netuid, genesisHash: chain.genesisHash, validator, ...(await answerFacts(facts, verdict)) }
    const { mismatch } = checkBody(text, verdict, about)
    if (mismatch !== null) return mismatch
  }
  if (missing > 0 && 2 * missing >= drawn.length)
    throw unproven(
      `${missing} of the ${drawn.length} answers that were drawn are not served, so nobody can see that they were given; its validator must keep them (--receipts)`,
    )
  return null
}

/** Chooses of the rounds that were anchored before the block that draws. */
function drawnOf({ anchors, facts, replayed, span }: Audited, draw: AnswerDraw): readonly Answered[] {
  const scored = replayed?.state.scores.some(({ average }) => average > 0) === true
  const before = anchors.filter(({ by, block }) => by === 'chain' && block < facts.head.number)
  if (before.length === 0 && scored)
    throw unproven(
      'it was anchored in the newest block, so that no later one can draw; the next audit looks again',
      true,
    )
  const size = Math.max(0, ...before.map((anchor) => anchor.size))
  const covered = draw.rounds().filter(({ end }) => end < size)
  const newest = Math.max(-1, ...covered.map(({ start }) => start))
  const tempo = span.last - span.first + 1
  const last = replayed?.state.rounds[0] ?? 0
  if (scored && (newest < 0 || newest < last - LAG_TEMPOS * tempo))
    throw unproven(
      `its rounds are anchored up to ${newest < 0 ? 'none' : `block ${newest}`}, and it has one of block ${last}: what is not anchored can be written anew`,
    )
  const looked = covered.filter(({ start }) => start > newest - LOOKED_TEMPOS * tempo)
  const drawn = lowest(looked.flatMap(({ answers }) => answers)).map(({ verdict }) => verdict)
  // Scores that no round moves but by time-outs keep their proportions, and a log begins with those that its validator says.
  if (scored && drawn.length === 0)
    throw unproven(`it has scores, and no answer to show for them in ${LOOKED_TEMPOS} tempos of rounds`)
  return drawn
}

const unproven = (why: string, retryable = false): SubnetError =>
  new SubnetError({ code: 'AUDIT_UNPROVEN', message: why, retryable })
