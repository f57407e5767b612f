import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openEngine } from '@arbor/engine/open'
import type { Hex } from '@arbor/shared/units'
import type { Verdict } from '@arbor/subnet-spec/define'
import { loadSpec } from '@arbor/subnet-spec/load'
import type { Timing } from '@arbor/subnet-spec/timing'
import { afterAll, expect, test } from 'vitest'

interface Case {
  readonly kind: string
  readonly seed: Hex
  readonly response: unknown
  readonly verdict: Verdict
}

/** Made once by scripts/spec-verdicts.ts; a change of verdicts needs a new version of the spec. */
const golden = JSON.parse(readFileSync(new URL('vectors/spec/inference.json', import.meta.url), 'utf8')) as {
  timing: Timing
  cases: Case[]
}
const engine = await openEngine({ folder: fileURLToPath(new URL('../models/arbor-tiny', import.meta.url)) })
const task = (await loadSpec('inference-tiny')).tasks.chat
afterAll(() => engine.close())

test.each(golden.cases)('a recorded $kind answer to seed $seed gets the recorded verdict', async ({
  seed,
  response,
  verdict,
}) => {
  if (task === undefined) throw new Error('the spec has no task chat')
  const binding = `0x${'b1'.repeat(32)}` as const
  const request = task.plan({ seed })
  expect(await task.score({ request, response, binding, engine, timing: golden.timing })).toEqual(verdict)
})

test('every recorded honest answer is believed, and no int8 answer is', () => {
  expect(
    golden.cases.map(({ kind, verdict }) => (verdict.reason === 'ok') === (kind === 'honest')).every(Boolean),
  ).toBe(true)
})
