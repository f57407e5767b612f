import { expect, test } from 'vitest'
import { expectExample, readPage } from '../../test/support/page-example.ts'
import { lookCost } from '../audit/detection.ts'
import { solveAudit } from '../audit/policy.ts'
import { INFERENCE_TERMS as terms } from '../inference/terms.ts'

const page = readPage('audits')

test('the example of docs/audits.md prints what it says', () => expectExample({ page: 'audits', from: 'subnet-spec' }))

test('the table of docs/audits.md is what the inference terms give in the second round of an epoch', () => {
  const rows = [...page.matchAll(/^\| (\d+) \| ([\d.]+) % \| ([\d.]+) % \|$/gm)]
  expect(rows.length).toBe(5)
  const stakes = { emissionPerRound: 100, burn: 50, idleRounds: 2, forfeitRounds: 8 }
  for (const [, answers = '', drawn, prefilled] of rows) {
    const of = { terms, stakes, answers: Number(answers), chunks: 4, rounds: 2 }
    const first = solveAudit({ ...of, round: 1, missed: terms.attacks.map(() => 1) })
    const { share, look, isEnough } = solveAudit({
      ...of,
      round: 2,
      missed: first.attacks.map(({ found }) => 1 - found),
    })
    expect(isEnough).toBe(true)
    expect((100 * share).toFixed(1)).toBe(drawn)
    expect((100 * share * lookCost(look)).toFixed(1)).toBe(prefilled)
  }
})
