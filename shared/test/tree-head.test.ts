import { describe, expect, test } from 'vitest'
import vectors from '../../test/vectors/merkle/heads.json' with { type: 'json' }
import { toHex } from '../src/hex.ts'
import { keypairFromUri } from '../src/keys.ts'
import {
  encodeAnchor,
  isEquivocation,
  readAnchor,
  readHead,
  readTreeHead,
  type SignedHead,
  type TreeHead,
  treeHeadBytes,
  verifyHead,
} from '../src/tree-head.ts'
import type { Hex } from '../src/units.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const heads = vectors.heads.map(({ bytes, ...head }) => ({ bytes, head: head as unknown as TreeHead }))
const alice = keypairFromUri('//Alice')
const signed = (head: TreeHead): SignedHead => ({ ...head, signature: toHex(alice.sign(treeHeadBytes(head))) })

describe('tree heads', () => {
  test.each(heads)('have the bytes of the reference, and only these: %#', ({ bytes, head }) => {
    expect(hex(treeHeadBytes(head))).toBe(bytes)
    const encoded = bytesOf(bytes)
    expect(readTreeHead(encoded)).toEqual(head)
    for (let bit = 0; bit < encoded.length * 8; bit += 1) {
      const other = encoded.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
      const read = readTreeHead(other)
      if (read !== null) expect([hex(treeHeadBytes(read)), read]).not.toEqual([bytes, head])
      if (read !== null) expect(hex(treeHeadBytes(read))).toBe(hex(other))
    }
    for (let length = 0; length < encoded.length; length += 1)
      expect(readTreeHead(encoded.subarray(0, length))).toBeNull()
    expect(readTreeHead(Buffer.concat([encoded, Uint8Array.of(0)]))).toBeNull()
  })

  test('verify by the hotkey that they name, and by no other part', () => {
    const [, { head } = { head: {} as TreeHead }, next] = heads
    const good = signed(head)
    expect(verifyHead(good)).toBe(true)
    for (const key of ['genesisHash', 'netuid', 'size', 'root', 'block'] as const)
      expect(verifyHead({ ...good, [key]: next?.head[key] })).toBe(false)
    expect(verifyHead({ ...good, hotkey: keypairFromUri('//Bob').address })).toBe(false)
    expect(verifyHead({ ...good, signature: `0x${'00'.repeat(64)}` })).toBe(false)
  })

  test('are read strictly', () => {
    const [{ head } = { head: {} as TreeHead }] = heads
    const good = signed(head)
    expect(readHead(JSON.parse(JSON.stringify(good)))).toEqual(good)
    const no = (json: unknown): void =>
      expect(() => readHead(json)).toThrow(expect.objectContaining({ code: 'LOG_HEAD_INVALID' }))
    for (const json of [null, [], 'head', 7, {}, { ...good, more: 1 }]) no(json)
    for (const key of Object.keys(good)) {
      no({ ...good, [key]: undefined })
      no({ ...good, [key]: null })
      no({ ...good, [key]: -1 })
      no({ ...good, [key]: 1.5 })
      no({ ...good, [key]: '0x' })
    }
    no({ ...good, netuid: 65_536 })
    no({ ...good, size: 2 ** 53 })
    no({ ...good, root: good.root.toUpperCase().replace('0X', '0x').replace(/\d/g, 'A') })
  })

  test('contradict each other when one size has two roots', () => {
    const [{ head } = { head: {} as TreeHead }] = heads
    const root = `0x${'11'.repeat(32)}` as Hex
    expect(isEquivocation(head, { ...head, root })).toBe(true)
    expect(isEquivocation(head, { ...head, block: (head.block + 1) as TreeHead['block'] })).toBe(false)
    expect(isEquivocation(head, { ...head, root, size: head.size + 1 })).toBe(false)
    expect(isEquivocation(head, { ...head, root, netuid: 9 as TreeHead['netuid'] })).toBe(false)
    expect(isEquivocation(head, { ...head, root, hotkey: keypairFromUri('//Bob').address })).toBe(false)
    expect(isEquivocation(head, { ...head, root, genesisHash: root })).toBe(false)
  })
})

describe('anchors', () => {
  test.each(vectors.anchors)('have the bytes of the reference: $url', ({ bytes, size, root, url }) => {
    const anchor = { size, root: root as Hex, url }
    expect(hex(encodeAnchor(anchor))).toBe(bytes)
    expect(readAnchor(bytesOf(bytes))).toEqual(anchor)
  })

  test('refuse a URL that the chain has no room for', () => {
    const anchor = { size: 1, root: `0x${'11'.repeat(32)}` as Hex }
    expect(encodeAnchor({ ...anchor, url: 'x'.repeat(82) })).toHaveLength(128)
    expect(() => encodeAnchor({ ...anchor, url: 'x'.repeat(83) })).toThrow(
      expect.objectContaining({ code: 'LOG_ANCHOR_URL' }),
    )
    expect(() => encodeAnchor({ ...anchor, url: 'é'.repeat(42) })).toThrow(
      expect.objectContaining({ code: 'LOG_ANCHOR_URL' }),
    )
  })

  test.each([
    ['nothing', ''],
    ['another record', hex(Buffer.from('https://example.com/model'))],
    ['another version', hex(Buffer.from('arbor2')) + '00'.repeat(40)],
    ['one cut short', hex(Buffer.from('arbor1')) + '00'.repeat(39)],
    ['a size beyond whole numbers', hex(Buffer.from('arbor1')) + 'ff'.repeat(40)],
    ['a URL that is no text', `${hex(Buffer.from('arbor1')) + '00'.repeat(40)}ff`],
    ['more than the chain holds', hex(Buffer.from('arbor1')) + '00'.repeat(123)],
  ])('are not read from %s', (_, bytes) => {
    expect(readAnchor(bytesOf(bytes))).toBeNull()
  })
})
