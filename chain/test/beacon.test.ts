import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@arbor/shared/hex'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import vectors from '../../test/vectors/chain/timelock.json' with { type: 'json' }
import { developmentSecret, readSecret, writeSecret } from '../src/beacon/key.ts'
import { MAX_PULSES, planRounds } from '../src/beacon/plan.ts'
import { readPulses } from '../src/beacon/relay.ts'
import { publicKeyOf, QUICKNET, verifyPulse } from '../src/timelock/drand.ts'

const folder = mkdtempSync(join(tmpdir(), 'arbor-beacon-'))
const plan = (due: number, lastStored: number, wanted: number[] = [], catchUp = 256) =>
  planRounds({ due: BigInt(due), lastStored: BigInt(lastStored), wanted: wanted.map(BigInt), catchUp }).map(Number)
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

describe('rounds that the beacon hands in', () => {
  it.each([
    ['the one that became due', [10, 9], [10]],
    ['none while none is due', [10, 10], []],
    ['none before the first', [0, 0], []],
    ['the newest alone on a chain that has none', [1_700_000_000, 0], [1_700_000_000]],
    ['those that a slow block skipped', [14, 9], [10, 11, 12, 13, 14]],
    ['the oldest sixteen of many', [100, 50], Array.from({ length: 16 }, (_, index) => 51 + index)],
    ['only so many after a long pause', [1000, 50, [], 4], [997, 998, 999, 1000]],
    ['old ones that commits wait for, first', [1000, 50, [700, 60, 700, 2000], 2], [60, 700, 999, 1000]],
    ['old ones that commits wait for, also when no new one is due', [1000, 1000, [700]], [700]],
  ] as const)('are %s', (_, [due, last, wanted = [], catchUp = 256], expected) => {
    expect(plan(due, last, [...wanted], catchUp)).toEqual(expected)
  })

  it('are due, rising, few, and reach the newest one in the end', () => {
    const round = fc.integer({ min: 0, max: 2_000 })
    fc.assert(
      fc.property(
        round,
        round,
        fc.array(round, { maxLength: 40 }),
        fc.integer({ min: 1, max: 500 }),
        (a, b, wanted, n) => {
          const [last, due] = [Math.min(a, b), Math.max(a, b)]
          const stored = new Set<number>()
          let newest = last
          for (let block = 0; block < 300 && newest < due; block += 1) {
            const rounds = plan(
              due,
              newest,
              wanted.filter((entry) => !stored.has(entry)),
              n,
            )
            expect(rounds.length).toBeLessThanOrEqual(MAX_PULSES)
            expect(rounds).toEqual([...new Set(rounds)].sort((x, y) => x - y))
            expect(rounds.every((entry) => entry >= 1 && entry <= due)).toBe(true)
            for (const entry of rounds) stored.add(entry)
            newest = Math.max(newest, ...rounds)
          }
          expect(newest).toBe(due)
        },
      ),
      { numRuns: 200, seed: 5 },
    )
  })
})

describe('key of a beacon', () => {
  it('of the development preset is the one that the runtime names', () => {
    expect(toHex(publicKeyOf(developmentSecret())).slice(0, 42)).toBe('0x976858e07a73d93aaa4e2a5d7cd99fd9666ee713')
  })

  it('is written for its owner alone, never over another, and read back', () => {
    const path = join(folder, 'key')
    const seed = new Uint8Array(32).fill(9)
    const { drand } = writeSecret(path, seed) as { drand: { beacon: { publicKey: string } } }
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(toHex(publicKeyOf(readSecret(path)))).toBe(drand.beacon.publicKey)
    expect(() => writeSecret(path, seed)).toThrowError(expect.objectContaining({ code: 'BEACON_KEY_FILE' }))
    expect(readFileSync(path, 'utf8')).toBe(`${toHex(seed)}\n`)
  })

  it.each([
    ['is short', `0x${'11'.repeat(31)}`],
    ['is no hexadecimal', 'secret'],
    ['is 0', `0x${'00'.repeat(32)}`],
  ])('that %s is refused without telling it', (name, text) => {
    const path = file(name, text)
    expect(() => readSecret(path)).toThrowError(expect.objectContaining({ code: 'BEACON_KEY_FILE' }))
    expect(() => readSecret(path)).not.toThrowError(new RegExp(text))
  })
})

describe('recorded pulses', () => {
  const recorded = { round: 1000, signature: vectors.drand.signature }

  it('of quicknet are read as drand writes them, sorted, each round once', () => {
    const other = { round: 7, signature: vectors.drand.signature }
    const pulses = readPulses(file('pulses', JSON.stringify([recorded, other, recorded])))
    expect(pulses.map(({ round }) => round)).toEqual([7n, 1000n])
    expect(pulses.map((pulse) => verifyPulse(QUICKNET, pulse))).toEqual([false, true])
    expect(readPulses(file('one', JSON.stringify(recorded)))).toHaveLength(1)
  })

  it.each([
    ['no JSON', '{'],
    ['an empty list', '[]'],
    ['no round', JSON.stringify({ ...recorded, round: 'x' })],
    ['a round of 0', JSON.stringify({ ...recorded, round: 0 })],
    ['a short signature', JSON.stringify({ ...recorded, signature: 'abcd' })],
    ['null', 'null'],
  ])('with %s are refused', (name, text) => {
    const path = file(`bad-${name}`, text)
    expect(() => readPulses(path)).toThrowError(expect.objectContaining({ code: 'BEACON_RELAY_FILE' }))
  })
})
