import { detectionOf, lookCost } from '@arbor/subnet-spec/audit/detection'
import { expectedProfit, solveAudit } from '@arbor/subnet-spec/audit/policy'
import { lossWhenFound, type Stakes } from '@arbor/subnet-spec/audit/stakes'
import type { AuditTerms } from '@arbor/subnet-spec/audit/terms'

/** What one cheat may expect of an epoch, cheating in the fraction of its answers that serves it best. */
export interface CheatOutlook {
  readonly name: string
  /** Share of the work that it saves. */
  readonly saving: number
  /** That one audited answer shows it. */
  readonly detection: number
  /** That it is found in an epoch, cheating always. */
  readonly found: number
  /** In one round, in the unit of the stakes: cheating always, and in the fraction that pays best. */
  readonly profit: number
  readonly bestProfit: number
  readonly bestFraction: number
  /** The same when nobody audits. */
  readonly unaudited: number
}

/** How a miner with so many answers is audited, and why. */
export interface EconomicsOutlook {
  readonly answers: number
  readonly chunks: number
  readonly loss: number
  readonly share: number
  readonly look: number
  /** Prefill of a look over that of a whole answer. */
  readonly lookCost: number
  /** Audited answers in a round, and what their checks prefill over what all would. */
  readonly audits: number
  readonly isEnough: boolean
  readonly cheats: readonly CheatOutlook[]
}

/** Fractions of cheated answers that are tried. */
const FRACTIONS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1]

/** Computes how a miner is audited in the last round of an epoch whose earlier rounds went alike, and what each cheat may expect. */
export function outlookOf(of: {
  readonly terms: AuditTerms
  readonly stakes: Stakes
  /** Users' answers in a round. */
  readonly answers: number
  readonly chunks: number
  readonly rounds: number
}): EconomicsOutlook {
  const { terms, stakes, answers, chunks, rounds } = of
  let missed: readonly number[] = terms.attacks.map(() => 1)
  let policy = solveAudit({ ...of, round: 1, missed })
  for (let round = 2; round <= rounds; round += 1) {
    missed = missed.map((before, index) => before * (1 - (policy.attacks[index]?.found ?? 0)))
    policy = solveAudit({ ...of, round, missed })
  }
  const { share, look, isEnough } = policy
  const cheats = terms.attacks.map((attack, index): CheatOutlook => {
    const detection = detectionOf(attack, look)
    const profitAt = (cheated: number, audited: number): number =>
      expectedProfit({ stakes, answers, attack, share: audited, detection, cheated })
    const tried = FRACTIONS.map((fraction) => ({ fraction, profit: profitAt(fraction, share) }))
    const best = tried.reduce((a, b) => (b.profit > a.profit ? b : a))
    return {
      name: attack.name,
      saving: attack.saving,
      detection,
      found: policy.attacks[index]?.foundInEpoch ?? 0,
      profit: profitAt(1, share),
      bestProfit: best.profit,
      bestFraction: best.fraction,
      unaudited: profitAt(1, 0),
    }
  })
  const cost = lookCost(look)
  const loss = lossWhenFound(stakes)
  return { answers, chunks, loss, share, look: look.chunks, lookCost: cost, audits: share * answers, isEnough, cheats }
}
