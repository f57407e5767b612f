import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@arbor/shared/clock'
import { fromHex, toHex } from '@arbor/shared/hex'
import { createTree, leafHash, verifyConsistency, verifyInclusion } from '@arbor/shared/merkle'
import { readHead, type SignedHead, verifyHead } from '@arbor/shared/tree-head'
import type { Hex, Ms } from '@arbor/shared/units'
import { readAnchored } from '@arbor/validator/log/anchor'
import { encodeEntry } from '@arbor/validator/log/encode'
import type { LogEntry } from '@arbor/validator/log/entry'
import { readEntry } from '@arbor/validator/log/read-entry'
import { readReceipt } from '@arbor/validator/receipt-schema'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { must, type Net, netuid, startNet } from './support/net.ts'
import type { Running } from './support/process.ts'

let net: Net
let validator: Running
let url: string
beforeAll(async () => {
  net = await startNet({ honest: 1, validators: 1, address: 170 })
  await net.start('miner-1').event('miner.ready')
  await start()
}, 60_000)
afterAll(() => net?.close())

const start = async (): Promise<void> => {
  validator = net.start('validator-1', '--serve', '127.0.0.1:0')
  url = String((await validator.event('receipts.serving')).url)
}
/** Asks, and again a second later when it is told to. */
const get = async (path: string): Promise<Record<string, unknown>> => {
  const response = await fetch(`${url}${path}`)
  if (response.status === 429) {
    await response.body?.cancel()
    await systemClock.sleep(1_000 as Ms, net.signal)
    return get(path)
  }
  const body = (await response.json()) as Record<string, unknown>
  return response.ok ? body : { status: response.status, ...body }
}
const headNow = async (): Promise<SignedHead> => readHead((await get('/head')).head)
const hashes = (value: unknown): Uint8Array[] => (value as Hex[]).map((hash) => fromHex(hash, 32))
/** Pages through everything that the newest head covers. */
const readAll = async (): Promise<{ readonly texts: readonly string[]; readonly entries: readonly LogEntry[] }> => {
  const texts: string[] = []
  for (let next: number | null = 0; next !== null; ) {
    const page = await get(`/receipts?from=${next}&count=7`)
    expect(page.from).toBe(next)
    texts.push(...(page.entries as string[]))
    next = page.next as number | null
  }
  return { texts, entries: texts.map(readEntry) }
}

test('a log is read, proven and found on the chain by somebody who only knows the hotkey; also after a kill', async () => {
  const { hotkey } = net.member('validator-1')
  await validator.event('receipts.anchored')
  await net.until(async () => ((await readAll()).entries.some(({ kind }) => kind === 'row') ? true : undefined))

  // Where it is: the chain says so.
  const anchor = must(await readAnchored({ chain: net.client, netuid, hotkey }))
  expect(anchor.url).toBe(url)
  // What it holds: one signed head, and entries of which its root follows.
  const head = await headNow()
  expect(verifyHead(head)).toBe(true)
  expect(head).toMatchObject({ hotkey, netuid, genesisHash: net.client.genesisHash })
  const { texts, entries } = await readAll()
  const tree = createTree()
  for (const text of texts.slice(0, head.size)) tree.add(leafHash(Buffer.from(text)))
  expect(toHex(tree.root())).toBe(head.root)
  expect(entries.map(encodeEntry)).toEqual(texts)
  expect(entries.slice(0, 2).map(({ kind }) => kind)).toEqual(['terms', 'state'])

  // One entry alone, and the anchored log as the beginning of today's.
  const index = entries.findIndex(({ kind }) => kind === 'verdict')
  const included = await get(`/proof?index=${index}&size=${head.size}`)
  const leaf = leafHash(Buffer.from(must(texts[index])))
  const root = fromHex(head.root)
  expect(included.leaf).toBe(toHex(leaf))
  expect(verifyInclusion({ leaf, index, size: head.size, proof: hashes(included.proof), root })).toBe(true)
  const consistent = async (from: { size: number; root: Hex }, to: SignedHead): Promise<boolean> => {
    const { proof } = await get(`/proof?from=${from.size}&to=${to.size}`)
    const [fromRoot, toRoot] = [fromHex(from.root), fromHex(to.root)]
    return verifyConsistency({ from: from.size, to: to.size, fromRoot, toRoot, proof: hashes(proof) })
  }
  expect(await consistent(anchor, head)).toBe(true)
  const anchoredHead = readHead((await get(`/head?size=${anchor.size}`)).head)
  expect([anchoredHead.root, verifyHead(anchoredHead)]).toEqual([anchor.root, true])

  // The question, the answer and its proof behind a verdict.
  const verdict = must(entries[index])
  if (verdict.kind !== 'verdict') throw new Error('it is a verdict')
  const receipt = readReceipt(JSON.stringify(await get(`/bodies/${verdict.receipt}`)))
  expect(receipt.exchange).toMatchObject({ kind: 'planned', hotkey: verdict.hotkey, answerHash: verdict.answerHash })

  await validator.kill9()
  await start()
  await validator.event('receipts.checked')
  const later = await net.until(async () => {
    const now = await headNow()
    return now.size > head.size + 3 ? now : undefined
  })
  expect(verifyHead(later)).toBe(true)
  expect(await consistent(head, later)).toBe(true)
  expect((await readAll()).texts.slice(0, texts.length)).toEqual(texts)
}, 90_000)

test("the example of docs/receipts.md reads a validator's log", async () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/receipts.md', import.meta.url)), 'utf8')
  const [, code = ''] = /```ts run\n([\s\S]*?)```/.exec(page) ?? []
  const said = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
  expect(said).toHaveLength(2)
  const file = fileURLToPath(new URL(`.example-${process.pid}-receipts.ts`, import.meta.url))
  writeFileSync(file, code.replace('http://127.0.0.1:9800', url))
  const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  try {
    await import(file)
    expect(printed.mock.calls.map((parts) => parts.join(' '))).toEqual(said)
  } finally {
    printed.mockRestore()
    rmSync(file)
  }
}, 30_000)

/** Writes bytes on connections of their own until told to stop, each opened again when it is closed; counts the answers by status. */
const flood = (of: { readonly from: string; readonly sockets: number; readonly text: string }) => {
  const { hostname, port } = new URL(url)
  const open = new Set<Socket>()
  const answers = new Map<string, number>()
  let stopped = false
  const dial = (): void => {
    if (stopped) return
    const socket = connect({ host: hostname, port: Number(port), localAddress: of.from })
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('connect', () => socket.write(of.text))
    socket.on('data', (bytes) => {
      const [, status] = /^HTTP\/1.1 (\d+)/.exec(bytes.toString('latin1')) ?? []
      if (status === undefined) return
      answers.set(status, (answers.get(status) ?? 0) + 1)
      socket.write(of.text)
    })
    socket.once('close', () => {
      open.delete(socket)
      setTimeout(dial, 5)
    })
  }
  for (let index = 0; index < of.sockets; index += 1) dial()
  return {
    answers,
    stop: () => {
      stopped = true
      for (const socket of open) socket.destroy()
    },
  }
}

test('strangers who ask without end, or never end asking, do not keep rounds from being judged, nor others from reading', async () => {
  const ask = 'GET /receipts?from=0 HTTP/1.1\r\nhost: x\r\n\r\n'
  const floods = [
    flood({ from: '127.0.0.171', sockets: 32, text: ask }),
    flood({ from: '127.0.0.172', sockets: 4, text: ask.repeat(200) }), // all at once
    flood({ from: '127.0.0.173', sockets: 32, text: 'GET /receipts?from=0 HTTP/1.1\r\nhost' }), // and never goes on
    flood({
      from: '127.0.0.174',
      sockets: 4,
      text: `POST /receipts HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n`,
    }),
  ]
  try {
    const done = (): number => validator.events.filter(({ event }) => event === 'round.done').length
    const before = done()
    await net.until(() => (done() >= before + 3 ? true : undefined))
    const rounds = validator.events.filter(({ event }) => event === 'round.done').slice(before)
    for (const { verdicts } of rounds) expect(verdicts).toMatchObject([{ reason: 'ok' }])
    expect(verifyHead(await headNow())).toBe(true)
    const [asking, , , posting] = floods.map(({ answers }) => answers)
    expect(asking?.get('200')).toBeGreaterThan(10)
    expect(asking?.get('429')).toBeGreaterThan(asking?.get('200') ?? 0)
    expect([...(posting?.keys() ?? [])].filter((status) => status !== '405' && status !== '429')).toEqual([])
  } finally {
    for (const { stop } of floods) stop()
  }
  expect(verifyHead(await headNow())).toBe(true)
}, 90_000)

test('what is no question of the log is refused, and nothing else of the folder is reached', async () => {
  const statusOf = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, init)
    const text = await response.text()
    if (response.status === 429) {
      await systemClock.sleep(1_000 as Ms, net.signal)
      return statusOf(path, init)
    }
    return [response.status, text === '' ? null : (JSON.parse(text) as { code?: string }).code]
  }
  for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
    expect(await statusOf('/head', { method })).toEqual([405, method === 'HEAD' ? null : 'LOG_METHOD'])
  for (const path of ['/', '/heads', '/bodies', '/bodies/', '/bodies/ledger.sqlite', '/receipts/', '//head'])
    expect([path, await statusOf(path)]).toEqual([path, [404, 'LOG_NOT_FOUND']])
  for (const path of ['/bodies/..%2f..%2fledger.sqlite', '/bodies/%2e%2e/ledger.sqlite', `/bodies/${'0'.repeat(65)}`])
    expect([path, await statusOf(path)]).toEqual([path, [404, 'LOG_NOT_FOUND']])
  expect(await statusOf(`/bodies/${'0'.repeat(64)}`)).toEqual([404, 'LOG_NO_BODY'])
  for (const path of [
    '/head?size=',
    '/head?size=01',
    '/head?other=1',
    '/receipts',
    '/receipts?from=-1',
    '/receipts?from=0&count=0',
    '/receipts?from=0&from=1',
    '/receipts?from=0&state=1',
    '/receipts?from=99999999999999999',
    '/proof?index=0',
    '/proof?index=5&size=5',
    '/proof?from=3&to=2',
    '/head?size=1?size=2',
  ])
    expect([path, await statusOf(path)]).toEqual([path, [400, 'LOG_BAD_QUERY']])
  const first = await fetch(`${url}/proof?from=1&to=2`)
  const tag = first.headers.get('etag') ?? ''
  expect(first.headers.get('cache-control')).toContain('immutable')
  expect((await fetch(`${url}/proof?from=1&to=2`, { headers: { 'if-none-match': tag } })).status).toBe(304)
}, 60_000)

test('a log that was edited or lost ends the validator, which goes on with a new one only when it is told to', async () => {
  expect(await validator.stop()).toBe(0)
  const data = join(net.folder, 'validator-1')
  const endsWith = async (code: string): Promise<void> => {
    const started = net.start('validator-1')
    await expect(started.event('receipts.checked')).rejects.toThrow(code)
    expect(started.child.exitCode).toBeGreaterThan(0)
  }
  {
    using db = new DatabaseSync(join(data, 'ledger.sqlite'))
    db.exec(`UPDATE log_entries SET body = replace(body, '"ok"', '"no"') WHERE kind = 'verdict'`)
  }
  await endsWith('LOG_EDITED')
  rmSync(data, { recursive: true })
  await endsWith('LOG_BEHIND_ANCHOR')
  const again = net.start('validator-1', '--serve', '127.0.0.1:0', '--lost-log')
  const [lost, anchored] = await Promise.all([again.event('receipts.serving'), again.event('receipts.anchored')])
  url = String(lost.url)
  const { hotkey } = net.member('validator-1')
  const anchor = must(await readAnchored({ chain: net.client, netuid, hotkey }))
  expect([anchor.size, anchor.url]).toEqual([anchored.size, url])
  const terms = (await readAll()).entries.find((entry) => entry.kind === 'terms' && entry.lost !== undefined)
  expect(terms).toMatchObject({ lost: { size: expect.any(Number), root: expect.stringMatching(/^0x/) } })
}, 120_000)
