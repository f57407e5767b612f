import { fromHex, toHex } from '@arbor/shared/hex'
import { createTree, leafHash, verifyConsistency, verifyInclusion } from '@arbor/shared/merkle'
import { readHead, type SignedHead, verifyHead } from '@arbor/shared/tree-head'
import type { Hex } from '@arbor/shared/units'
import { readAnchored } from '@arbor/validator/log/anchor'
import { encodeEntry } from '@arbor/validator/log/encode'
import type { LogEntry } from '@arbor/validator/log/entry'
import { readEntry } from '@arbor/validator/log/read-entry'
import { readReceipt } from '@arbor/validator/receipt-schema'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
const get = async (path: string): Promise<Record<string, unknown>> => {
  const response = await fetch(`${url}${path}`)
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
