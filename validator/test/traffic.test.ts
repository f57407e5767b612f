import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Block, Ss58 } from '@arbor/shared/units'
import inference from '@arbor/subnet-spec/inference-tiny'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { exchangeId } from '../src/exchange.ts'
import { openTraffic } from '../src/traffic.ts'
import { answeredBy, asker, genesisHash, netuid, taskOf } from './exchange.ts'

const owner = { genesisHash, netuid, hotkey: asker.address }
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-traffic-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (maxWaiting?: number) =>
  openTraffic({
    file: join(folder, 'traffic.sqlite'),
    owner,
    spec: inference,
    ...(maxWaiting === undefined ? {} : { maxWaiting }),
  })
const record = (traffic: ReturnType<typeof open>, counter: number, head: number, hotkey?: string): string => {
  const request = { n: counter }
  const task = { ...taskOf(request), ...(hotkey === undefined ? {} : { hotkey: hotkey as Ss58 }) }
  const answer = answeredBy({ counter, request, respond: () => ({ text: 'x' }) })
  return traffic.record({ task, answer, head: head as Block }).id
}
const all = { before: 1_000 as Block, upTo: Number.MAX_SAFE_INTEGER }

describe('traffic', () => {
  test("gives one process's answers to another, oldest first, with the ids of their receipts", () => {
    using gateway = open()
    using validator = open()
    const ids = [record(gateway, 1, 41), record(gateway, 2, 40), record(gateway, 3, 42)]
    const waiting = validator.waiting({ ...all, before: 42 as Block, most: 10 })
    expect(waiting.map(({ id }) => id)).toEqual([ids[1], ids[0]])
    expect(waiting.map(({ exchange }) => exchangeId(exchange))).toEqual([ids[1], ids[0]])
    expect(validator.oldest()).toBe(40)
    validator.forget([ids[0] ?? '', ids[1] ?? ''])
    expect(gateway.waiting({ ...all, most: 10 }).map(({ id }) => id)).toEqual([ids[2]])
  })

  test('takes an answer once, however often it is written down', () => {
    using traffic = open()
    expect(record(traffic, 1, 40)).toBe(record(traffic, 1, 40))
    expect(traffic.counts(all)).toMatchObject([{ uid: 4, answers: 1, dropped: 0 }])
  })

  test('leaves what came later to the next pass', () => {
    using traffic = open()
    record(traffic, 1, 40)
    const upTo = traffic.lastRow()
    record(traffic, 2, 40)
    expect(traffic.waiting({ before: 50 as Block, upTo, most: 10 })).toHaveLength(1)
    expect(traffic.counts({ before: 50 as Block, upTo })).toMatchObject([{ answers: 1 }])
  })

  test('makes room in the miner with the most answers when it is full, and counts what it dropped', () => {
    using traffic = open(3)
    const quiet = record(traffic, 1, 40, '5Gquiet')
    for (const counter of [2, 3, 4, 5]) record(traffic, counter, 40)
    expect(traffic.waiting({ ...all, most: 10 }).map(({ id }) => id)).toContain(quiet)
    expect(traffic.counts(all)).toMatchObject(
      [
        { hotkey: '5Gquiet', answers: 1, dropped: 0 },
        { uid: 4, answers: 4, dropped: 2 },
      ].sort((a, b) => (String(a.hotkey ?? taskOf(0).hotkey) < String(b.hotkey ?? taskOf(0).hotkey) ? -1 : 1)),
    )
    traffic.forgetDropped(41 as Block)
    expect(traffic.counts(all).reduce((sum, { dropped }) => sum + dropped, 0)).toBe(0)
  })

  test('makes room by bytes too, however few the answers are', () => {
    using traffic = openTraffic({ file: join(folder, 'traffic.sqlite'), owner, spec: inference, maxBytes: 200_000 })
    for (let counter = 1; counter <= 20; counter += 1) {
      const request = { n: counter }
      const answer = answeredBy({ counter, request, respond: () => ({ text: 'x'.repeat(20_000) }) })
      traffic.record({ task: taskOf(request), answer, head: 40 as Block })
    }
    const [counted] = traffic.counts(all)
    expect(counted?.answers).toBe(20)
    expect(counted?.dropped).toBeGreaterThan(8)
    expect(counted?.dropped).toBeLessThan(19)
  })

  test('refuses a file of another chain, subnet or validator, and one that is none', () => {
    open().close()
    const file = join(folder, 'traffic.sqlite')
    const other = { ...owner, genesisHash: `0x${'00'.repeat(32)}` as const }
    expect(() => openTraffic({ file, owner: other, spec: inference })).toThrow(
      expect.objectContaining({ code: 'STORE_OTHER_CHAIN' }),
    )
    writeFileSync(join(folder, 'none.sqlite'), 'not a database at all, and longer than its header is'.repeat(40))
    expect(() => openTraffic({ file: join(folder, 'none.sqlite'), owner, spec: inference })).toThrow(
      expect.objectContaining({ code: 'STORE_NOT_A_DATABASE' }),
    )
  })
})
