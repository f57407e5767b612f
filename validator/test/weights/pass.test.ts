import type { WeightRow } from '@arbor/chain/client/types'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Uid } from '@arbor/shared/units'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readFacts } from '../../src/weights/facts.ts'
import { newMemory, weighOnce } from '../../src/weights/pass.ts'
import { type LiveChain, statusLines, statusOf } from '../../src/weights/status.ts'
import { awaitPermit, epochBegins, type Net, netuid, register, stake, startNet, validator } from './net.ts'
import { type Setter, startSetter } from './setter.ts'

const miner = keypairFromUri('//Bob//miner')
const other = keypairFromUri('//Bob//other')
let net: Net
let uids: { validator: Uid; miner: Uid; other: Uid }
let setter: Setter
const row = (weight: number): WeightRow => [
  [uids.miner, 65_535],
  [uids.other, weight],
]
const held = (mechanism = 0): Promise<WeightRow> => net.client.weights(netuid, uids.validator, undefined, mechanism)
const events = (...names: string[]) => setter.lines.filter(({ event }) => names.includes(`${event}`))
const commitReveal = (enabled: boolean) => net.rule('commit_reveal_weights_enabled', { enabled })

beforeAll(async () => {
  net = await startNet()
  await register(net, [validator, miner, other])
  await stake(net, validator, 500)
  await awaitPermit(net, validator)
  uids = {
    validator: await net.uidOf(validator.address),
    miner: await net.uidOf(miner.address),
    other: await net.uidOf(other.address),
  }
})
afterAll(() => net?.close())
beforeEach(() => {
  setter = startSetter(net)
})

describe('row in the open', () => {
  it('C-03 is confirmed only when it was read back from a final block, and each step is in the ledger', async () => {
    setter.set(row(100))
    const confirmed = await setter.until('confirmed')
    expect(await held()).toEqual(row(100))
    expect(setter.states()).toEqual(['computed', 'setting', 'included', 'finalised', 'confirmed'])
    const attempt = setter.ledger.lastAttempt()
    expect(attempt).toMatchObject({ state: 'confirmed', row: row(100), method: 'open' })
    expect(attempt?.readBackAt).toBeGreaterThanOrEqual(attempt?.includedAt ?? Number.POSITIVE_INFINITY)
    expect(confirmed).toMatchObject({ block: attempt?.readBackAt })
    expect(setter.ledger.lastIncluded(0)).toBe(attempt?.includedAt)
    expect(events('weights.confirmed')).toMatchObject([{ row: row(100), includedAt: attempt?.includedAt }])
    expect(events('weights.sent')).toMatchObject([{ call: 'set_weights', hash: attempt?.sent?.hash }])
  })

  it('is not sent again while it stays the same, and again after a tempo', async () => {
    setter.set(row(101))
    await setter.until('confirmed')
    const { tempo, neurons } = (await net.snapshot()).metagraph
    const last = neurons[uids.validator]?.lastUpdate ?? 0
    const sent = net.offered.length
    while (net.number() < last + tempo - 1) {
      await net.blocks(1)
      await setter.pass()
    }
    expect(net.offered.length).toBe(sent)
    expect(events('weights.unchanged').at(-1)).toMatchObject({ at: last + tempo })
    await net.blocks(1)
    await setter.until('confirmed')
    expect(net.offered.length).toBe(sent + 1)
  })

  it('is not judged by a block that does not know the hotkey', async () => {
    setter.set(row(104))
    const stop = new AbortController()
    const pass = async (deps: typeof setter.deps, snapshot: Awaited<ReturnType<typeof net.snapshot>>) =>
      net.drive(weighOnce(deps, snapshot, newMemory(), stop.signal))
    const read = net.client.weights
    let reads = 0
    /** Answers what is asked before a row is sent, and not what is asked after. */
    const once: typeof read = (...of) => (reads++ === 0 ? read(...of) : Promise.reject(new Error('no answer')))
    for (let made = 0; made < 20 && setter.ledger.lastAttempt()?.state !== 'finalised'; made += 1) {
      reads = 0
      await pass({ ...setter.deps, chain: { ...net.client, weights: once } }, await net.snapshot()).catch(() => [])
      await net.blocks(1)
    }
    expect(setter.ledger.lastAttempt()?.state).toBe('finalised')
    const unknown = { ...(await net.snapshot()), me: undefined }
    expect(await pass(setter.deps, unknown)).toMatchObject([{ kind: 'waiting', next: { rule: 'registered' } }])
    expect(setter.ledger.lastAttempt()?.state).toBe('finalised')
    await setter.until('confirmed')
  })

  it('is not decided upon by a block older than what is known of it, and that is told', async () => {
    setter.set(row(105))
    const old = await net.snapshot()
    await setter.until('confirmed')
    const { readBackAt } = setter.ledger.lastAttempt() ?? {}
    const at = Number(readBackAt) + 1
    const sent = net.offered.length
    for (const _ of [1, 2])
      expect(await weighOnce(setter.deps, old, newMemory(), new AbortController().signal)).toEqual([])
    expect(net.offered.length).toBe(sent)
    expect(events('weights.behind').at(-1)).toMatchObject({ block: old.metagraph.block.number, known: readBackAt, at })
    expect(setter.ledger.weightPlan(0)).toMatchObject({ rule: 'behind', at, block: old.metagraph.block.number })
    const facts = await readFacts({ chain: net.client, netuid, mechanism: 0, hotkey: validator }, old)
    const status = (live: LiveChain) =>
      statusOf({
        ...{ ledger: setter.ledger, owner: { netuid, hotkey: validator.address }, mechanism: 0, away: null },
        live,
      })
    const told = status({ url: 'ws://chain', facts, blockMs: 1_000 })
    expect(told.next).toMatchObject({ rule: 'behind', at, inBlocks: at - old.metagraph.block.number })
    expect(statusLines(told).join('\n')).toMatch(/waits for behind: block \d+ is older than \d+/)
    await net.blocks(1)
    const newer = { ...facts, metagraph: (await net.snapshot()).metagraph }
    expect(status({ url: 'ws://chain', facts: newer, blockMs: 1_000 }).next.rule).not.toBe('behind')
  })

  it('goes to its own mechanism, beside another', async () => {
    await net.rule('mechanism_count', { mechanism_count: 2 })
    const second = startSetter(net, { mechanism: 1 })
    second.set(row(102))
    setter.set(row(103))
    await setter.until('confirmed')
    expect(await second.until('confirmed')).toMatchObject({ attempt: { mechanism: 1 } })
    expect([await held(0), await held(1)]).toEqual([row(103), row(102)])
  })
})

describe('salted row', () => {
  it('C-06 is committed once an epoch, told by when it is revealed, then opened and confirmed', async () => {
    await commitReveal(true)
    await epochBegins(net)
    setter.set(row(200))
    const outcome = await setter.until('committed')
    expect(outcome).toMatchObject({ attempt: { method: 'salted', opens: { from: expect.any(Number) } } })
    const sent = net.offered.length
    const [told] = events('weights.committed')
    expect(told?.msg).toMatch(/^weights committed, and revealed in \d+ blocks, from block \d+ on$/)
    const opens = setter.ledger.lastAttempt()?.opens
    await net.blocks(1)
    await setter.pass()
    expect(events('weights.pending').at(-1)?.msg).toMatch(/revealed in \d+ blocks/)
    expect(net.offered.length).toBe(sent)
    expect(await setter.until('confirmed')).toMatchObject({ attempt: { row: row(200) } })
    expect(net.offered.length).toBe(sent + 1)
    expect(await held()).toEqual(row(200))
    const attempt = setter.ledger.lastAttempt()
    expect(attempt?.includedAt).toBeGreaterThanOrEqual(opens?.from ?? Number.POSITIVE_INFINITY)
    expect(setter.states()).toEqual([
      ...['computed', 'committing', 'committed', 'revealing', 'included', 'finalised', 'confirmed'],
    ])
  })

  it.each([
    ['is sent again while the commit waits', 0, ['committed', 'revealing', 'included', 'finalised', 'confirmed']],
    ['ends as expired after the window', 60, ['committed', 'expired']],
  ])('opening that another fork took off the chain %s', async (_, blocks, after) => {
    await epochBegins(net)
    setter.set(row(220 + blocks))
    await setter.until('committed')
    const { id } = setter.ledger.lastAttempt() ?? { id: 0 }
    let isOff = false
    /** Shows the first opening in a block, and then says that no block took it. */
    const submit: typeof net.client.submit = async (call, of) => {
      if (call.call !== 'reveal_weights' || isOff) return net.client.submit(call, of)
      isOff = true
      const best = await net.client.best()
      of.onSigned?.({ hash: best.hash, birth: best.number, lastBlock: (best.number + 4) as Block })
      of.onIncluded?.(best)
      await net.blocks(blocks)
      return { status: 'refused', code: 0, error: 'InvalidTransaction.Expired', retryable: true }
    }
    Object.assign(setter.deps, { chain: { ...net.client, submit } })
    const end = after.at(-1) ?? ''
    for (let made = 0; made < 80 && !setter.states(id).includes(end); made += 1) {
      await setter.pass()
      await net.blocks(1)
    }
    expect(setter.states(id)).toEqual(['computed', 'committing', 'committed', 'revealing', 'included', ...after])
    const committed = setter.ledger.attemptMoves(id).filter(({ state }) => state === 'committed')
    expect(committed.map(({ block }) => block)).toEqual([committed[0]?.block, committed[0]?.block])
  })

  it('opening that is not of the commit on the chain ends as failed, by the chain’s own word', async () => {
    await epochBegins(net)
    setter.set(row(230))
    await setter.until('committed')
    const { id } = setter.ledger.lastAttempt() ?? { id: 0 }
    /** Opens with another salt than was committed with. */
    const submit: typeof net.client.submit = (call, of) =>
      net.client.submit(call.call === 'reveal_weights' ? { ...call, args: { ...call.args, salt: [9, 9] } } : call, of)
    Object.assign(setter.deps, { chain: { ...net.client, submit } })
    for (let made = 0; made < 40 && !setter.states(id).includes('failed'); made += 1) {
      await setter.pass()
      await net.blocks(1)
    }
    expect(setter.states(id)).toEqual(['computed', 'committing', 'committed', 'revealing', 'failed'])
    expect(setter.ledger.attemptMoves(id).at(-1)?.error).toMatch(/InvalidRevealCommitHashNotMatch/)
  })

  it('is committed in each epoch, and each is opened in the next', async () => {
    const rows = [row(210), row(211), row(212)]
    for (const each of rows) {
      setter.set(each)
      await setter.until('committed')
    }
    await setter.until('confirmed')
    const confirmed = setter.ledger.recentAttempts(0, 10).filter(({ state }) => state === 'confirmed')
    expect(confirmed.map((attempt) => attempt.row).reverse()).toEqual(rows)
    expect(await held()).toEqual(row(212))
  })
})
