import { fileURLToPath } from 'node:url'
import type { Block, Blocks, Hex, UnixMs } from '@arbor/shared/units'
import tiny from '@arbor/subnet-spec/inference-tiny'
import { describe, expect, test } from 'vitest'
import { mustBeSameChain, mustHoldModel } from '../src/checks.ts'
import { openLedger } from '../src/ledger.ts'
import { logOwner } from './logging.ts'

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

describe("the chain of a ledger's rounds", () => {
  const hashOf = (block: number): Hex => `0x${block.toString(16).padStart(64, 'a')}`
  const ledger = openLedger({ owner: logOwner })
  for (const block of [10, 15, 20]) {
    ledger.beginRound({
      roundBlock: block as Block,
      blockHash: hashOf(block),
      round: block / 5,
      length: 5 as Blocks,
      tempo: 10 as Blocks,
      spec: 'chat 1 0x00',
      miners: 1,
      state: 'planned',
      at: 0 as UnixMs,
    })
  }

  test('is followed when it holds the very blocks that rounds began at, or does not know the newest yet', async () => {
    await mustBeSameChain(ledger, { blockHash: async (number) => (number > 15 ? null : hashOf(number)) })
  })

  test.each([
    ['another fork of it', (number: number) => (number > 15 ? hashOf(number + 1_000) : hashOf(number))],
    ['a chain begun anew', (number: number) => hashOf(number + 1_000)],
  ])('is refused when it is %s, with both hashes', async (_, found) => {
    await expect(mustBeSameChain(ledger, { blockHash: async (number) => found(number) })).rejects.toMatchObject({
      code: 'VALIDATOR_OTHER_FORK',
      details: { block: 20, expected: hashOf(20), found: hashOf(1_020) },
    })
  })
})
