import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@arbor/shared/clock'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FindFile, rangeOf } from '../../src/log/serve/blobs.ts'
import type { Documents } from '../../src/log/serve/documents.ts'
import { createHandler } from '../../src/log/serve/handler.ts'
import { SERVE_LIMITS } from '../../src/log/serve/limits.ts'

describe('a range', () => {
  test.each([
    [undefined, 'all'],
    ['bytes=0-', { from: 0, to: 99 }],
    ['bytes=10-19', { from: 10, to: 19 }],
    ['bytes=90-500', { from: 90, to: 99 }],
    ['bytes=-5', { from: 95, to: 99 }],
    ['bytes=-500', { from: 0, to: 99 }],
    ['bytes=100-', 'none'],
    ['bytes=-0', 'none'],
    ['bytes=9-3', 'all'],
    ['bytes=0-1,5-6', 'all'],
    ['lines=1-2', 'all'],
    ['bytes=1e3-', 'all'],
    ['bytes=0-99999999999999999999', 'all'],
  ] as const)('%s of 100 bytes is read', (header, expected) => {
    expect(rangeOf(header, 100)).toEqual(expected)
  })
})

describe('files that everybody may have', () => {
  const name = 'ab'.repeat(32)
  const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251))
  const folder = mkdtempSync(join(tmpdir(), 'arbor-blobs-'))
  const path = join(folder, name)
  const files: FindFile = (asked) => (asked === name ? { path, bytes: content.length } : null)
  let server: Server
  let url: string

  beforeAll(async () => {
    writeFileSync(path, content)
    const handle = createHandler({
      documents: {} as Documents,
      files,
      limits: { ...SERVE_LIMITS, burst: 1_000 },
      clock: systemClock,
    })
    server = createServer(handle)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('come whole, and say that they last for ever', async () => {
    const answer = await fetch(`${url}/blobs/0x${name}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toContain('immutable')
    expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true)
  })

  test('go on at the byte where the last answer ended', async () => {
    const answer = await fetch(`${url}/blobs/${name}`, { headers: { range: 'bytes=199990-199999' } })
    expect(answer.status).toBe(206)
    expect(answer.headers.get('content-range')).toBe('bytes 199990-199999/200000')
    expect(Buffer.from(await answer.arrayBuffer()).equals(content.subarray(199_990))).toBe(true)
  })

  test('are refused beyond their end, by another name, and by a path', async () => {
    const beyond = await fetch(`${url}/blobs/${name}`, { headers: { range: 'bytes=200000-' } })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */200000'])
    for (const other of ['cd'.repeat(32), `..%2f${name}`, name.toUpperCase(), `${name}?x=1`])
      expect((await fetch(`${url}/blobs/${other}`)).status).toBeGreaterThanOrEqual(400)
  })

  test('are not sent again to who has them', async () => {
    const answer = await fetch(`${url}/blobs/${name}`, { headers: { 'if-none-match': `"${name}"` } })
    expect(answer.status).toBe(304)
  })

  test('are refused by another method', async () => {
    expect((await fetch(`${url}/blobs/${name}`, { method: 'POST' })).status).toBe(405)
  })
})
