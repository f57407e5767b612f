import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '@arbor/shared/clock'
import { keypairFromUri } from '@arbor/shared/keys'
import { decodeSs58, ss58 } from '@arbor/shared/ss58'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requestOf, write } from '../../miner/test/net.ts'
import { ask, codeOf, meet, send } from './support/asker.ts'
import { must, type Net, netuid, startNet } from './support/net.ts'
import { descendants, type Running, type Said } from './support/process.ts'

/** Begins the numbers that choose when a validator is killed. */
const seed = 20_260_801
/** The net's spec halves a verdict's weight after so many rounds. */
const halfLifeRounds = 4
let net: Net
/** The process that runs under a name now. */
const running = new Map<string, Running>()
const at = (name: string): Running => must(running.get(name))
const start = (name: string, ...more: readonly string[]): Running => {
  const started = net.start(name, '--log-level', 'debug', ...more)
  running.set(name, started)
  return started
}

beforeAll(async () => {
  net = await startNet({ honest: 2, validators: 2, address: 81 })
  for (const name of ['miner-1', 'miner-2']) start(name)
  for (const name of ['miner-1', 'miner-2']) await at(name).event('miner.ready')
  for (const name of ['validator-1', 'validator-2']) start(name)
  for (const name of ['validator-1', 'validator-2']) await at(name).event('weights.confirmed')
}, 180_000)
afterAll(() => net?.close())

/** Reads a validator's ledger as it lies on disk. */
const ledger = <T>(name: string, read: (db: DatabaseSync) => T): T => {
  const db = new DatabaseSync(join(net.folder, name, 'ledger.sqlite'), { readOnly: true })
  try {
    return read(db)
  } finally {
    db.close()
  }
}
const lastAttempt = (name: string): string =>
  String(ledger(name, (db) => db.prepare('SELECT state FROM attempts ORDER BY id DESC LIMIT 1').get())?.state)
/** Tells whether bytes may have left for a row that nobody has read back. */
const isSending = (state: string): boolean => ['computed', 'setting', 'included'].includes(state)
const lastRound = (name: string): number =>
  Number(ledger(name, (db) => db.prepare('SELECT max(round_block) AS v FROM rounds').get())?.v)

/** Recomputes every score from the verdicts: each verdict must have moved its score exactly once, in order. */
const expectWholeScores = (name: string): void => {
  const { verdicts, scores } = ledger(name, (db) => {
    db.exec('BEGIN') // both reads see one state
    return {
      verdicts: db.prepare('SELECT hotkey, value FROM verdicts ORDER BY round_block').all(),
      scores: db.prepare('SELECT hotkey, average, samples FROM scores').all(),
    }
  })
  expect(scores).toHaveLength(2)
  const keep = 0.5 ** (1 / halfLifeRounds)
  for (const { hotkey, average, samples } of scores) {
    const values = verdicts.filter((verdict) => verdict.hotkey === hotkey).map(({ value }) => Number(value))
    expect(samples).toBe(values.length)
    const [first = Number.NaN, ...rest] = values
    expect(average).toBeCloseTo(
      rest.reduce((mean, value) => keep * mean + (1 - keep) * value, first),
      9,
    )
  }
}

/** Rows of both validators, once both hold one set after a block. */
const rowsAfter = (block: number) =>
  net.until(async (metagraph) => {
    const [first, second] = await Promise.all(
      ['validator-1', 'validator-2'].map(async (name) => {
        const { uid, lastUpdate } = net.neuron(net.member(name).hotkey, metagraph)
        return lastUpdate > block ? await net.client.weights(netuid, uid, metagraph.block.hash) : []
      }),
    )
    return first && second && first.length === 2 && second.length === 2 ? [first, second] : undefined
  })
const roundAfter =
  (block: number) =>
  (said: Said): boolean =>
    Number(said.block) > block
const bestBlock = async (): Promise<number> => (await net.client.best()).number
const reasons = (from: Running): readonly string[] =>
  from.events
    .filter(({ event }) => event === 'round.done')
    .flatMap(({ verdicts }) => (verdicts as readonly { reason: string }[]).map(({ reason }) => reason))

/** Yields the same shares of one each time. @source xorshift32 */
function* shares(): Generator<number, never> {
  for (let state = seed; ; ) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield (state >>> 0) / 2 ** 32
  }
}

describe('validator that is killed', { timeout: 240_000 }, () => {
  /** Expects a restarted validator to go on where the ledger ended. */
  const expectGoesOn = async (name: string, validator: Running, samples: number): Promise<void> => {
    const before = lastRound(name)
    const done = await validator.event('round.done', roundAfter(before))
    expect(Number(done.block)).toBeGreaterThan(before)
    const confirmed = await validator.event('weights.confirmed')
    expect(confirmed.row).toHaveLength(2)
    expectWholeScores(name)
    expect(samplesOf(name)).toBeGreaterThan(samples)
  }
  const samplesOf = (name: string): number =>
    Number(ledger(name, (db) => db.prepare('SELECT sum(samples) AS n FROM scores').get())?.n)

  test('goes on when it is killed at any moment', async () => {
    const random = shares()
    for (let kill = 0; kill < 4; kill += 1) {
      await at('validator-1').event('validator.ready')
      await wait(1_500 * random.next().value)
      await at('validator-1').kill9()
      start('validator-1')
    }
    await expectGoesOn('validator-1', at('validator-1'), samplesOf('validator-1'))
  })

  test('records no half round when it is killed in the middle of one', async () => {
    const samples = samplesOf('validator-1')
    const block = await bestBlock()
    const began = await at('validator-1').event('round.start', roundAfter(block))
    await at('validator-1').kill9()
    expect(lastRound('validator-1')).toBeLessThanOrEqual(Number(began.block))
    const counts = ledger('validator-1', (db) =>
      db.prepare('SELECT count(*) AS n FROM verdicts GROUP BY round_block').all(),
    ).map(({ n }) => n)
    expect(new Set(counts)).toEqual(new Set([2])) // a round is there with both verdicts, or not at all
    expectWholeScores('validator-1')
    await expectGoesOn('validator-1', start('validator-1'), samples)
  })

  test('reads its row back when it is killed between sending and reading it back', async () => {
    const samples = samplesOf('validator-1')
    for (;;) {
      while (!isSending(lastAttempt('validator-1'))) await wait(2)
      await at('validator-1').kill9()
      if (isSending(lastAttempt('validator-1'))) break
      start('validator-1') // it was quicker than the kill
      await at('validator-1').event('round.done')
    }
    const again = start('validator-1')
    await expectGoesOn('validator-1', again, samples)
    const states = ledger('validator-1', (db) => db.prepare('SELECT state FROM attempts ORDER BY id').all())
    expect(states.slice(0, -1).filter(({ state }) => isSending(String(state)))).toEqual([]) // each attempt came to an end
    expect(again.events.map(({ event }) => event)).not.toContain('weights.mismatch')
  })

  test('holds the same row as a validator that was never killed', async () => {
    const [first, second] = await rowsAfter(await bestBlock())
    expect(first).toEqual(second)
  })
})

describe('miner that is killed', { timeout: 120_000 }, () => {
  test('serves on at its port, refuses what was captured before, and a new session at once', async () => {
    const { hotkey } = net.member('miner-1')
    const url = String((await at('miner-1').event('miner.ready')).url)
    const metagraph = await net.client.metagraph(netuid)
    const axon = net.neuron(hotkey, metagraph).axon
    const body = requestOf(await loadSpec('inference-tiny'))
    const owner = keypairFromUri('//Alice//default') // the owner's hotkey, permitted since the first epoch
    const who = {
      signer: owner,
      receiver: { address: ss58(hotkey), publicKey: decodeSs58(hotkey) },
      genesis: net.client.genesisHash,
      registeredAt: net.neuron(owner.address, metagraph).registeredAt,
    }
    const asker = await meet(url, who)
    // Signed, so that the proof holds for any session of the miner's: only the asker's session can give it away.
    const written = write(asker, {
      now: systemClock.now(),
      body,
      pair: null,
      isSealed: false,
      proof: 'signature',
      timeoutMs: 60_000,
    })
    expect((await send(url, asker, written)).status).toBe(200)
    await at('miner-1').kill9()
    const again = start('miner-1', '--port', new URL(url).port)
    await again.event('miner.ready')
    const replayed = await send(url, asker, written)
    expect([replayed.status, codeOf(replayed)]).toEqual([401, 'WIRE_SESSION_OLD'])
    expect((await ask(url, await meet(url, who), { body })).status).toBe(200)
    expect(net.neuron(hotkey, await net.client.metagraph(netuid)).axon).toEqual(axon)
    expect(again.events.map(({ event }) => event)).not.toContain('miner.advertised')
    await again.event('miner.answered')
  })

  test('loses at most the jobs in flight when its inference process is killed', async () => {
    const block = await bestBlock()
    await at('validator-2').event('round.start', roundAfter(block))
    const before = await Promise.all(
      ['validator-1', 'validator-2'].map(async (name) => {
        await at(name).event('round.done', roundAfter(block - 5))
        return reasons(at(name)).filter((reason) => reason !== 'ok').length
      }),
    )
    process.kill(contained(at('miner-2').pid), 'SIGKILL')
    const after = await bestBlock()
    for (const name of ['validator-1', 'validator-2']) await at(name).event('round.done', roundAfter(after + 10))
    const lost = ['validator-1', 'validator-2'].map(
      (name, i) => reasons(at(name)).filter((reason) => reason !== 'ok').length - (before[i] ?? 0),
    )
    expect(lost.reduce((sum, n) => sum + n)).toBeLessThanOrEqual(2) // both validators' answers may be in its batch
    expect(at('miner-2').child.exitCode).toBeNull()
  })

  test('validator loses no verdict when its inference process is killed', async () => {
    const validator = at('validator-2')
    const block = await bestBlock()
    await validator.event('round.start', roundAfter(block))
    process.kill(contained(validator.pid), 'SIGKILL')
    const after = await bestBlock()
    await validator.event('round.done', roundAfter(after + 10))
    const rounds = validator.events.filter((said) => said.event === 'round.done' && Number(said.block) > block)
    for (const { verdicts } of rounds) expect(verdicts).toHaveLength(2)
    expectWholeScores('validator-2')
  })
})

test(
  'miners and validators go on by themselves when the chain is killed and started again',
  { timeout: 120_000 },
  async () => {
    const block = await bestBlock()
    const { epochIndex } = await net.client.metagraph(netuid)
    await net.chain.kill9()
    const again = await net.startChain()
    expect(Number((await again.event('chain.ready')).best)).toBeGreaterThanOrEqual(block)
    for (const name of ['validator-1', 'validator-2']) {
      await at(name).event('chain.reconnected')
      await at(name).event('round.done', roundAfter(block + 10))
    }
    await rowsAfter(block + 10) // both set weights again, for both miners
    expect((await net.client.metagraph(netuid)).epochIndex).toBeGreaterThan(epochIndex)
    for (const [, { child }] of running) expect(child.exitCode).toBeNull()
  },
)

/** Finds the inference process of a miner or validator. */
const contained = (pid: number): number =>
  must(descendants(pid).find((each) => readFileSync(`/proc/${each}/cmdline`, 'utf8').includes('contained/child')))
