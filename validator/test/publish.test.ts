import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@arbor/shared/hex'
import { createManualClock } from '@arbor/shared/manual-clock'
import { encodeAnchor } from '@arbor/shared/tree-head'
import type { Block, UnixMs } from '@arbor/shared/units'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openLedger } from '../src/ledger.ts'
import { mustContain } from '../src/log/loop.ts'
import type { PublishOptions } from '../src/log/options.ts'
import { openPublishing, type PublishDeps, urlOf } from '../src/log/publish.ts'
import { noReceipts } from '../src/receipts.ts'
import { hex32, logKey, logOwner } from './logging.ts'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'arbor-publish-'))
})
afterEach(() => rmSync(data, { recursive: true }))

const lost = { size: 900, root: hex32('a log that is gone') }
const held = { block: 7n, info: { fields: [{ Raw46: toHex(encodeAnchor({ ...lost, url: '' })) }] } }
const chain = (committed: unknown): PublishDeps['chain'] => ({
  genesisHash: logOwner.genesisHash,
  finalized: async () => ({ number: 40 as Block, hash: hex32('block 40') }),
  read: async () => committed,
  submit: () => Promise.reject(new Error('nothing is submitted here')),
})

/** Opens what a validator publishes, as one process after the other does. */
const publish = async (options: Partial<PublishOptions> = {}, of: { committed?: unknown; version?: number } = {}) => {
  using ledger = openLedger({ file: join(data, 'ledger.sqlite'), owner: logOwner })
  const publishing = await openPublishing({
    chain: chain(of.committed ?? null),
    ledger,
    receipts: noReceipts,
    hotkey: logKey,
    netuid: logOwner.netuid,
    spec: { name: 'inference', version: of.version ?? 1, model: { name: 'tiny', hash: hex32('model') } },
    data,
    options: { anchor: true, keepEpochs: 280, keepEntries: 1_000, ...options },
    clock: createManualClock(1_800_000_000_000 as UnixMs),
    log: pino({ level: 'silent' }),
  })
  await publishing.close()
  return { url: publishing.url, size: ledger.log.extent().size, lost: ledger.log.lost() }
}

describe('publishing', () => {
  test('begins a log with terms and state once, and says both again when the spec changes', async () => {
    expect((await publish()).size).toBe(2)
    expect((await publish()).size).toBe(2)
    expect((await publish({}, { version: 2 })).size).toBe(4)
    expect((await publish({}, { version: 2 })).size).toBe(4)
  })

  test.each([
    [{ serve: { host: '127.0.0.1', port: 0 } }, 'http://127.0.0.1:9800'],
    [{ serve: { host: '::1', port: 0 } }, 'http://[::1]:9800'],
    [{ serve: { host: '0.0.0.0', port: 0 }, externalIp: '203.0.113.7' }, 'http://203.0.113.7:9800'],
    [{ serve: { host: '127.0.0.1', port: 0 }, receiptsUrl: 'https://receipts.example' }, 'https://receipts.example'],
    [{ serve: { host: '0.0.0.0', port: 0 } }, ''],
    [{ serve: { host: '::', port: 0 } }, ''],
  ] as const)('tells the chain the address of %o', (options, expected) => {
    expect(urlOf(options, 9800)).toBe(expected)
  })

  test('tells the chain an address that somebody else serves', async () => {
    expect((await publish()).url).toBeNull()
    expect((await publish({ receiptsUrl: 'https://receipts.example' })).url).toBe('https://receipts.example')
  })

  test('refuses a URL that the chain has no room for before anything runs', async () => {
    await expect(publish({ receiptsUrl: `https://${'x'.repeat(80)}` })).rejects.toMatchObject({
      code: 'LOG_ANCHOR_URL',
    })
  })

  test('says what was lost where that is asked for, and the loop believes it then', async () => {
    const committed = { kind: 'anchor', anchor: { ...lost, url: '', block: 7 as Block } } as const
    expect((await publish({}, { committed: held })).lost).toBeNull()
    {
      using ledger = openLedger({ file: join(data, 'ledger.sqlite'), owner: logOwner })
      expect(() => mustContain(ledger.log, committed)).toThrow(expect.objectContaining({ code: 'LOG_BEHIND_ANCHOR' }))
    }
    expect(await publish({ lostLog: true }, { committed: held })).toMatchObject({ size: 4, lost })
    expect(await publish({ lostLog: true }, { committed: held })).toMatchObject({ size: 4, lost })
    expect(await publish({}, { committed: held })).toMatchObject({ size: 4, lost })
    using ledger = openLedger({ file: join(data, 'ledger.sqlite'), owner: logOwner })
    expect(() => mustContain(ledger.log, committed)).not.toThrow()
  })

  test('says nothing of a loss where the chain holds a beginning of the log, or nothing', async () => {
    expect(await publish({ lostLog: true })).toMatchObject({ size: 2, lost: null })
    using ledger = openLedger({ file: join(data, 'ledger.sqlite'), owner: logOwner })
    const own = encodeAnchor({ size: 1, root: ledger.log.root(1), url: '' })
    const committed = { block: 7n, info: { fields: [{ Raw46: toHex(own) }] } }
    expect(await publish({ lostLog: true }, { committed })).toMatchObject({ size: 2, lost: null })
  })
})
