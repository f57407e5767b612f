import { transferKeepAlive } from '@arbor/chain/client/calls'
import { connectionLost } from '@arbor/chain/client/errors'
import type { WeightRow } from '@arbor/chain/client/types'
import { away } from '@arbor/chain/signer/errors'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Blocks, Rao, Uid } from '@arbor/shared/units'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eraBlocks } from '../../src/weights/era.ts'
import { alice, awaitPermit, bob, type Net, netuid, register, stake, startNet, validator } from './net.ts'
import { type Setter, startSetter } from './setter.ts'

const miner = keypairFromUri('//Bob//miner')
let net: Net
let uids: { own: Uid; miner: Uid }
let setter: Setter
let weight = 0
const newRow = (): WeightRow => {
  weight += 1
  return [
    [uids.own, weight],
    [uids.miner, 65_535],
  ]
}
const held = (): Promise<WeightRow> => net.client.weights(netuid, uids.own)
const pay = transferKeepAlive({ to: alice.address, amount: 5n as Rao })
const SUBMIT = 'author_submitAndWatchExtrinsic'

beforeAll(async () => {
  net = await startNet()
  await register(net, [validator, miner])
  await stake(net, validator, 500)
  await awaitPermit(net, validator)
  await net.rule('weights_set_rate_limit', { weights_set_rate_limit: 0 })
  uids = { own: await net.uidOf(validator.address), miner: await net.uidOf(miner.address) }
})
afterAll(() => net?.close())
beforeEach(async () => {
  setter = startSetter(net)
  await net.blocks(1)
})
afterEach(() => {
  net.faults.onRequest = () => undefined
  net.faults.onAnswer = () => undefined
  net.faults.alter = (_, result) => result
})

describe('C-12 outcome that nobody tells', () => {
  it('after the row had arrived is found in the blocks, and nothing is sent twice', async () => {
    const row = newRow()
    setter.set(row)
    const sent = net.offered.length
    net.faults.onAnswer = (method) => {
      if (method === SUBMIT) throw connectionLost('ws://chain', method)
    }
    expect(await setter.until('confirmed', 1)).toMatchObject({ attempt: { row } })
    expect(net.offered.length).toBe(sent + 1)
  })

  it('of a row that never arrived is "lost" once its era is over, and another row follows', async () => {
    setter.set(newRow())
    const from = net.number()
    net.faults.onRequest = (method) => {
      if (method === SUBMIT) throw connectionLost('ws://chain', method)
    }
    expect(await setter.until('lost', 1)).toMatchObject({ why: expect.stringMatching(/^InvalidTransaction.Expired/) })
    const { tempo } = (await net.snapshot()).metagraph
    expect(net.number() - from).toBeLessThanOrEqual(tempo) // before the next epoch
    net.faults.onRequest = () => undefined
    expect(await setter.until('confirmed')).toMatchObject({
      attempt: {
        row: [
          [uids.own, weight],
          [uids.miner, 65_535],
        ],
      },
    })
    expect(await held()).toEqual([
      [uids.own, weight],
      [uids.miner, 65_535],
    ])
  })

  it('and whose blocks no endpoint shows is settled by what the chain holds after them, and nothing is sent twice', async () => {
    const row = newRow()
    setter.set(row)
    const sent = net.offered.length
    net.faults.onAnswer = (method) => {
      if (method === SUBMIT) throw connectionLost('ws://chain', method)
    }
    net.faults.alter = (method, result) => (method === 'chain_getBlock' ? null : result)
    const outcome = await setter.until('unseen', 1)
    const last = setter.ledger.lastAttempt()?.sent?.lastBlock
    expect(outcome).toMatchObject({ until: last })
    expect(setter.ledger.weightPlan(0)).toMatchObject({ rule: 'unseen', at: last })
    expect(await setter.until('confirmed')).toMatchObject({ attempt: { row } })
    expect(setter.states()).toEqual(['computed', 'setting', 'finalised', 'confirmed'])
    expect(net.offered.length).toBe(sent + 1)
  })

  it('and whose blocks one endpoint did not show is found by looking again', async () => {
    const row = newRow()
    setter.set(row)
    const submit: typeof net.client.submit = async (...of) => {
      await net.client.submit(...of)
      return { status: 'unseen', hash: '0x', error: 'Chain.Unseen' }
    }
    Object.assign(setter.deps, { chain: { ...net.client, submit } })
    expect(await setter.until('confirmed', 1)).toMatchObject({ attempt: { row } })
  })

  it('since no block could be read is unseen, and not expired, for any call', async () => {
    net.faults.onRequest = (method) => {
      if (method === SUBMIT) throw connectionLost('ws://chain', method)
    }
    net.faults.alter = (method, result) => (method === 'chain_getBlock' ? null : result)
    expect(await net.submit(pay, bob)).toMatchObject({ status: 'unseen', error: 'Chain.Unseen' })
  })

  it('is looked for on where the block that was named does not hold it', async () => {
    let asked = 0
    net.faults.alter = (method, result) => {
      if (method !== 'chain_getBlock') return result
      asked += 1
      return asked > 1 ? result : { block: { ...(result as { block: object }).block, extrinsics: [] } }
    }
    const outcome = await net.submit(pay, bob)
    expect(outcome).toMatchObject({ status: 'finalised' })
    expect('events' in outcome && outcome.events.map(({ name }) => name)).toContain('ExtrinsicSuccess')
    expect(asked).toBeGreaterThan(2)
  })

  it.each([
    [1012, 'Transaction is temporarily banned', 'pool-known'],
    [1014, 'Priority is too low: (1 vs 2)', 'pool-replaced'],
    [1010, 'Transaction is outdated', 'outdated'],
    [1016, 'Immediately Dropped', 'pool-busy'],
  ])('refusal %i (%s) is a typed failure; the next try has other bytes', async (code, message, kind) => {
    const row = newRow()
    setter.set(row)
    const sent = net.offered.length
    net.faults.onRequest = (method) => {
      if (method === SUBMIT) throw net.refusal(code, message)
    }
    expect(await setter.until('failed', 1)).toMatchObject({ refusal: { kind, cure: 'anew' } })
    net.faults.onRequest = () => undefined
    net.faults.onAnswer = () => undefined
    expect(await setter.until('confirmed')).toMatchObject({ attempt: { row } })
    const bytes = net.offered.slice(sent)
    expect(new Set(bytes).size).toBe(bytes.length)
  })

  it('keeps tries apart while they come to nothing, and ends that with the first success', async () => {
    setter.set(newRow())
    net.faults.onRequest = (method) => {
      if (method === SUBMIT) throw net.refusal(1016, 'Immediately Dropped')
    }
    const from = net.number()
    for (let block = 0; block < 40; block += 1) {
      await setter.pass()
      await net.blocks(1)
    }
    const tries = setter.ledger.recentAttempts(0, 50).map(({ computedAt }) => computedAt - from)
    const { tempo } = (await net.snapshot()).metagraph
    const longest = Math.floor(tempo / 4) // 16 blocks are more than an epoch of this net
    const gaps = tries
      .reverse()
      .slice(1)
      .map((at, i) => at - (tries[i] ?? 0))
    expect(gaps).toEqual(gaps.map((_, i) => Math.min(2 ** i, longest)))
    expect(gaps.length).toBeGreaterThan(5)
    expect(setter.lines.some(({ event }) => event === 'weights.backing-off')).toBe(true)
    net.faults.onRequest = () => undefined
    await setter.until('confirmed')
  })
})

it("signer that is away is a failed attempt and no crash; the next block's try succeeds when it is back", async () => {
  const row = newRow()
  setter.set(row)
  const { sign } = validator
  const deps = {
    ...setter.deps,
    hotkey: { ...validator, sign: () => Promise.reject(away('/run/signer', 'nobody answers')) },
  }
  Object.assign(setter.deps, { hotkey: deps.hotkey })
  expect(await setter.until('failed', 1)).toMatchObject({
    refusal: { kind: 'signer-away', error: expect.stringMatching(/^SIGNER_AWAY: /) },
  })
  expect(setter.states()).toEqual(['computed', 'failed'])
  Object.assign(setter.deps, { hotkey: { ...validator, sign } })
  expect(await setter.until('confirmed')).toMatchObject({ attempt: { row } })
})

describe('era of a row', () => {
  it.each([
    [360, 100, 2, 64], // Bittensor: 13 minutes, and less than the rate limit
    [360, 20, 2, 16],
    [10, 2, 0, 4], // the development chain
    [20, 0, 0, 8],
    [20, 0, 9, 16], // longer than finality lags
    [0, 0, 0, 64],
  ])('of tempo %i, rate limit %i and a lag of %i is %i blocks', (tempo, rateLimit, lag, expected) => {
    expect(eraBlocks({ tempo: tempo as Blocks, rateLimit: rateLimit as Blocks, lag })).toBe(expected)
  })
})
