import type { Hex } from '@arbor/shared/units'
import { choicesFrom } from '@arbor/subnet-spec/seed'
import { expect, test } from 'vitest'
import { expectExample } from '../../test/support/page-example.ts'
import { averageBound } from '../src/scoring/bound.ts'

test('the example of docs/scores.md prints what it says', () => expectExample({ page: 'scores', from: 'validator' }))

/** Moves an average as a score does; null where there was no verdict. */
const moved = (average: number, value: number | null, keep: number): number =>
  value === null ? average : keep * average + (1 - keep) * value

test('no two averages are further apart than their bound', () => {
  let tightest = 1
  for (let history = 0; history < 300; history += 1) {
    const choices = choicesFrom({ seed: `0x${history.toString(16).padStart(64, '0')}` as Hex, label: 'bound' })
    const halfLifeRounds = 1 + choices.below(8)
    const keep = 0.5 ** (1 / halfLifeRounds)
    const extreme = choices.below(2) === 0
    const draw = (): number => (extreme ? choices.below(2) : choices.below(1_001) / 1_000)
    let mine: number = draw()
    let theirs: number = choices.below(2) === 0 ? mine : draw()
    const apart = Math.abs(mine - theirs)
    let differing = 0
    for (let rounds = 1; rounds <= 20; rounds += 1) {
      const value = draw()
      const other = choices.below(4) > 0 ? value : choices.below(3) === 0 ? null : draw()
      if (other !== value) differing += 1
      mine = moved(mine, value, keep)
      theirs = moved(theirs, other, keep)
      const bound = averageBound({ halfLifeRounds, apart, rounds, differing })
      expect(Math.abs(mine - theirs)).toBeLessThanOrEqual(bound + 1e-12)
      if (bound > 0) tightest = Math.min(tightest, bound - Math.abs(mine - theirs))
    }
  }
  expect(tightest).toBeLessThan(0.01) // it is reached, so it is no larger than it has to be
})
