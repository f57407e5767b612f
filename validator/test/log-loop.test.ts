import type { DatabaseSync } from 'node:sqlite'
import { createRecordKeeper } from '@arbor/chain/client/committed-record'
import type { Call, ChainClient, Submission } from '@arbor/chain/client/types'
import { openStore } from '@arbor/chain/store/open'
import { transaction } from '@arbor/chain/store/transaction'
import { toHex } from '@arbor/shared/hex'
import { createManualClock } from '@arbor/shared/manual-clock'
import { encodeAnchor, readTreeHead, verifyHead } from '@arbor/shared/tree-head'
import type { Block, Hex, UnixMs } from '@arbor/shared/units'
import { pino } from 'pino'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Snapshot } from '../src/chain-view.ts'
import { LEDGER } from '../src/ledger-schema.ts'
import type { LogEntry } from '../src/log/entry.ts'
import { openLog, type ReceiptLog } from '../src/log/log.ts'
import { type ReceiptLoopDeps, runReceipts } from '../src/log/loop.ts'
import { hyperparameters, metagraph, neuron } from './fixtures.ts'
import { emptyState, entriesOfRound, hex32, logKey, logOwner, logTerms, rowEntry, stateAt } from './logging.ts'

let db: DatabaseSync
let log: ReceiptLog
beforeEach(() => {
  db = openStore({ kind: LEDGER, owner: null })
  log = openLog(db, logOwner)
  log.begin({ terms: logTerms, state: () => emptyState })
})
const add = (...entries: readonly LogEntry[]): void => transaction(db, () => log.append(entries))
const round = (number: number): void =>
  add(
    ...entriesOfRound({ round: number, block: number * 10 }),
    { kind: 'state', block: (number * 10 + 2) as Block, ...stateAt(number * 10) },
    rowEntry(number, number * 10 + 3),
  )

/** A chain's commitments, with the faults that a test wants. */
const commitments = () => {
  const state = {
    held: null as { block: bigint; bytes: Uint8Array; more?: readonly unknown[] } | null,
    used: null as { last_epoch: bigint; used_space: bigint } | null,
    maxSpace: 3_100n,
    block: 0,
    submitted: 0,
    refuse: null as string | null,
    /** The process dies after the chain took it. */
    diesAfter: false,
  }
  const chain: Pick<ChainClient, 'genesisHash' | 'read' | 'submit'> = {
    genesisHash: logOwner.genesisHash,
    read: async (_, item) => {
      if (item === 'MaxSpace') return state.maxSpace
      if (item === 'UsedSpaceOf') return state.used
      const { held } = state
      if (held === null) return null
      const fields = [{ [`Raw${held.bytes.length}`]: toHex(held.bytes) }, ...(held.more ?? [])]
      return { deposit: 0n, block: held.block, info: { fields } }
    },
    submit: async (call: Call): Promise<Submission> => {
      state.submitted += 1
      if (state.refuse !== null) return { status: 'refused', code: 1010, error: state.refuse, retryable: true }
      const { fields } = call.args.info as { fields: readonly Record<string, Hex>[] }
      const [first = {}, ...more] = fields
      const [value = '0x'] = Object.values(first)
      state.held = { block: BigInt(state.block), bytes: Buffer.from(value.slice(2), 'hex'), more }
      if (state.diesAfter) throw new Error('killed')
      return {
        status: 'finalised',
        block: { number: state.block as Block, hash: hex32('final') },
        hash: '0x',
        events: [],
      }
    },
  }
  return { state, chain }
}

interface World {
  readonly chain: ReturnType<typeof commitments>['state']
  readonly said: Record<string, unknown>[]
  readonly forgot: string[]
  /** Lets the loop see a block, some seconds after the one before. */
  step(
    block: number,
    of?: { readonly epoch?: number; readonly lastEpochBlock?: number; readonly ms?: number },
  ): Promise<void>
}

/** The loop of one process; the ledger and the chain outlive it. */
const start = (over: Partial<ReceiptLoopDeps> = {}, fake = commitments()): World => {
  const said: Record<string, unknown>[] = []
  const forgot: string[] = []
  const clock = createManualClock(1_800_000_000_000 as UnixMs)
  let now: Snapshot | null = null
  let step: (() => Promise<void>) | null = null
  const deps: ReceiptLoopDeps = {
    view: {
      now: () => {
        if (now === null) throw new Error('nothing seen')
        return now
      },
      after: () => Promise.reject(new Error('the test steps')),
    },
    keep: (loop, signal) => {
      step = () => loop.step(now as never, signal)
      return Promise.resolve()
    },
    chain: fake.chain,
    record: createRecordKeeper({ chain: fake.chain, netuid: logOwner.netuid, hotkey: logKey }),
    log: pino({ level: 'debug' }, { write: (line: string) => void said.push(JSON.parse(line)) }),
    receipts: log,
    servable: () => null,
    forget: (ids) => void forgot.push(...ids),
    hotkey: logKey,
    netuid: logOwner.netuid,
    clock,
    checkAll: async () => log.check(),
    anchorAt: 'http://203.0.113.7:9000',
    keepEpochs: 2,
    keepEntries: 1_000_000,
    ...over,
  }
  void runReceipts(deps, new AbortController().signal)
  return {
    chain: fake.state,
    said,
    forgot,
    step: async (block, { epoch = 1, lastEpochBlock = 0, ms = 12_000 } = {}) => {
      await clock.advance(ms)
      fake.state.block = block + 1
      const me = neuron({ hotkey: logKey.address })
      now = {
        metagraph: metagraph({
          block: { number: block as Block, hash: hex32(`block ${block}`) },
          epochIndex: epoch,
          lastEpochBlock,
          neurons: [me],
        }),
        hyperparameters: hyperparameters(),
        me,
      }
      await step?.()
    },
  }
}
const events = (world: World): string[] => world.said.map(({ event }) => String(event))
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: { code?: unknown }) => error.code,
  )

describe('receipts loop', () => {
  test('tells nothing of what a commit still hides, and never less than before', async () => {
    let servable: number | null = 0
    const world = start({ servable: () => servable })
    await world.step(11)
    expect(log.heads.newest()).toBeNull()
    servable = 1
    await world.step(12)
    expect(log.heads.newest()?.size).toBe(1)
    expect(world.chain.held).not.toBeNull()
    servable = null
    await world.step(13)
    const all = log.extent().size
    expect(all).toBeGreaterThan(1)
    expect(log.heads.newest()?.size).toBe(all)
    servable = 1
    await world.step(14)
    expect(log.heads.newest()?.size).toBe(all)
  })

  test('signs a head whenever entries were added, and no two within two seconds', async () => {
    const world = start({ anchorAt: null })
    await world.step(11)
    const first = log.heads.newest()
    expect(first).toMatchObject({ size: log.extent().size, block: 11 })
    expect(first !== null && verifyHead(first)).toBe(true)
    await world.step(12)
    expect(log.heads.newest()).toEqual(first)
    round(1)
    await world.step(13, { ms: 100 })
    const second = log.heads.newest()
    expect(second).toMatchObject({ size: log.extent().size, block: 13 })
    round(2)
    await world.step(14, { ms: 1_999 })
    expect(log.heads.newest()).toEqual(second)
    await world.step(15, { ms: 1 })
    expect(log.heads.newest()?.size).toBe(log.extent().size)
  })

  test('asks for a signature as of a head, over its canonical bytes', async () => {
    const asked: unknown[] = []
    const hotkey: ReceiptLoopDeps['hotkey'] = {
      ...logKey,
      sign: (message, purpose) => {
        asked.push([readTreeHead(message)?.size, purpose])
        return logKey.sign(message)
      },
    }
    await start({ hotkey, anchorAt: null }).step(11)
    expect(asked).toEqual([[log.extent().size, { kind: 'head' }]])
  })

  test('signs nothing before the whole log was found whole', async () => {
    round(1)
    db.prepare("UPDATE log_entries SET body = replace(body, 'ok', 'no') WHERE position = 3").run()
    const world = start()
    expect(await codeOf(world.step(11))).toBe('LOG_EDITED')
    expect(await codeOf(world.step(12))).toBe('LOG_EDITED')
    expect([log.heads.newest(), world.chain.submitted]).toEqual([null, 0])
  })

  test('anchors the newest head once an epoch, and believes it when it is read back', async () => {
    const world = start()
    round(1)
    await world.step(11, { lastEpochBlock: 5 })
    const anchored = log.heads.anchored()
    expect(anchored).toMatchObject({ anchoredAt: 12, head: { size: log.extent().size } })
    round(2)
    await world.step(20, { lastEpochBlock: 5 })
    expect(world.chain.submitted).toBe(1)
    await world.step(26, { epoch: 2, lastEpochBlock: 25 })
    expect(world.chain.submitted).toBe(2)
    expect(log.heads.anchored()).toMatchObject({ anchoredAt: 27, head: { size: log.extent().size } })
    const { head } = log.heads.anchored() ?? anchored ?? { head: { size: 0, root: hex32('') } }
    expect(world.chain.held?.bytes).toEqual(
      Buffer.from(encodeAnchor({ size: head.size, root: head.root, url: 'http://203.0.113.7:9000' })),
    )
    await world.step(46, { epoch: 3, lastEpochBlock: 45 }) // nothing new to say
    expect(world.chain.submitted).toBe(2)
  })

  test('notes an anchor that was set just before a kill, and does not set it again', async () => {
    const fake = commitments()
    fake.state.diesAfter = true
    await expect(start({}, fake).step(11)).rejects.toThrow('killed')
    expect(log.heads.anchored()).toBeNull()
    fake.state.diesAfter = false
    const again = start({}, fake)
    await again.step(13)
    expect(again.chain.submitted).toBe(1)
    expect(log.heads.anchored()).toMatchObject({ anchoredAt: 12 })
  })

  test('tries an anchor that the chain refused some blocks later', async () => {
    const world = start()
    world.chain.refuse = 'InvalidTransaction.TxRateLimitExceeded'
    for (const block of [11, 12, 20, 30]) await world.step(block)
    expect(world.chain.submitted).toBe(1)
    world.chain.refuse = null
    await world.step(31)
    expect(log.heads.anchored()).toMatchObject({ anchoredAt: 32 })
  })

  test("submits nothing that the chain's space for the epoch does not take", async () => {
    const world = start()
    world.chain.used = { last_epoch: 1n, used_space: 3_050n }
    await world.step(11)
    expect([world.chain.submitted, events(world).includes('receipts.no-space')]).toEqual([0, true])
    await world.step(41, { epoch: 2, lastEpochBlock: 40 })
    expect(world.chain.submitted).toBe(1)
  })

  test('leaves the other fields of the record as they are, and finds its own behind them', async () => {
    const fake = commitments()
    const url = { Raw25: toHex(Buffer.from('https://example.com/model')) }
    fake.state.held = { block: 3n, bytes: Buffer.from('a vote'), more: [url] }
    const world = start({}, fake)
    await world.step(11, { lastEpochBlock: 5 })
    const { head } = log.heads.anchored() ?? { head: null }
    expect(head?.size).toBe(log.extent().size)
    expect(fake.state.held?.more).toEqual([{ Raw6: toHex(Buffer.from('a vote')) }, url])
    expect(events(world)).not.toContain('receipts.replaces')
    // Another part of the process votes: the anchor stands behind the vote now, in a younger record.
    const anchor = { [`Raw${fake.state.held?.bytes.length}`]: toHex(fake.state.held?.bytes ?? new Uint8Array()) }
    fake.state.held = { block: 27n, bytes: Buffer.from('a new vote'), more: [anchor, url] }
    round(1)
    await world.step(28, { epoch: 2, lastEpochBlock: 25 })
    expect(world.chain.submitted).toBe(2)
    expect(log.heads.anchored()).toMatchObject({ anchoredAt: 29, head: { size: log.extent().size } })
  })

  test('says so when the record was full and something had to leave it', async () => {
    const fake = commitments()
    const more = ['b', 'c'].map((text) => ({ Raw1: toHex(Buffer.from(text)) }))
    fake.state.held = { block: 3n, bytes: Buffer.from('a'), more }
    const world = start({}, fake)
    await world.step(11)
    expect(events(world)).toContain('receipts.replaces')
    expect(fake.state.held?.more).toEqual([{ Raw1: toHex(Buffer.from('a')) }, more[0]])
    expect(log.heads.anchored()).not.toBeNull()
  })

  test('anchors nothing where that is turned off, nor when it is not registered', async () => {
    const world = start({ anchorAt: null })
    await world.step(11)
    expect([world.chain.submitted, log.heads.newest() !== null]).toEqual([0, true])
  })

  describe('after its ledger was lost or put back', () => {
    const anchorOf = (size: number, root: Hex) => ({ block: 9n, bytes: encodeAnchor({ size, root, url: '' }) })

    test.each([
      ['an older copy', 1_000],
      ['another history', 1],
    ])('refuses to sign %s of what the chain holds', async (_, size) => {
      const fake = commitments()
      fake.state.held = anchorOf(size, hex32('another root'))
      const world = start({}, fake)
      expect(await codeOf(world.step(11))).toBe('LOG_BEHIND_ANCHOR')
      expect([log.heads.newest(), world.chain.submitted]).toEqual([null, 0])
    })

    test('goes on where the terms say what was lost, also at the next start', async () => {
      const fake = commitments()
      const lost = { size: 1_000, root: hex32('another root') }
      fake.state.held = anchorOf(lost.size, lost.root)
      log.begin({ terms: { ...logTerms, lost }, state: () => emptyState })
      log.begin({ terms: logTerms, state: () => emptyState })
      const world = start({}, fake)
      await world.step(11)
      expect(log.heads.anchored()).toMatchObject({ head: { size: log.extent().size } })
      log.begin({ terms: { ...logTerms, spec: { ...logTerms.spec, version: 9 } }, state: () => emptyState })
      expect(log.lost()).toEqual(lost)
    })

    test('goes on when the chain holds a beginning of it', async () => {
      const fake = commitments()
      fake.state.held = anchorOf(2, log.root(2))
      round(1)
      await start({}, fake).step(11)
      expect(log.heads.anchored()).toMatchObject({ head: { size: log.extent().size } })
    })
  })

  test('forgets old entries once an epoch, with their receipts', async () => {
    for (let number = 1; number <= 10; number += 1) round(number)
    const world = start()
    await world.step(101, { epoch: 10, lastEpochBlock: 100 })
    const { first } = log.extent()
    expect(first).toBeGreaterThan(20)
    expect(world.forgot.length).toBeGreaterThan(6)
    expect(events(world)).toContain('receipts.pruned')
    for (let number = 11; number <= 14; number += 1) round(number)
    await world.step(141, { epoch: 10, lastEpochBlock: 100 })
    expect(log.extent().first).toBe(first)
    await world.step(142, { epoch: 14, lastEpochBlock: 140 })
    expect(log.extent().first).toBeGreaterThan(first)
    expect(log.check({ read: true }).entries).toBe(log.extent().size)
  })
})
