import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { inflate } from '../src/bittensor/inflate.ts'

const body = Buffer.from('{"reply":"a|1"}')

describe('inflate', () => {
  it.each([
    ['gzip', gzipSync(body)],
    ['X-GZIP', gzipSync(body)],
    [' deflate', deflateSync(body)],
    ['identity', body],
    [undefined, body],
  ])('unpacks %s', async (encoding, packed) => {
    const read = await inflate({ body: packed, encoding, maxBytes: 15 })
    expect(read.ok && Buffer.from(read.body).toString()).toBe(body.toString())
  })

  it('stops at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000))
    expect(bomb.length).toBeLessThan(20_000)
    expect(await inflate({ body: bomb, encoding: 'gzip', maxBytes: 65_536 })).toMatchObject({ reason: 'oversized' })
    const two = Buffer.concat([gzipSync(body), gzipSync(body)])
    expect(await inflate({ body: two, encoding: 'gzip', maxBytes: 29 })).toMatchObject({ reason: 'oversized' })
  })

  it.each([
    ['gzip', body],
    ['gzip', gzipSync(body).subarray(0, 12)],
    ['deflate', gzipSync(body)],
    ['br', body],
    ['gzip, gzip', gzipSync(gzipSync(body))],
    ['constructor', body],
  ])('refuses %s that is none', async (encoding, packed) => {
    expect(await inflate({ body: packed, encoding, maxBytes: 1_000 })).toMatchObject({ reason: 'malformed' })
  })
})
