import { setImmediate } from 'node:timers/promises'
import type { Hex } from '@arbor/shared/units'
import { controlsOf } from '@arbor/subnet-spec/finetune/gauntlet'
import type { Measured, Update } from '@arbor/subnet-spec/finetune/types'
import { choicesFrom, taskSeed } from '@arbor/subnet-spec/seed'
import type { Committed } from '@arbor/training/types'
import type { Fetching } from './fetch-round.ts'
import { likenessOf, measureUpdate, relativeNorm, type UnseenBefore } from './measure.ts'
import { type Disclosed, type KnownParts, replayDisclosed, type ToReplay } from './replay-segment.ts'
import type { JudgeRoundDeps, Kept, RoundData, RoundToJudge } from './round-to-judge.ts'

/** What of an update is known without the model. */
interface Compared extends Fetching {
  readonly norm: number
  readonly likeness: Measured['likeness']
}

/** Compares a round's updates with one another: their lengths, and which came of which. */
export async function compareAll(
  of: RoundToJudge,
  read: readonly Fetching[],
  common: number,
): Promise<readonly Compared[]> {
  const compared: Compared[] = []
  for (const one of read) {
    const likeness = likenessOf(one, { all: read, previous: of.previous })
    compared.push({ ...one, norm: relativeNorm(one.vector, common), likeness })
    await setImmediate() // each of them is compared with all others
  }
  return compared
}

/** Measures what was read, then does the drawn stretches again; all in an order that the round's block draws, so that nobody chooses to be last. */
export async function measureAll(
  deps: JudgeRoundDeps,
  of: RoundToJudge &
    Kept & {
      readonly read: readonly Compared[]
      readonly common: number
      readonly unseenBefore: UnseenBefore
      readonly data: RoundData
    },
  signal: AbortSignal,
): Promise<void> {
  const { clock, netuid, terms } = deps
  const { data, params, unseenBefore, read } = of
  const vectors = new Map(read.map(({ hotkey, vector }) => [hotkey, vector]))
  const due = shuffled(read, data.seed).filter(({ committed }) => !of.known.has(committed.uid))
  type Losses = Awaited<ReturnType<typeof measureUpdate>>
  const measured: { readonly one: Compared; readonly losses: Losses; readonly ms: number }[] = []
  try {
    for (const one of due) {
      const began = clock.monotonic()
      const { hotkey, vector } = one
      const seed = taskSeed({ blockHash: of.published.hash, netuid, round: of.phases.round, hotkey })
      const controls = controlsOf({ hotkey, among: read, terms: terms.gauntlet, seed }).flatMap(
        (other) => vectors.get(other) ?? [],
      )
      const assigned = data.assignedTo(one.committed)
      const about = { params, vector, norm: of.common, controls, assigned, unseen: data.unseen, unseenBefore }
      const losses = await measureUpdate(deps, about, signal)
      measured.push({ one, losses, ms: clock.monotonic() - began })
    }
  } finally {
    // What was measured before time was up counts, replayed or not.
    const shown = await Promise.all(measured.map(({ one }) => one.disclosed))
    const late = shown.filter((states) => states?.kind === 'late').length
    const isOurs = 2 * late > shown.filter((states) => states !== null).length
    for (const [index, { one, losses, ms }] of measured.entries()) {
      const began = clock.monotonic()
      const states = shown[index] ?? null
      const replay =
        losses === null ? null : await replayOne(deps, { ...of, one, states, isOurs, parts: of.data.parts }, signal)
      const { norm, likeness } = one
      const { uid, hotkey, commitment } = one.committed
      const { name, bytes } = commitment
      const judged = losses === null ? NOT_FINITE : { fault: null, measured: { norm, ...losses, likeness, replay } }
      of.keep({ uid, hotkey, update: { name, bytes }, ...judged, checkMs: ms + clock.monotonic() - began })
      deps.ledger.keepHead(hotkey, headFrom(one.update))
    }
  }
}

const NOT_FINITE = { fault: 'not-finite', measured: null } as const

const headFrom = ({ head: { round, base, states } }: Update) => ({ round, base, states })

async function replayOne(
  deps: JudgeRoundDeps,
  of: {
    readonly one: Fetching
    readonly states: Disclosed | null
    /** Whether it is our fault that states came late. */
    readonly isOurs: boolean
    readonly params: Float32Array
    readonly parts: KnownParts
    readonly data: RoundData
  },
  signal: AbortSignal,
): Promise<Measured['replay']> {
  const { committed, update, segment } = of.one
  const { states: found } = of
  if (found === null || (found.kind === 'late' && of.isOurs)) return null
  if (found.kind === 'late') return { kind: 'withheld', reason: 'its states were not whole in time' }
  if (found.kind === 'withheld') return found
  const { paramsBefore } = deps
  const about = { from: committed, update, segment, params: of.params, last: null, paramsBefore }
  const toReplay: ToReplay = { ...about, known: of.parts }
  try {
    return await replayDisclosed(deps, { ...toReplay, startsOf: of.data.startsOf(committed.uid) }, found, signal)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    deps.log.warn(
      { event: 'training.not-replayed', uid: committed.uid, why },
      `uid ${committed.uid} was not replayed: ${why}`,
    )
    return null
  }
}

const shuffled = <T extends { readonly committed: Committed }>(items: readonly T[], seed: Hex): readonly T[] => {
  const choices = choicesFrom({ seed, label: 'judged' })
  const left = items.toSorted((a, b) => a.committed.uid - b.committed.uid)
  const drawn: T[] = []
  while (left.length > 0) drawn.push(...left.splice(choices.below(left.length), 1))
  return drawn
}
