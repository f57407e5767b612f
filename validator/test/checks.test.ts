import { fileURLToPath } from 'node:url'
import tiny from '@arbor/subnet-spec/inference-tiny'
import { describe, expect, test } from 'vitest'
import { mustHoldModel } from '../src/checks.ts'

const folder = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))

describe('the model of a validator', () => {
  test('is the one that the spec pins, limits and all', async () => {
    await expect(mustHoldModel(folder, tiny)).resolves.toBeUndefined()
  })

  test('is taken with its own limits where the spec pins none', async () => {
    const { name, hash } = tiny.model
    await expect(mustHoldModel(folder, { ...tiny, model: { name, hash } })).resolves.toBeUndefined()
  })

  test.each([
    ['another model', { hash: `0x${'00'.repeat(32)}` }, 'VALIDATOR_MODEL'],
    ['other limits', { thresholds: `0x${'00'.repeat(32)}` }, 'VALIDATOR_THRESHOLDS'],
  ] as const)('is refused when it is %s than the spec names', async (_, change, code) => {
    await expect(mustHoldModel(folder, { ...tiny, model: { ...tiny.model, ...change } })).rejects.toMatchObject({
      code,
    })
  })
})
