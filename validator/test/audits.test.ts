import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Block, Rao, Ss58 } from '@arbor/shared/units'
import { drawOf, isDrawn } from '@arbor/subnet-spec/audit/draw'
import inference from '@arbor/subnet-spec/inference-tiny'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AuditDeps, auditIfDue, runAudits } from '../src/audits.ts'
import type { ChainView, Snapshot } from '../src/chain-view.ts'
import type { Judge } from '../src/judge.ts'
import type { Keep } from '../src/keep.ts'
import { type Ledger, openLedger } from '../src/ledger.ts'
import { type ReceiptLoopDeps, runReceipts } from '../src/log/loop.ts'
import { createPrecedence } from '../src/precedence.ts'
import { noReceipts, type Receipt } from '../src/receipts.ts'
import { openTraffic } from '../src/traffic.ts'
import { asker, genesisHash, hashOf, headAt, metagraphOf, miner, netuid } from './audited.ts'
import { answeredBy, taskOf } from './exchange.ts'
import { recordRound } from './recorded.ts'

const owner = { genesisHash, netuid, hotkey: asker.address }
const never = new AbortController().signal

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-audits-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A round has 5 blocks, an epoch two rounds. */
const chain: AuditDeps['chain'] = {
  blockHash: async (number) => hashOf(number),
  metagraph: async () => metagraphOf(),
  registrationCost: async () => 500_000n as Rao,
}

interface World extends Disposable {
  readonly deps: AuditDeps
  readonly judged: string[]
  readonly receipts: Receipt[]
  record(counter: number, head: number): string
}

const open = (over: Partial<AuditDeps> & { readonly reason?: (text: string) => string } = {}): World => {
  const ledger = openLedger({ file: join(folder, 'ledger.sqlite'), owner })
  const traffic = openTraffic({ file: join(folder, 'traffic.sqlite'), owner, spec: inference })
  const judged: string[] = []
  const receipts: Receipt[] = []
  const judge: Judge = async ({ response }) => {
    const text = Buffer.from(response).toString()
    judged.push(text)
    const reason = over.reason?.(text) ?? 'ok'
    return { reason, value: reason === 'ok' ? 1 : 0, sigma: 0 }
  }
  const deps: AuditDeps = {
    chain,
    netuid,
    spec: inference,
    ledger,
    traffic,
    precedence: createPrecedence(),
    threads: 2,
    judge,
    receipts: { write: (receipt) => void receipts.push(receipt) },
    clock: createManualClock(),
    log: createLogger({ name: 'test', level: 'silent' }),
    self: asker.address,
    ...over,
  }
  return {
    deps,
    judged,
    receipts,
    record: (counter, head) => {
      const request = { n: counter }
      const answer = answeredBy({ counter, request, respond: () => ({ n: counter }) })
      return traffic.record({ task: taskOf(request), answer, head: head as Block }).id
    },
    [Symbol.dispose]: () => {
      ledger.close()
      traffic.close()
    },
  }
}

describe('audits', () => {
  test("look at the drawn ones of a round's answers once its successor's first block is final", async () => {
    using world = open()
    const ids = Array.from({ length: 40 }, (_, index) => world.record(index + 1, 10 + (index % 5)))
    await auditIfDue(world.deps, headAt(14), never)
    expect(world.judged).toEqual([])
    await auditIfDue(world.deps, headAt(15), never)
    const [plan] = world.deps.ledger.plans(15 as Block)
    expect(plan).toMatchObject({ answers: 40, dropped: 0, look: 1 })
    const share = plan?.share ?? 0
    expect(share).toBeGreaterThan(0.1)
    expect(share).toBeLessThan(1)
    const due = world.receipts.map(({ exchange }) => exchange)
    expect(world.judged.length).toBe(due.length)
    for (const { answerHash, after } of due) {
      const draw = drawOf({ blockHash: hashOf(after + 1), answerHash, hotkey: miner.address })
      expect(isDrawn(draw, share)).toBe(true)
    }
    expect(world.deps.ledger.audited(ids).size).toBe(due.length)
    expect(world.deps.traffic.oldest()).toBeNull()
  })

  test('ask for each block that draws once, however many answers it draws over', async () => {
    const asked: number[] = []
    using world = open()
    for (let counter = 1; counter <= 30; counter += 1) world.record(counter, 10 + (counter % 3))
    const chain = {
      ...world.deps.chain,
      blockHash: async (number: Block) => {
        asked.push(number)
        return hashOf(number)
      },
    }
    await auditIfDue({ ...world.deps, chain }, headAt(15), never)
    expect(asked.sort()).toEqual([...new Set(asked)].sort())
    expect(asked.length).toBeGreaterThan(1)
  })

  test('keep an answer of the running round for the next pass', async () => {
    using world = open()
    world.record(1, 14)
    const later = world.record(2, 15)
    await auditIfDue(world.deps, headAt(16), never)
    expect(world.deps.traffic.oldest()).toBe(15)
    await auditIfDue(world.deps, headAt(19), never)
    expect(world.deps.traffic.oldest()).toBe(15)
    await auditIfDue(world.deps, headAt(20), never)
    expect(world.judged).toHaveLength(2) // a single answer of a round is looked at for sure
    expect(world.deps.ledger.audited([later]).size).toBe(1)
  })

  test('forfeit the weight of a miner whose answer is proven not to be the model’s, over a restart', async () => {
    {
      using world = open({ reason: () => 'sampling' })
      const id = world.record(1, 11)
      await auditIfDue(world.deps, headAt(15), never)
      expect(world.deps.ledger.forfeits(16 as Block)).toMatchObject([
        { hotkey: miner.address, uid: 4, registeredAt: 5, reason: 'sampling', kind: 'user', receipt: id },
      ])
    }
    using again = open()
    const [forfeit] = again.deps.ledger.forfeits(15 as Block)
    expect(forfeit?.untilBlock).toBe(15 + 8 * 5)
    expect(again.deps.ledger.forfeits(54 as Block)).toHaveLength(1)
    expect(again.deps.ledger.forfeits(55 as Block)).toEqual([])
  })

  test('cost nothing where an answer is wrong for a reason that honest miners have', async () => {
    using world = open({ reason: () => 'late' })
    world.record(1, 11)
    await auditIfDue(world.deps, headAt(15), never)
    expect(world.judged).toHaveLength(1)
    expect(world.deps.ledger.forfeits(16 as Block)).toEqual([])
  })

  test.each([
    'judge',
    'record',
    'forget',
    'end',
  ] as const)('lose no answer and record none twice when they are killed before they %s', async (at) => {
    const killed = new Error('killed')
    const ids: string[] = []
    {
      using world = open()
      for (let counter = 1; counter <= 30; counter += 1) ids.push(world.record(counter, 12))
      const { ledger, traffic, judge } = world.deps
      const stop = new AbortController()
      let calls = 0
      const die = (): never => {
        stop.abort(killed)
        throw killed
      }
      const dying: AuditDeps = {
        ...world.deps,
        judge: (job, signal) => (at === 'judge' && ++calls > 1 ? die() : judge(job, signal)),
        ledger: {
          ...ledger,
          ...(at === 'record' ? { recordAudits: die } : {}),
          ...(at === 'end' ? { endPass: die } : {}),
        },
        traffic: { ...traffic, ...(at === 'forget' ? { forget: die } : {}) },
      }
      await expect(auditIfDue(dying, headAt(15), stop.signal)).rejects.toBe(killed)
    }
    using again = open()
    const plan = again.deps.ledger.plans(15 as Block)[0]
    again.record(31, 13) // of the same round, and written down after its pass was planned
    await auditIfDue(again.deps, headAt(16), never)
    const drawn = [...again.deps.ledger.audited(ids)]
    const share = plan?.share ?? 0
    expect(drawn.length).toBeGreaterThan(0)
    expect(again.deps.ledger.plans(15 as Block)).toEqual([plan])
    const expected = Array.from({ length: 30 }, (_, index) => {
      const { answerHash } = answeredBy({
        counter: index + 1,
        request: { n: index + 1 },
        respond: () => ({ n: index + 1 }),
      })
      return isDrawn(drawOf({ blockHash: hashOf(13), answerHash, hotkey: miner.address }), share)
    }).filter(Boolean).length
    expect(drawn).toHaveLength(expected)
    expect(again.deps.ledger.openPass()).toBeNull()
    expect(again.deps.traffic.waiting({ before: 99 as Block, upTo: 99, most: 9 })).toHaveLength(1)
  })

  test('wait while a round judges', async () => {
    using world = open()
    world.record(1, 11)
    const round = Promise.withResolvers<void>()
    const busy = world.deps.precedence.first(() => round.promise)
    const auditing = auditIfDue(world.deps, headAt(15), never)
    await new Promise((resolve) => setImmediate(resolve))
    expect(world.judged).toEqual([])
    round.resolve()
    await Promise.all([busy, auditing])
    expect(world.judged).toHaveLength(1)
  })

  test('look at no more than their bound of a flood, and say how surely a cheat would have been found', async () => {
    const said: { miners: { found: number; share: number; audited: number }[] }[] = []
    const log = createLogger({ name: 'test', level: 'silent' })
    log.info = ((fields: (typeof said)[number]) => void said.push(fields)) as typeof log.info
    using world = open({ log, receipts: noReceipts })
    for (let counter = 1; counter <= 300; counter += 1) world.record(counter, 12)
    await auditIfDue(world.deps, headAt(15), never)
    const [miners] = said.map(({ miners }) => miners[0])
    expect(miners?.share).toBeLessThan(0.1)
    expect(miners?.found).toBeCloseTo(0.9, 9) // the first of two rounds: 1 − 0.01^(1/2)
    expect(world.judged.length).toBe(miners?.audited)
  })

  test('have no verdict where nobody could judge', async () => {
    using world = open({ judge: () => Promise.reject(new Error('the engine crashed')) })
    const id = world.record(1, 11)
    await auditIfDue(world.deps, headAt(15), never)
    expect(world.deps.ledger.audited([id]).size).toBe(1)
    expect(world.deps.ledger.forfeits(16 as Block)).toEqual([])
    expect(world.deps.traffic.oldest()).toBeNull()
  })
})

test('audits and receipts that come to a metagraph which is too old wait for a later one, and spend no budget on it', async () => {
  const tooOld = new Error('nothing is decided by it')
  const snapshot = { metagraph: { ...metagraphOf(), block: headAt(15) } } as Snapshot
  const asked: (Block | null)[] = []
  const view: ChainView = {
    now: () => {
      throw tooOld
    },
    after: async (block) => {
      asked.push(block)
      return snapshot
    },
  }
  const twice: Keep = async (loop, signal) => {
    for (let time = 0; time < 2; time += 1)
      await expect(loop.next(signal).then((work) => loop.step(work, signal))).rejects.toBe(tooOld)
  }
  using world = open()
  await runAudits({ ...world.deps, view, keep: twice }, never)
  await runReceipts({ view, keep: twice } as unknown as ReceiptLoopDeps, never)
  expect(asked).toEqual([null, 15, null, 15])
})

test('a ledger keeps the longest forfeit of a registration at a block, whatever came first', () => {
  const forfeit = (kind: 'planned' | 'user', untilBlock: number) => ({
    hotkey: '5Fminer' as Ss58,
    uid: 3 as never,
    registeredAt: 7 as Block,
    atBlock: 10 as Block,
    untilBlock: untilBlock as Block,
    kind,
    reason: 'text',
    receipt: 'r',
  })
  const audit = { id: 'r', hotkey: '5Fminer' as Ss58, uid: 3 as never, registeredAt: 7 as Block, value: 0 }
  const audits = [{ ...audit, reason: 'text', checkMs: null, prefilled: null }]
  const byRound = (ledger: Ledger) => recordRound(ledger, { block: 10, forfeits: [forfeit('planned', 50)] })
  const byAudit = (ledger: Ledger) => {
    ledger.beginPass({ before: 10 as Block, upTo: 1, round: 1, epoch: 0, tokens: 1, plans: [] })
    ledger.recordAudits({ before: 10 as Block, at: 0 as never, audits, forfeits: [forfeit('user', 60)] })
  }
  for (const order of [
    [byRound, byAudit],
    [byAudit, byRound],
  ]) {
    using ledger = openLedger({ owner })
    for (const write of order) write(ledger)
    expect(ledger.forfeits(10 as Block)).toEqual([forfeit('user', 60)])
  }
})
