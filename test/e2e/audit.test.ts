import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openHotkey } from '@arbor/chain/wallet/open'
import { systemClock } from '@arbor/shared/clock'
import type { Keypair } from '@arbor/shared/keypair'
import type { Ss58 } from '@arbor/shared/units'
import spec from '@arbor/subnet-spec/inference-tiny'
import { type Audited, audit, verdictOf } from '@arbor/validator/auditor/audit'
import { openLogHttp } from '@arbor/validator/auditor/http'
import { auditReport } from '@arbor/validator/auditor/report'
import { openServedLog } from '@arbor/validator/auditor/served-log'
import type { LogEntry } from '@arbor/validator/log/entry'
import { readEntry } from '@arbor/validator/log/read-entry'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answer, type Served, serveEntries } from '../../validator/test/auditor/written.ts'
import { must, type Net, netuid, startNet } from './support/net.ts'
import type { Running } from './support/process.ts'

/** A chain, a miner, two validators that serve their logs, as one epoch after both had set a row, and an auditor that follows them. */
let net: Net
let epoch: number
let validators: readonly Running[] = []
let auditor: Running
const servers: Server[] = []
const names = ['validator-1', 'validator-2'] as const

beforeAll(async () => {
  net = await startNet({ honest: 1, validators: 3, address: 180 })
  await net.start('miner-1').event('miner.ready')
  validators = names.map((name) => net.start(name, '--serve', '127.0.0.1:0'))
  await Promise.all(validators.map((each) => each.event('weights.confirmed')))
  const confirmed = (await net.client.metagraph(netuid)).epochIndex
  await Promise.all(validators.map((each) => each.event('receipts.anchored')))
  const wallet = ['--wallets', net.wallets, '--wallet', 'validator-3', '--data', join(net.folder, 'auditor')]
  auditor = net.run(['auditor', '--network', net.url, '--spec', 'inference-tiny', '--serve', '127.0.0.1:0', ...wallet])
  // The epoch after the first rows is over, and what was written of it is anchored.
  await net.until(({ epochIndex }) => (epochIndex > confirmed + 2 ? true : undefined))
  epoch = confirmed + 1
}, 120_000)
afterAll(async () => {
  for (const server of servers) server.close()
  await net?.close()
})

const hotkeyOf = (name: string): Ss58 => net.member(name).hotkey

/** Audits in this process, over HTTP, at a URL or where the chain says. */
async function auditAt(name: string, url?: string): Promise<Audited> {
  const opened: ReturnType<typeof openLogHttp>[] = []
  const open = (at: string) => {
    const http = openLogHttp({ url: at, privateAllowed: true, clock: systemClock })
    opened.push(http)
    return openServedLog(http)
  }
  try {
    return await audit({ chain: net.client, netuid, spec, open }, { validator: hotkeyOf(name), epoch, url }, net.signal)
  } finally {
    await Promise.all(opened.map((http) => http.close()))
  }
}

test('arbor audit reproduces the rows of both validators byte for byte, as docs/auditing.md says', async () => {
  const page = readFileSync(new URL('../../docs/auditing.md', import.meta.url), 'utf8')
  const [first, second] = names.map(hotkeyOf)
  const lines = (/```sh run\n([\s\S]*?)```/.exec(page)?.[1] ?? '').trim().split('\n')
  expect(lines.map((line) => line.startsWith('arbor audit '))).toEqual([true, true])
  const said: string[] = []
  for (const line of lines) {
    const told = line
      .replace('ws://127.0.0.1:9944', net.url)
      .replace('5VALIDATOR', must(first))
      .replace('5OTHER', must(second))
    const [words = '', file] = told.replace('--epoch 12', `--epoch ${epoch}`).split(' > ')
    const ran = net.run([...words.split(' ').slice(1), '--spec', 'inference-tiny'])
    const [code] = await once(ran.child, 'close')
    said.push(ran.text())
    expect([code, ran.text()]).toEqual([0, expect.any(String)])
    if (file !== undefined) writeFileSync(join(net.folder, file), ran.text())
  }
  const report = auditReport.parse(JSON.parse(must(said[0])))
  expect(report).toMatchObject({ equal: true, firstMismatch: null, epoch, validator: first })
  expect(report.row).toEqual([[expect.any(Number), 65_535]])
  expect(report.recomputed).toEqual(report.row)
  expect(report.entries.kinds.verdict).toBeGreaterThanOrEqual(2)
  expect(report.anchors.length).toBeGreaterThan(0)
  expect(report.compared).toMatchObject({ with: second })
  expect(said[1]).toContain('equal: the row follows from the receipts, byte for byte')
  const other = await auditAt('validator-2')
  expect([verdictOf(other), other.mismatch]).toEqual(['equal', null])
  expect(other.recomputed).toEqual(other.held)
}, 60_000)

test('an auditor sets the row of the logs that it follows, without a model, and its own log tells whence', async () => {
  await auditor.event('weights.confirmed')
  const { uid } = net.neuron(hotkeyOf('validator-3'), await net.client.metagraph(netuid))
  const { uid: miner } = net.neuron(hotkeyOf('miner-1'), await net.client.metagraph(netuid))
  expect(await net.client.weights(netuid, uid)).toEqual([[miner, 65_535]])
  await auditor.kill9()
  using db = new DatabaseSync(join(net.folder, 'auditor', 'ledger.sqlite'), { readOnly: true })
  const entries = db.prepare("SELECT body FROM log_entries WHERE kind = 'source'").all()
  const said = entries.map(({ body }) => readEntry(String(body)))
  const sources = new Set(said.map((entry) => (entry.kind === 'source' ? entry.validator : null)))
  expect(sources).toEqual(new Set(names.map(hotkeyOf)))
}, 60_000)

/** Kills a validator and reads its whole log, so that nothing is anchored that a copy lacks. */
async function takeLog(index: number): Promise<readonly LogEntry[]> {
  await must(validators[index]).kill9()
  using db = new DatabaseSync(join(net.folder, must(names[index]), 'ledger.sqlite'), { readOnly: true })
  return db
    .prepare('SELECT body FROM log_entries ORDER BY position')
    .all()
    .map(({ body }) => readEntry(String(body)))
}

/** Serves a log by HTTP. */
async function serveAt(served: Served): Promise<string> {
  const server = createServer((request, response) => {
    answer(served, (request.url ?? '').slice(1), net.signal).then(
      (text) => response.end(text),
      () => response.writeHead(404).end('{"code":"LOG_NOT_FOUND"}'),
    )
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a log that was turned is refused: edited, a verdict dropped, a row forged, foreign, truncated', async () => {
  const honest = await auditAt('validator-1')
  expect(verdictOf(honest)).toBe('equal')
  const keys: Keypair[] = await Promise.all(
    names.map((wallet) => openHotkey({ wallets: net.wallets, wallet, hotkey: 'default' })),
  )
  const [key, otherKey] = keys.map((each) => must(each))
  const entries = await takeLog(0)
  const { number: block } = await net.client.finalized()
  const genesisHash = net.client.genesisHash
  const sign = (some: readonly (LogEntry | string)[], of: Partial<Parameters<typeof serveEntries>[1]> = {}): Served =>
    serveEntries(some, { signer: must(key), block, genesisHash, netuid, ...of })
  const at = entries.findLastIndex(
    (entry, position) => entry.kind === 'verdict' && position < must(honest.attempt).placed.position,
  )
  const found = async (served: Served): Promise<unknown> =>
    (await auditAt('validator-1', await serveAt(served))).mismatch
  const edit = (change: (entry: LogEntry, position: number) => LogEntry | null): readonly LogEntry[] =>
    entries.map(change).filter((entry) => entry !== null)

  // Edited where it is served: the signed root does not cover it.
  const edited = sign(entries)
  edited.texts[at] = must(edited.texts[at]).replace('"value":1', '"value":0')
  const uncovered = { kind: 'tree', position: at, what: 'entries under the root that the validator signed' }
  expect(await found(edited)).toMatchObject(uncovered)

  // Written anew and signed anew by the validator itself: the chain knows another history.
  const dropped = sign(edit((entry, position) => (position === at ? null : entry)))
  expect(await found(dropped)).toMatchObject({ kind: 'tree', what: expect.stringMatching(/bound itself to/) })

  // A validator that lied from the start, and anchored nothing: what it says does not follow.
  const unanchored = async (served: Served): Promise<unknown> => {
    const blind = {
      ...net.client,
      read: async (...asked: Parameters<typeof net.client.read>) =>
        asked[0] === 'Commitments' ? null : net.client.read(...asked),
    }
    const http = openLogHttp({ url: await serveAt(served), privateAllowed: true, clock: systemClock })
    const open = () => openServedLog(http)
    const of = { validator: hotkeyOf('validator-1'), epoch, url: http.url }
    const { mismatch } = await audit({ chain: blind, netuid, spec, open }, of, net.signal)
    await http.close()
    return mismatch
  }
  expect(await unanchored(dropped)).toMatchObject({ kind: 'score', what: 'scores of miners with a verdict alone' })
  const attempt = must(honest.attempt).placed.entry.attempt
  const forged = edit((entry) =>
    entry.kind === 'row' && entry.attempt === attempt ? { ...entry, row: [[0, 65_535]] as never } : entry,
  )
  expect(await unanchored(sign(forged))).toMatchObject({
    kind: 'row',
    what: 'the row that follows from the entries before it',
  })

  // Another validator's log, another subnet's, and one that ends too early.
  const other = await auditAt('validator-2')
  expect((await auditAt('validator-1', other.url)).mismatch).toMatchObject({
    what: 'the head of this chain, subnet and validator',
  })
  expect(await found(sign(entries, { signer: must(otherKey) }))).toMatchObject({ kind: 'tree' })
  expect(await found(sign(entries, { netuid: 9 as never }))).toMatchObject({
    what: 'the head of this chain, subnet and validator',
  })
  expect(await found(sign(entries.slice(0, 4)))).toMatchObject({ what: expect.stringMatching(/truncated/) })
}, 60_000)
