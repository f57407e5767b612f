import { expect, test } from 'vitest'
import { audit } from '../../src/auditor/audit.ts'
import { compare, distanceOf, type Side } from '../../src/auditor/compare.ts'
import { honest, OUTCOMES, scene, serve, slow, spec } from './scene.ts'
import { NETUID, type Outcome, VALIDATOR } from './written.ts'

/** What an audit hears of a validator that saw miners so. */
async function side(outcome: Parameters<typeof scene>[0]): Promise<Side & { readonly facts: unknown }> {
  const { chain, log } = scene(outcome)
  const rounds: Side['rounds'][number][] = []
  const found = await audit(
    { chain: chain.client, netuid: NETUID, spec, open: () => serve(log.entries) },
    {
      validator: VALIDATOR.address,
      epoch: 3,
      url: 'http://127.0.0.1:1/',
      onRound: (group, before) => rounds.push({ group, before }),
    },
    new AbortController().signal,
  )
  expect(found.mismatch).toBeNull()
  const { attempt, facts } = found
  if (attempt === null) throw new Error('no row')
  const { entry, position } = attempt.placed
  return { rounds, row: attempt.recomputed, at: { block: entry.block.number, position }, facts }
}

const LATE: Outcome = { reason: 'timeout', value: 0, signed: false }
const metagraph = async () => (await scene().chain.client.metagraph(NETUID)) as never

test('a comparison names who timed out at one side, and how much of the difference that makes', async () => {
  const first = await side(undefined)
  const second = await side((hotkey, at) => (hotkey === slow && at === 70 ? LATE : (OUTCOMES[hotkey] ?? null)))
  const found = compare(first, second, { spec, metagraph: await metagraph() })
  const said = { first: { reason: 'ok', value: 0.5 }, second: { reason: 'timeout', value: 0 } }
  expect(found.differences).toEqual([{ roundBlock: 70, hotkey: slow, uid: 3, repeat: 0, ...said }])
  expect(found.pairs).toEqual({ 'ok / timeout': 1 })
  expect(found.distance).toBeGreaterThan(0)
  expect(found.explained).toBe(1)
})

test('a comparison names what one side alone asked', async () => {
  const first = await side(undefined)
  const second = await side((hotkey, at) => (hotkey === honest && at === 70 ? null : (OUTCOMES[hotkey] ?? null)))
  const found = compare(first, second, { spec, metagraph: await metagraph() })
  expect(found.pairs).toEqual({ 'ok / not asked': 1 })
})

test('a comparison finds nothing when both saw the same', async () => {
  const [first, second] = [await side(undefined), await side(undefined)]
  const found = compare(first, second, { spec, metagraph: await metagraph() })
  expect(found).toMatchObject({ differences: [], distance: 0, explained: null })
  expect(found.rounds.both).toBeGreaterThanOrEqual(2)
})

test('rows that pay nobody in common are 1 apart, and alike ones 0 whatever their scale', () => {
  const row = (...pairs: readonly (readonly [number, number])[]) => pairs as never
  expect(distanceOf(row([1, 65_535]), row([2, 65_535]))).toBe(1)
  expect(distanceOf(row([1, 65_535], [2, 65_535]), row([1, 100], [2, 100]))).toBe(0)
  expect(distanceOf(row(), row([2, 1]))).toBe(1)
  expect(distanceOf(row(), row())).toBe(0)
})
