import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openNonces } from '@arbor/shared/bittensor/nonces'
import type { Ss58, UnixMs } from '@arbor/shared/units'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, describe, expect, it } from 'vitest'
import { mustServeBittensor } from '../../src/bittensor/miner.ts'
import { openNonceStore } from '../../src/bittensor/nonce-store.ts'
import { alice, bob } from './axon.ts'

const folder = mkdtempSync(join(tmpdir(), 'arbor-nonces-'))
const owner = { genesisHash: `0x${'ab'.repeat(32)}`, hotkey: bob.address } as const
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the nonce store', () => {
  it('has after it was closed what was in it, to the nanosecond', () => {
    const file = join(folder, 'a.sqlite')
    const first = openNonceStore({ file, owner })
    const mark = 1_795_225_544_684_768_071n
    first.raise(alice.address, mark)
    first.raise(alice.address, mark - 5n)
    first.raise(bob.address, 7n)
    first.forget(bob.address, 9n)
    first.forget('nobody' as Ss58, 8n)
    first.close()
    const again = openNonceStore({ file, owner })
    expect(again.marks()).toEqual(new Map([[alice.address, mark]]))
    expect(again.forgotten()).toBe(9n)
    again.close()
  })

  it('refuses after a restart what was used before', () => {
    const file = join(folder, 'b.sqlite')
    const now = 1_800_000_000_000 as UnixMs
    const nonce = {
      hotkey: alice.address,
      uuid: 'u',
      nonce: BigInt(now) * 1_000_000n,
      version: 10_005_000,
      timeoutS: 12,
      now,
    }
    for (const expected of [null, 'Nonce is too old, a newer one was last processed']) {
      const store = openNonceStore({ file, owner })
      const nonces = openNonces({ store })
      const why = nonces.judge(nonce)
      expect(why).toBe(expected)
      if (why === null) nonces.accept(nonce)
      store.close()
    }
  })

  it('says so when its file is none', () => {
    const file = join(folder, 'c.sqlite')
    writeFileSync(file, 'no database, but long enough to be taken for the beginning of one'.repeat(10))
    expect(() => openNonceStore({ file, owner })).toThrow(expect.objectContaining({ code: 'STORE_NOT_A_DATABASE' }))
  })
})

describe('--bittensor', async () => {
  const spec = await loadSpec('inference-tiny')
  const { chat } = spec.tasks
  if (chat === undefined) throw new Error('no task')
  const { synapse: _, ...bare } = chat
  it('is taken with a synapse and a port', () => {
    expect(() => mustServeBittensor({ spec, port: 0, requireSeal: false })).not.toThrow()
  })
  it.each([
    ['without a port', { spec, port: null, requireSeal: false }, /--port/],
    ['with --require-seal', { spec, port: 1, requireSeal: true }, /--require-seal/],
    [
      'without a synapse',
      { spec: { ...spec, tasks: { bare } }, port: 1, requireSeal: false },
      /no task of inference-tiny/,
    ],
  ])('is refused %s', (_name, of, message) => {
    expect(() => mustServeBittensor(of)).toThrow(
      expect.objectContaining({ code: 'MINER_BITTENSOR', message: expect.stringMatching(message) }),
    )
  })
})
