import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { lookCost } from '../audit/detection.ts'
import { solveAudit } from '../audit/policy.ts'
import { INFERENCE_TERMS as terms } from '../inference/terms.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const page = readFileSync(join(root, 'docs/audits.md'), 'utf8')

test('the example of docs/audits.md prints what it says', async () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? []
  const said = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
  expect(said.length).toBeGreaterThan(4)
  const file = join(root, 'subnet-spec', `.example-${process.pid}-audits.ts`)
  writeFileSync(file, code)
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  try {
    await import(file)
    expect(printed.mock.calls.map((parts) => parts.join(' '))).toEqual(said)
  } finally {
    printed.mockRestore()
    rmSync(file)
  }
})

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
