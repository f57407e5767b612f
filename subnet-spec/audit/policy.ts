import { detectionOf, foundWithin, type Look, lookCost, shareFor } from './detection.ts'
import { lossWhenFound, type Stakes, workInRound } from './stakes.ts'
import type { AuditedAttack, AuditTerms } from './terms.ts'

/** What is known of a miner when its answers of a round are all there. */
export interface AuditCase {
  readonly terms: Pick<AuditTerms, 'attacks' | 'detection'>
  readonly stakes: Stakes
  /** n: users' answers that it gave in this round. */
  readonly answers: number
  /** Share of them that can still be looked at; all when absent. */
  readonly seen?: number
  /** C: chunks of its answers, on average; at least 1. */
  readonly chunks: number
  /** This round's place in its epoch, from 1, and rounds in an epoch. */
  readonly round: number
  readonly rounds: number
  /** A share that is given rather than solved, where there is no room for more. */
  readonly fixed?: number
  /** For each attack the probability that one in all answers of the epoch's earlier rounds would not have been found; 1 at its start. */
  readonly missed: readonly number[]
}

/** How a miner's answers of one round are audited. */
export interface AuditPolicy {
  /** q: probability that an answer is drawn. */
  readonly share: number
  /** Chunks of a drawn answer that are looked at. */
  readonly look: Look
  /** False when not even looking at everything is enough. */
  readonly isEnough: boolean
  readonly attacks: readonly AttackOutlook[]
}

/** What a cheat may expect of a round under a policy. */
export interface AttackOutlook {
  readonly name: string
  /** Whether it saves anything; others are not reckoned with. */
  readonly tempts: boolean
  /** That one audited answer of its making shows it. */
  readonly detection: number
  /** That it is found in this round when all answers are of its making, and in the epoch so far. */
  readonly found: number
  readonly foundInEpoch: number
  /** Saved in this round when all answers are of its making, less the loss when found, in the unit of the stakes. */
  readonly profit: number
}

/**
 * Solves for the cheapest audit under which no cheat pays and a miner that cheats always is found with the wanted probability.
 *
 * A miner that cheats in a fraction f of its n answers saves f·s, and loses L with probability P(f) = 1 − (1 − f·q·d)^n. P is concave and
 * P(0) = 0, so f·s < P(f)·L holds for every f in (0, 1] when it holds for f = 1: q > (1 − (1 − s/L)^(1/n)) ÷ d. By the end of the w-th of W rounds,
 * who cheated always since the epoch's start is missed with at most (1 − D)^(w/W), which bounds q once more. Both are solved for each
 * attack and each number of chunks; the look that costs least is taken.
 * @returns a share clipped to [0, 1]; `isEnough` says when 1 is too little
 */
export const solveAudit = (of: AuditCase): AuditPolicy => {
  const chunks = Math.max(1, Math.round(of.chunks))
  let best: { readonly policy: AuditPolicy; readonly cost: number } | null = null
  for (let looked = 1; looked <= chunks; looked += 1) {
    const look = { of: chunks, chunks: looked }
    const needed = Math.max(0, ...of.terms.attacks.map((attack, index) => neededShare(of, attack, index, look)))
    const share = of.fixed ?? Math.min(1, needed)
    const policy = policyWith(of, { share, look, isEnough: needed <= share })
    const cost = policy.share * lookCost(look)
    const isBetter = best === null || (policy.isEnough === best.policy.isEnough ? cost < best.cost : policy.isEnough)
    // where nothing is enough, the whole of every answer comes nearest
    if (isBetter || (!policy.isEnough && best?.policy.isEnough === false)) best = { policy, cost }
  }
  if (best === null) throw new Error('an answer has at least one chunk')
  return best.policy
}

/** A profit of exactly nothing is no reason not to cheat; this share of the loss is. */
const STRICTLY = 1e-6

/** The share that one attack asks for; above 1 when none is enough. */
const neededShare = (of: AuditCase, attack: AuditedAttack, index: number, look: Look): number => {
  const { terms, stakes, answers, round, rounds, missed, seen = 1 } = of
  if (answers === 0 || attack.saving <= 0) return 0
  const detection = seen * detectionOf(attack, look)
  const loss = lossWhenFound(stakes)
  const saved = attack.saving * workInRound(stakes)
  const unprofitable = loss === 0 ? 0 : saved / loss + STRICTLY
  const missedSoFar = missed[index] ?? 1
  const found = 1 - Math.min(1, (1 - terms.detection) ** (round / rounds) / missedSoFar)
  const wanted = Math.max(unprofitable, found)
  return wanted >= 1 ? Number.POSITIVE_INFINITY : shareFor({ answers, detection, found: wanted })
}

/** Says what each attack may expect of a policy. */
const policyWith = (of: AuditCase, chosen: Pick<AuditPolicy, 'share' | 'look' | 'isEnough'>): AuditPolicy => ({
  ...chosen,
  attacks: of.terms.attacks.map((attack, index) => {
    const detection = detectionOf(attack, chosen.look)
    const share = (of.seen ?? 1) * chosen.share
    const found = foundWithin({ answers: of.answers, cheated: 1, share, detection })
    return {
      name: attack.name,
      tempts: attack.saving > 0,
      detection,
      found,
      foundInEpoch: 1 - (of.missed[index] ?? 1) * (1 - found),
      profit: expectedProfit({ ...of, attack, share, detection, cheated: 1 }),
    }
  }),
})

/** Expects what a miner gains that cheats in a fraction of a round's answers: f·s − P(f)·L, in the unit of the stakes. */
export const expectedProfit = (of: {
  readonly stakes: Stakes
  readonly answers: number
  readonly attack: Pick<AuditedAttack, 'saving'>
  readonly share: number
  readonly detection: number
  readonly cheated: number
}): number => {
  const saved = of.answers === 0 ? 0 : of.cheated * of.attack.saving * workInRound(of.stakes)
  return saved - foundWithin(of) * lossWhenFound(of.stakes)
}
