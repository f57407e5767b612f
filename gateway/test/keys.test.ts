import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandContext } from '@arbor/shared/command'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keyCommand } from '../src/keys/command.ts'
import { readKeys } from '../src/keys/file.ts'
import { bearerOf, isKey, makeKey } from '../src/keys/key.ts'
import { createLimiter } from '../src/keys/limits.ts'
import { openKeyRing } from '../src/keys/ring.ts'
import { seeded } from './support/gateway.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arbor-keys-'))
  file = join(folder, 'deep', 'keys.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs `arbor gateway key …`. @returns what it wrote on stdout */
const key = async (...words: readonly string[]): Promise<string> => {
  const out: string[] = []
  const context: CommandContext = {
    signal: new AbortController().signal,
    env: {},
    stdout: { write: (text) => void out.push(text) },
    stderr: { write: () => true },
    cwd: folder,
    homedir: folder,
  }
  const command = keyCommand(context)
  for (const each of [command, ...command.commands]) each.exitOverride().configureOutput({ writeErr: () => undefined })
  await command.parseAsync(['node', 'key', ...words, '--keys', file])
  return out.join('')
}
const code = (of: string) => expect.objectContaining({ code: of })

describe('a key', () => {
  test('opens what was made with it and nothing else', () => {
    const random = seeded(5)
    const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random() * 256)
    const [one, two] = [makeKey(bytes), makeKey(bytes)]
    expect(isKey(one.text, one.hash)).toBe(true)
    expect(isKey(two.text, one.hash)).toBe(false)
    expect(isKey(`${one.text}x`, one.hash)).toBe(false)
    expect(isKey(one.text, undefined)).toBe(false)
    expect(isKey(one.text, '')).toBe(false)
  })

  test('stands in the Authorization header', () => {
    expect(bearerOf('Bearer abc')).toBe('abc')
    expect(bearerOf('bearer  abc ')).toBe('abc')
    for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Basic abc', 'Bearer a b'])
      expect(bearerOf(header)).toBe(null)
  })
})

describe('the file of keys', () => {
  test('keeps hashes and limits, for its owner alone', async () => {
    const text = (
      await key('add', 'ann', '--requests-per-minute', '60', '--tokens-per-minute', '900', '--concurrent', '2')
    ).trim()
    await key('add', 'bob')
    expect(text).toMatch(/^arbor-[0-9a-f]{12}-[\w-]{43}$/)
    expect(readFileSync(file, 'utf8')).not.toContain(text.split('-').slice(2).join('-'))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readKeys(file)).toMatchObject([
      { name: 'ann', requestsPerMinute: 60, tokensPerMinute: 900, concurrent: 2 },
      { name: 'bob', concurrent: 16 },
    ])
    const listed = await key('list')
    expect(listed).toContain('60 requests a minute, 900 tokens a minute, 2 at once')
    expect(listed).not.toContain(text)
    expect(await key('list', '--json')).not.toContain('hash')
  })

  test('has one key a name, until it is removed', async () => {
    await key('add', 'ann')
    await expect(key('add', 'ann')).rejects.toEqual(code('GATEWAY_KEY_TAKEN'))
    await key('remove', 'ann')
    expect(readKeys(file)).toEqual([])
    await expect(key('remove', 'ann')).rejects.toEqual(code('GATEWAY_KEY_UNKNOWN'))
    await expect(key('add', 'a b')).rejects.toThrow('1 to 64 letters')
  })

  test.each([
    ['', 'it: '],
    ['{"keys": [{}]}', 'keys.0'],
    ['{"keys": [], "more": 1}', 'more'],
    ['x'.repeat(5_000_000), 'more than'],
  ])('is refused when it holds something else', async (content, why) => {
    await key('add', 'ann')
    writeFileSync(file, content)
    expect(() => readKeys(file)).toThrow(code('GATEWAY_KEYS'))
    expect(() => readKeys(file)).toThrow(why)
    await expect(key('add', 'bob')).rejects.toEqual(code('GATEWAY_KEYS')) // and is not written over
    expect(readFileSync(file, 'utf8')).toBe(content)
  })
})

test('a ring sees changes of its file, and keeps its keys when the file is spoilt', async () => {
  const ann = (await key('add', 'ann')).trim()
  const clock = createManualClock()
  const lines: string[] = []
  const log = createLogger({
    name: 'test',
    level: 'info',
    destination: { write: (line: string) => void lines.push(line) },
  })
  const ring = openKeyRing({ file, clock, log })
  const stop = new AbortController()
  const following = ring.follow(stop.signal).catch(() => undefined)
  expect(ring.find(ann)?.name).toBe('ann')
  const bob = (await key('add', 'bob')).trim()
  expect(ring.find(bob)).toBe(null)
  await clock.advance(2_000)
  expect(ring.find(bob)?.name).toBe('bob')
  writeFileSync(file, '{')
  await clock.advance(10_000)
  expect(ring.find(bob)?.name).toBe('bob')
  expect(lines.filter((line) => line.includes('gateway.keys_kept'))).toHaveLength(1)
  rmSync(file)
  await key('add', 'cid')
  await clock.advance(2_000)
  expect([ring.find(ann), ring.find(bob)]).toEqual([null, null])
  for (const wrong of ['', 'x', `${ann}x`, 'arbor-000000000000-'.padEnd(62, 'a'), 'a'.repeat(100_000)])
    expect(ring.find(wrong)).toBe(null)
  expect(lines.join('')).not.toContain(ann)
  stop.abort()
  await following
})

test('a ring without a file lets nobody in until there is one', async () => {
  const clock = createManualClock()
  const ring = openKeyRing({ file, clock, log: createLogger({ name: 'test', level: 'silent' }) })
  const stop = new AbortController()
  const following = ring.follow(stop.signal).catch(() => undefined)
  expect(ring.find('')).toBe(null)
  const ann = (await key('add', 'ann')).trim()
  await clock.advance(2_000)
  expect(ring.find(ann)?.name).toBe('ann')
  stop.abort()
  await following
})

describe('limits', () => {
  const caller = (limits: object) => ({ id: 'a', limits: { concurrent: 100, ...limits } })
  const open = () => {
    const clock = createManualClock()
    return { clock, limiter: createLimiter(clock) }
  }

  test('let so many requests in a minute, and say when the next may come', async () => {
    const { clock, limiter } = open()
    const ann = caller({ requestsPerMinute: 2 })
    for (let i = 0; i < 2; i += 1) {
      const admission = limiter.enter(ann)
      if (admission.ok) admission.entry.leave(0)
      expect(admission.ok).toBe(true)
    }
    expect(limiter.enter(ann)).toMatchObject({
      ok: false,
      error: { status: 429, type: 'requests', code: 'rate_limit_exceeded', retryAfterS: 30 },
      headers: {
        'x-ratelimit-limit-requests': '2',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1m0s',
      },
    })
    expect(limiter.enter({ ...ann, id: 'b' }).ok).toBe(true)
    await clock.advance(29_999)
    expect(limiter.enter(ann).ok).toBe(false)
    await clock.advance(1)
    expect(limiter.enter(ann).ok).toBe(true)
  })

  test('take the tokens that a request may need, and give back what it did not use', async () => {
    const { limiter } = open()
    const admission = limiter.enter(caller({ tokensPerMinute: 1_000 }))
    if (!admission.ok) throw new Error('refused')
    const { entry } = admission
    expect(entry.spend(1_001)).toMatchObject({ status: 429, type: 'tokens' })
    expect(entry.spend(1_001)?.retryAfterS).toBe(undefined) // no waiting helps
    expect(entry.spend(900)).toBe(null)
    expect(entry.headers()).toMatchObject({ 'x-ratelimit-limit-tokens': '1000', 'x-ratelimit-remaining-tokens': '100' })
    const second = limiter.enter(caller({ tokensPerMinute: 1_000 }))
    expect(second.ok && second.entry.spend(200)).toMatchObject({ status: 429, retryAfterS: 6 })
    entry.leave(50)
    entry.leave(50)
    expect(second.ok && second.entry.headers()).toMatchObject({ 'x-ratelimit-remaining-tokens': '950' })
  })

  test('bound the requests at once, also across a change of the limits', () => {
    const { limiter } = open()
    const first = limiter.enter(caller({ concurrent: 2 }))
    const second = limiter.enter(caller({ concurrent: 2, requestsPerMinute: 50 }))
    expect(limiter.enter(caller({ concurrent: 2, requestsPerMinute: 50 }))).toMatchObject({
      ok: false,
      error: { status: 429, retryAfterS: 1 },
    })
    if (first.ok) first.entry.leave(0)
    if (second.ok) second.entry.leave(0)
    expect(limiter.enter(caller({ concurrent: 1, requestsPerMinute: 50 })).ok).toBe(true)
  })
})
