import type { Hex, Ss58 } from '@arbor/shared/units'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { detectionOf, foundWithin, lookCost, shareFor } from '../audit/detection.ts'
import { drawOf, isDrawn, shareOf } from '../audit/draw.ts'
import { type AuditCase, expectedProfit, solveAudit } from '../audit/policy.ts'
import { lossWhenFound, type Stakes } from '../audit/stakes.ts'
import { INFERENCE_TERMS } from '../inference/terms.ts'
import { choicesFrom } from '../src/seed.ts'

fc.configureGlobal({ seed: 6 })
/** Rounds that are simulated. */
const RUNS = 5_000

const stakes: Stakes = { emissionPerRound: 100, burn: 50, idleRounds: 2, forfeitRounds: 8 }
const caseOf = (over: Partial<AuditCase> = {}): AuditCase => ({
  terms: INFERENCE_TERMS,
  stakes,
  answers: 200,
  chunks: 4,
  round: 1,
  rounds: 2,
  missed: INFERENCE_TERMS.attacks.map(() => 1),
  ...over,
})
const probability = fc.double({ min: 0.01, max: 1, noNaN: true })
const answers = fc.integer({ min: 1, max: 5_000 })

describe('detection', () => {
  test('solves the share that finds a cheat with a given probability', () => {
    fc.assert(
      fc.property(answers, probability, fc.double({ min: 0.01, max: 0.999, noNaN: true }), (n, detection, found) => {
        const share = shareFor({ answers: n, detection, found })
        fc.pre(share <= 1)
        expect(foundWithin({ answers: n, cheated: 1, share, detection })).toBeCloseTo(found, 9)
      }),
    )
  })

  test('rises with answers, share, detection and cheated fraction', () => {
    fc.assert(
      fc.property(answers, probability, probability, probability, (n, cheated, share, detection) => {
        const of = { answers: n, cheated, share, detection }
        const base = foundWithin(of)
        expect(foundWithin({ ...of, answers: n + 1 })).toBeGreaterThanOrEqual(base)
        for (const key of ['cheated', 'share', 'detection'] as const)
          expect(foundWithin({ ...of, [key]: Math.min(1, of[key] * 1.1) })).toBeGreaterThanOrEqual(base)
      }),
    )
  })

  test('rises with the chunks that are looked at, as the cost does', () => {
    for (const isLocal of [undefined, true] as const) {
      const attack = { name: 'x', saving: 1, perChunk: 0.4, ...(isLocal === undefined ? {} : { isLocal }) }
      const looks = [1, 2, 3, 4].map((chunks) => ({ of: 4, chunks }))
      const found = looks.map((look) => detectionOf(attack, look))
      expect(found).toEqual([...found].sort((a, b) => a - b))
      expect(detectionOf(attack, { of: 4, chunks: 4 })).toBeCloseTo(isLocal === true ? 0.4 : 1 - 0.6 ** 4)
    }
    expect([1, 2, 3, 4].map((chunks) => lookCost({ of: 4, chunks }))).toEqual([5 / 8, 10 / 12, 15 / 16, 1])
  })
})

describe('audit policy', () => {
  const cases = fc.record({
    answers,
    chunks: fc.integer({ min: 1, max: 64 }),
    round: fc.integer({ min: 1, max: 4 }),
    rounds: fc.constant(4),
    stakes: fc.record({
      emissionPerRound: fc.double({ min: 1, max: 1e9, noNaN: true }),
      burn: fc.double({ min: 0, max: 1e9, noNaN: true }),
      idleRounds: fc.integer({ min: 2, max: 8 }),
      forfeitRounds: fc.integer({ min: 2, max: 32 }),
    }),
  })

  test('leaves no cheat a profit, whatever fraction of the answers it cheats in', () => {
    fc.assert(
      fc.property(cases, probability, (over, cheated) => {
        const of = caseOf(over)
        const { share, look, isEnough } = solveAudit(of)
        fc.pre(isEnough)
        for (const attack of of.terms.attacks) {
          if (attack.saving <= 0) continue
          const detection = detectionOf(attack, look)
          expect(expectedProfit({ ...of, attack, share, detection, cheated })).toBeLessThan(0)
        }
      }),
    )
  })

  test('finds who cheats always with the wanted probability by the end of an epoch', () => {
    fc.assert(
      fc.property(fc.array(answers, { minLength: 2, maxLength: 2 }), ([first = 1, second = 1]) => {
        const begun = solveAudit(caseOf({ answers: first }))
        const missed = begun.attacks.map(({ found }) => 1 - found)
        const ended = solveAudit(caseOf({ answers: second, round: 2, missed }))
        fc.pre(ended.isEnough)
        const tempting = ended.attacks.filter(({ tempts }) => tempts)
        expect(Math.min(...tempting.map(({ foundInEpoch }) => foundInEpoch))).toBeGreaterThanOrEqual(0.99 - 1e-9)
      }),
    )
  })

  test('asks for no larger share when there are more answers, more at stake, or cheats are easier to see', () => {
    fc.assert(
      fc.property(cases, (over) => {
        const of = caseOf({ ...over, chunks: 1 })
        const { share } = solveAudit(of)
        const easier = of.terms.attacks.map((attack) => ({ ...attack, perChunk: Math.min(1, attack.perChunk * 1.1) }))
        for (const easy of [
          { answers: of.answers + 1 },
          { stakes: { ...of.stakes, burn: of.stakes.burn * 2 + 1 } },
          { stakes: { ...of.stakes, forfeitRounds: of.stakes.forfeitRounds + 1 } },
          { terms: { ...of.terms, attacks: easier } },
        ])
          expect(solveAudit({ ...of, ...easy }).share).toBeLessThanOrEqual(share + 1e-12)
      }),
    )
  })

  test('says so when looking at everything is not enough', () => {
    expect(solveAudit(caseOf({ answers: 1, round: 2 }))).toMatchObject({ share: 1, isEnough: false })
    const nothingToLose = { ...stakes, burn: 0, idleRounds: 0 }
    expect(solveAudit(caseOf({ stakes: nothingToLose })).isEnough).toBe(true) // nothing lost, nothing reckoned with
    const hard = { ...stakes, forfeitRounds: 1 }
    expect(solveAudit(caseOf({ stakes: hard })).isEnough).toBe(false) // a saving of all that is lost
  })

  test('has a found miner take the cheaper way out: to wait, or to register anew', () => {
    expect(lossWhenFound(stakes)).toBe(250)
    expect(lossWhenFound({ ...stakes, burn: 10_000 })).toBe(800)
  })

  test('agrees with 5 000 simulated rounds of drawing and checking', () => {
    const of = caseOf({ answers: 30, chunks: 2 })
    const { share, look, attacks } = solveAudit(of)
    const hidden = of.terms.attacks.findIndex(({ name }) => name === 'int8-tokens')
    const attack = of.terms.attacks[hidden]
    if (attack === undefined) throw new Error('the terms lack the attack')
    const choices = choicesFrom({ seed: `0x${'5e'.repeat(32)}`, label: 'simulation' })
    const chance = (p: number): boolean => choices.below(2 ** 32) < p * 2 ** 32
    for (const cheated of [1, 0.25]) {
      let [found, gained] = [0, 0]
      for (let run = 0; run < RUNS; run += 1) {
        let [isFound, saved] = [false, 0]
        for (let answer = 0; answer < of.answers; answer += 1) {
          if (!chance(cheated)) continue
          saved += (attack.saving * of.stakes.emissionPerRound) / of.answers
          if (!chance(share)) continue
          for (let chunk = 0; chunk < look.chunks; chunk += 1) isFound ||= chance(attack.perChunk)
        }
        if (isFound) found += 1
        gained += saved - (isFound ? lossWhenFound(of.stakes) : 0)
      }
      const detection = detectionOf(attack, look)
      const solved = { ...of, attack, share, detection, cheated }
      // four standard errors
      expect(Math.abs(found / RUNS - foundWithin(solved))).toBeLessThan(4 * Math.sqrt(0.25 / RUNS))
      expect(Math.abs(gained / RUNS - expectedProfit(solved))).toBeLessThan(4 * (270 / Math.sqrt(RUNS)))
      if (cheated === 1) expect(attacks[hidden]?.found).toBeCloseTo(foundWithin(solved), 12)
    }
  })
})

describe('draw', () => {
  const hotkey = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' as Ss58
  const blockHash = `0x${'b1'.repeat(32)}` as Hex
  const drawn = (index: number): Hex =>
    drawOf({ blockHash, answerHash: `0x${index.toString(16).padStart(64, '0')}`, hotkey })

  test('is what another implementation draws', () => {
    // python3: hashlib.blake2b(b"arbor/audit-draw/1" + bytes([0xb1])*32 + bytes(31) + b"\x07" + alice, digest_size=32)
    expect(drawn(7)).toBe('0x5b887898c603653f3d1b4d19f6150e5c1c8787eb2b673ce6e7c77420062fc269')
  })

  test('chooses as many answers as the share says, and depends on each part', () => {
    const chosen = Array.from({ length: 10_000 }, (_, index) => isDrawn(drawn(index), 0.2)).filter(Boolean).length
    expect(Math.abs(chosen - 2_000)).toBeLessThan(160) // four standard deviations
    expect(isDrawn(`0x${'ff'.repeat(32)}`, 1)).toBe(true)
    expect(isDrawn(`0x${'00'.repeat(32)}`, 0)).toBe(false)
    expect(drawOf({ blockHash: `0x${'b2'.repeat(32)}`, answerHash: `0x${'07'.padStart(64, '0')}`, hotkey })).not.toBe(
      drawn(7),
    )
  })

  test('looks at a whole answer where it has no more chunks than are looked at', () => {
    const draw = drawn(1)
    expect(shareOf({ draw, chunks: 2, look: 2 })).toBeUndefined()
    expect(shareOf({ draw, chunks: 5, look: 2 })).toEqual({ draw, chunks: 2 })
    expect(shareOf({ draw, chunks: 1, look: 2, positions: 16 })).toEqual({ draw, chunks: 1, positions: 16 })
    expect(shareOf({ draw, chunks: 5, look: 2, positions: 16 })).toEqual({ draw, chunks: 2, positions: 32 })
  })
})
