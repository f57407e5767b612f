import type { Ss58 } from '@arbor/shared/units'
import { toWeights } from '@arbor/subnet-spec/weights'
import type { SourceEntry } from '../log/entry.ts'
import { type Registration, registrationKey, registrationOf } from '../scores.ts'
import { FRESH_TEMPOS, forfeitsAt } from '../scoring/fold.ts'
import type { RowAt, ScoreState, ScoreTerms } from '../scoring/rules.ts'

/** What another validator's log came to, and how much it counts. */
export type Source = Pick<SourceEntry, 'validator' | 'stake' | 'state'>

type At = Parameters<RowAt>[1]

/**
 * Makes a row of several validators' scores: of each registration the stake-weighted lower median, the highest score that sources with at
 * least half of the stake reach. A source that has no fresh score of a registration, or saw it forfeit, says 0. So sources with less than
 * half of the stake move no score beyond what the others say, and raise none that they do not vouch for: the chain's own rule for weights.
 * Sources without any fresh score are left out; a validator counts once.
 */
export function combinedRow(
  sources: readonly Source[],
  at: At,
  { reward }: Pick<ScoreTerms, 'reward'>,
): ReturnType<RowAt> {
  const fresh = freshSources(sources, at)
  const total = fresh.reduce((sum, { stake }) => sum + stake, 0n)
  const registered = new Set(at.neurons.map((neuron) => registrationKey(registrationOf(neuron))))
  const scored = new Map<string, Registration>()
  for (const { scores } of fresh) for (const [key, { registration }] of scores) scored.set(key, registration)
  const all = [...scored.values()].sort((a, b) => a.uid - b.uid || a.registeredAt - b.registeredAt)
  const rewards = all
    .filter((registration) => registered.has(registrationKey(registration)))
    .map((registration) => {
      const key = registrationKey(registration)
      const said = fresh.map(({ stake, scores }) => ({ stake, value: scores.get(key)?.average ?? 0 }))
      const average = lowerMedian(said, total)
      return [registration.uid, average === 0 ? 0 : reward(average)] as const
    })
  const departed = all.filter((registration) => !registered.has(registrationKey(registration)))
  return { row: toWeights(rewards), departed }
}

interface FreshSource {
  readonly stake: bigint
  readonly scores: ReadonlyMap<string, { readonly registration: Registration; readonly average: number }>
}

function freshSources(sources: readonly Source[], at: At): readonly FreshSource[] {
  const once = new Map<Ss58, Source>(sources.map((source) => [source.validator, source]))
  return [...once.values()].flatMap((source): FreshSource[] => {
    const scores = freshScores(source.state, at)
    const stake = BigInt(source.stake)
    return scores.size === 0 || stake === 0n ? [] : [{ stake, scores }]
  })
}

/** Tells whether a source has a score that counts at a block. */
export const isFresh = (state: ScoreState, at: At): boolean => freshScores(state, at).size > 0

/** Chooses the scores that count at a block, by the rule of a validator's own rows. */
function freshScores(state: ScoreState, { block, tempo }: At): FreshSource['scores'] {
  const [newest] = state.rounds
  const oldest = state.rounds.at(-1)
  if (newest === undefined || oldest === undefined) return new Map()
  if (block - (state.endedAt ?? newest) > FRESH_TEMPOS * tempo) return new Map()
  const forfeited = new Set(forfeitsAt(state, block).map(registrationKey))
  return new Map(
    state.scores
      .filter(({ lastRoundBlock }) => lastRoundBlock >= oldest)
      .map(({ hotkey, uid, registeredAt, average }) => {
        const registration = { hotkey, uid, registeredAt }
        const key = registrationKey(registration)
        return [key, { registration, average: forfeited.has(key) ? 0 : average }]
      }),
  )
}

/** Finds the highest value that at least half of the stake reaches. */
function lowerMedian(said: readonly { readonly stake: bigint; readonly value: number }[], total: bigint): number {
  let reached = 0n
  for (const { stake, value } of [...said].sort((a, b) => b.value - a.value)) {
    reached += stake
    if (2n * reached >= total) return value
  }
  return 0
}
