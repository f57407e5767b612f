import type { Condition } from './alarms.ts'
import { type Included, type Sight, temposSinceInclusion } from './sight.ts'

/** Everything that alarms and readiness are told by. */
export interface Vitals {
  readonly sight: Sight
  readonly included: Included
  readonly loops: readonly { readonly loop: string; readonly failedInRow: number; readonly lastError: string | null }[]
  /** What an upgrade of the chain's code took from us. */
  readonly broken: readonly string[]
  /** What the last row came to that was sent and looked for; null before the first. */
  readonly lastOutcome: string | null
  /** Why this process ends, or the one before did. */
  readonly ended: string | null
  /** Whether this process has run for so long that the end of the one before is over. */
  readonly isSettled: boolean
}

/** Tempos without weights that wake somebody: one is usual after a restart. */
export const MOST_TEMPOS = 3
/** Failures in a row of one loop that wake somebody: by its backoff, half a minute without a success. */
export const MOST_IN_ROW = 5
/** Outcomes that say that the chain does not hold what was sent. */
const WRONG = new Set(['mismatch', 'lost'])

/** A process that was started after a long pause has a tempo to set weights before anybody is woken. */
const hadItsChance = ({ first, newest, snapshot }: Sight): boolean =>
  first !== null && newest !== null && newest.number - first.number >= (snapshot?.metagraph.tempo ?? 0)

/** Says what is wrong now, for each alarm. */
export function conditionsOf(vitals: Vitals): readonly Condition[] {
  const { sight, loops, broken, lastOutcome, ended, isSettled, included } = vitals
  const tempos = temposSinceInclusion(sight, included)
  const failing = loops.filter(({ failedInRow }) => failedInRow >= MOST_IN_ROW)
  return [
    {
      alarm: 'weights-missing',
      isActive: tempos === null ? null : tempos > MOST_TEMPOS && hadItsChance(sight),
      message: `the chain took no weights of ours for ${tempos?.toFixed(1)} tempos; arbor validator status says which rule is waited for`,
    },
    {
      alarm: 'weights-wrong',
      isActive: lastOutcome === null ? null : WRONG.has(lastOutcome),
      message: `the chain does not hold the weights that were sent (${lastOutcome}); arbor validator status shows both`,
    },
    {
      alarm: 'stale-chain',
      isActive: sight.isStale,
      message: `no newer finalised head for ${Math.round(sight.headAgeMs / 1_000)} s, the metagraph is ${sight.behind} blocks behind (newest block ${sight.newest?.number ?? 'unknown'}): nothing is decided; look at the chain's endpoints`,
    },
    {
      alarm: 'chain-upgrade',
      isActive: broken.length > 0,
      message: `an upgrade of the chain broke what Arbor uses: ${broken.join(', ')}; see arbor chain compat, and update Arbor`,
    },
    {
      alarm: 'loop-failing',
      isActive: failing.length > 0,
      message: failing
        .map(
          ({ loop, failedInRow, lastError }) => `the loop "${loop}" failed ${failedInRow} times in a row: ${lastError}`,
        )
        .join('; '),
    },
    { alarm: 'ended', isActive: ended !== null ? true : isSettled ? false : null, message: ended ?? '' },
  ]
}

/** One thing that has to hold, and what it is now. */
export interface Check {
  readonly ok: boolean
  readonly is: string | number | boolean | null
}

/** Says whether a validator does its work now: what `/readyz` shows. */
export function readinessOf(vitals: Vitals): {
  readonly ready: boolean
  readonly checks: Readonly<Record<string, Check>>
} {
  const { sight, loops, broken, included } = vitals
  const me = sight.snapshot?.me
  const tempos = temposSinceInclusion(sight, included)
  const failing = loops.filter(({ failedInRow }) => failedInRow >= MOST_IN_ROW).map(({ loop }) => loop)
  const checks = {
    chain: {
      ok: sight.snapshot !== null && !sight.isStale,
      is: `head ${Math.round(sight.headAgeMs / 1_000)} s ago, metagraph ${sight.behind} blocks behind`,
    },
    registered: { ok: me !== undefined, is: me?.uid ?? null },
    permit: { ok: me?.validatorPermit === true, is: me?.validatorPermit ?? null },
    weights: {
      ok: tempos !== null && tempos <= MOST_TEMPOS,
      is: tempos === null ? null : Math.round(tempos * 100) / 100,
    },
    upgrade: { ok: broken.length === 0, is: broken.join(', ') },
    loops: { ok: failing.length === 0, is: failing.join(', ') },
  }
  return { ready: Object.values(checks).every(({ ok }) => ok), checks }
}
