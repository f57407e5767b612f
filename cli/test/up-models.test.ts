import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { served } from '../src/up/models.ts'

const tiny = fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url))
let cwd: string

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'arbor-up-models-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

describe('served', () => {
  test('finds the model of a spec in the checkout', async () => {
    const found = await served({ spec: 'inference-tiny', model: undefined, cwd })
    const shown = { spec: 'inference-tiny', modelName: 'arbor-tiny', model: tiny }
    expect(found).toEqual({ ...shown, blockTime: '1s', training: null })
  })

  test('gives rounds of training longer blocks, and says what decides their phases', async () => {
    const found = await served({ spec: 'finetune', model: undefined, cwd })
    expect(found).toMatchObject({ model: tiny, blockTime: '2s', training: { roundsPerEpoch: 1 } })
  })

  test('makes a spec that pins the hash and the thresholds of a named model', async () => {
    const found = await served({ spec: 'inference', model: 'arbor-tiny', cwd })
    const { model } = await loadSpec(found.spec)
    const card = JSON.parse(readFileSync(join(tiny, 'card.json'), 'utf8')) as { hash: string }
    expect(model).toMatchObject({ name: 'arbor-tiny', hash: `0x${card.hash}` })
    expect(model.thresholds).toMatch(/^0x[0-9a-f]{64}$/)
    expect(found.model).toBe(tiny)
  })

  test('prefers a model that was added over the checkout, and refuses one without limits', async () => {
    const added = join(cwd, '.arbor', 'models', 'arbor-tiny')
    cpSync(tiny, added, { recursive: true })
    expect(await served({ spec: 'inference', model: 'arbor-tiny', cwd })).toMatchObject({ model: added })
    const card = JSON.parse(readFileSync(join(added, 'card.json'), 'utf8')) as object
    writeFileSync(join(added, 'card.json'), JSON.stringify({ ...card, thresholds: [] }))
    const refused = served({ spec: 'inference', model: 'arbor-tiny', cwd })
    await expect(refused).rejects.toMatchObject({ code: 'UP_NOT_CALIBRATED' })
  })

  test('names the places when there is no such model', async () => {
    const refused = served({ spec: 'inference', model: 'none-such', cwd })
    await expect(refused).rejects.toMatchObject({ code: 'MODEL_MISSING' })
  })
})
