import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'
import { createEndpoints } from '../src/client/endpoints.ts'
import { endpointName, type FaultKind } from '../src/client/faults.ts'
import { createLineage } from '../src/client/lineage.ts'
import { readUrls } from '../src/client/open-chain.ts'
import { defaultLimits } from '../src/client/socket-types.ts'

const fault = (kind: FaultKind) => ({
  kind,
  cause: kind,
  error: new SubnetError({ code: 'CHAIN_FORK', message: kind }),
})
const of = (...urls: string[]) => createEndpoints(urls, defaultLimits)
const fail = (endpoints: ReturnType<typeof of>, url: string, kind: FaultKind, now: number, servedMs = 0): void => {
  const endpoint = endpoints.all.find((entry) => entry.url === url)
  if (endpoint !== undefined) endpoints.failed(endpoint, fault(kind), { now, servedMs })
}
const chosen = (endpoints: ReturnType<typeof of>, now: number) => {
  const next = endpoints.pick(now)
  return next === null ? null : [next.endpoint.url, next.waitMs]
}

describe('choice of an endpoint', () => {
  it('takes the most preferred one that may be tried, and waits when none may', () => {
    const endpoints = of('ws://a', 'ws://b')
    expect(chosen(endpoints, 0)).toEqual(['ws://a', 0])
    fail(endpoints, 'ws://a', 'cut', 0)
    expect(chosen(endpoints, 0)).toEqual(['ws://b', 0])
    fail(endpoints, 'ws://b', 'unreachable', 20)
    expect(chosen(endpoints, 20)).toEqual(['ws://a', 80])
    expect(chosen(endpoints, 100)).toEqual(['ws://a', 0])
  })

  it('doubles its pauses to a bound, and forgets them when one served for a second', () => {
    const endpoints = of('ws://a')
    const pauses = Array.from({ length: 8 }, () => {
      fail(endpoints, 'ws://a', 'cut', 0)
      return endpoints.pick(0)?.waitMs
    })
    expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
    fail(endpoints, 'ws://a', 'cut', 0, 1_000)
    expect(endpoints.pick(0)?.waitMs).toBe(100)
  })

  it.each([
    'slow',
    'half-open',
    'garbled',
    'behind',
  ] as const)('avoids one that is %s while there is another', (kind) => {
    const two = of('ws://a', 'ws://b')
    fail(two, 'ws://a', kind, 0)
    fail(two, 'ws://b', 'cut', 1_000)
    expect(chosen(two, 1_000)).toEqual(['ws://b', 100])
    expect(chosen(two, 60_000)).toEqual(['ws://a', 0])
    const lone = of('ws://a')
    fail(lone, 'ws://a', kind, 0)
    expect(chosen(lone, 0)).toEqual(['ws://a', 100])
  })

  it.each([
    'fork',
    'genesis',
  ] as const)('refuses one for ten minutes by its %s, and ends when all are refused', (kind) => {
    const endpoints = of('ws://a', 'ws://b')
    fail(endpoints, 'ws://a', kind, 0)
    fail(endpoints, 'ws://b', 'cut', 599_000)
    expect(chosen(endpoints, 599_000)).toEqual(['ws://b', 100])
    fail(endpoints, 'ws://b', kind, 599_500)
    expect(endpoints.pick(599_600)).toBeNull()
    expect(endpoints.refusal()?.message).toBe(kind)
    expect(chosen(endpoints, 600_000)).toEqual(['ws://a', 0])
  })
})

describe('final blocks that were seen', () => {
  const block = (number: number, fork = 0) => ({
    number: number as Block,
    hash: `0x${fork}${number.toString(16).padStart(63, '0')}` as Hex,
  })

  it('are kept, the newest by each and older ones now and then, whatever the length of the history', () => {
    const lineage = createLineage()
    for (let number = 0; number < 20_000; number += 1) lineage.add(block(number))
    expect(lineage.newest()).toEqual(block(19_999))
    expect(lineage.hashAt(19_500 as Block)).toBe(block(19_500).hash)
    expect(lineage.hashAt(5_001 as Block)).toBeNull()
    expect(lineage.hashAt(5_120 as Block)).toBe(block(5_120).hash)
  })

  it('are not replaced: another hash is told, and an older block does not move the newest', () => {
    const lineage = createLineage()
    lineage.add(block(10))
    expect(lineage.add(block(10, 1))).toBe(block(10).hash)
    expect(lineage.add(block(7))).toBeNull()
    expect(lineage.newest()).toEqual(block(10))
    expect(lineage.hashAt(10 as Block)).toBe(block(10).hash)
  })
})

describe('addresses', () => {
  it.each(['http://a', 'ws://', 'ws://a,ws://b', 'ws://a b', ''])('%j is refused', (url) => {
    expect(() => readUrls(url)).toThrow(expect.objectContaining({ code: 'CHAIN_URL' }))
  })

  it('are taken once each, and are 1 to 16', () => {
    expect(readUrls(['ws://a:1', 'ws://b', 'ws://a:1'])).toEqual(['ws://a:1', 'ws://b'])
    expect(() => readUrls([])).toThrow(/0 addresses/)
    expect(() => readUrls(Array.from({ length: 17 }, (_, index) => `ws://a${index}`))).toThrow(/17 addresses/)
  })

  it.each([
    ['ws://127.0.0.1:9944', 'ws://127.0.0.1:9944'],
    ['ws://127.0.0.1:9944/', 'ws://127.0.0.1:9944'],
    ['wss://me:pw@chain.example/v1/KEY?token=KEY', 'wss://chain.example/…'],
  ])('%s is shown as %s', (url, shown) => {
    expect(endpointName(url)).toBe(shown)
  })
})
