import { describe, expect, test } from 'vitest'
import { isAllowedHost, isAllowedOrigin } from '../src/rpc/origin.ts'

describe('origins', () => {
  test.each([
    [undefined, true],
    ['http://localhost:5173', true],
    ['https://127.0.0.1', true],
    ['http://[::1]:80', true],
    ['https://polkadot.js.org', true],
    ['null', false],
    ['https://evil.example', false],
    ['http://localhost.evil.example', false],
    ['http://localhost:80@evil.example', false],
    ['https://polkadot.js.org.evil.example', false],
  ])('a page of %s is served: %s', (origin, served) => {
    expect(isAllowedOrigin(origin, [])).toBe(served)
    expect(isAllowedOrigin(origin, ['*'])).toBe(true)
  })

  test('a page that is named is served, and no other for it', () => {
    expect(isAllowedOrigin('https://mine.example', ['https://mine.example'])).toBe(true)
    expect(isAllowedOrigin('https://mine.example:8443', ['https://mine.example'])).toBe(false)
  })
})

describe('hosts', () => {
  test.each([
    ['localhost:9944', true],
    ['LOCALHOST', true],
    ['127.0.0.1:9944', true],
    ['[::1]:9944', true],
    [undefined, true],
    ['evil.example:9944', false],
    ['localhost.evil.example', false],
    ['127.0.0.1.evil.example:9944', false],
    ['[::1].evil.example', false],
  ])('a server on loopback is called by %s: %s', (host, served) => {
    for (const listensOn of ['127.0.0.1', 'localhost', '::1']) {
      expect(isAllowedHost({ host, listensOn, extra: [] })).toBe(served)
    }
    expect(isAllowedHost({ host, listensOn: '0.0.0.0', extra: [] })).toBe(true) // it has names that it cannot know
    expect(isAllowedHost({ host, listensOn: '127.0.0.1', extra: ['*'] })).toBe(true)
  })
})
