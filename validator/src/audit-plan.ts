import type { Metagraph } from '@arbor/chain/client/types'
import type { Rao } from '@arbor/shared/units'
import { type AuditPolicy, solveAudit } from '@arbor/subnet-spec/audit/policy'
import type { Stakes } from '@arbor/subnet-spec/audit/stakes'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { AuditLedger, AuditPlan, Pass } from './ledger-audits.ts'
import { registrationKey, registrationOf } from './scores.ts'
import type { TrafficCount } from './traffic.ts'

/** Checks of users' answers in one round at most; what is cut off shows in the detection that is logged. */
export const MOST_AUDITS = 512
/** Who earned nothing yet is reckoned with so little. */
const LEAST_EMISSION = 1

/**
 * Computes what is at stake for one registration.
 * @param of.emission alpha that it was paid at the last epoch
 * @param of.burn price of a registration; one alpha is taken for one TAO
 */
export const stakesOf = (of: { readonly spec: SubnetSpec; readonly emission: bigint; readonly burn: Rao }): Stakes => ({
  emissionPerRound: Math.max(LEAST_EMISSION, Number(of.emission) / of.spec.roundsPerEpoch),
  burn: Number(of.burn),
  idleRounds: of.spec.roundsPerEpoch, // a new registration's first weights are paid for at the epoch after
  forfeitRounds: of.spec.audit?.forfeitRounds ?? 1,
})

/** Plans how the users' answers of a pass are audited, miner by miner. */
export function planAudits(of: {
  readonly spec: SubnetSpec
  readonly pass: Pass
  readonly counts: readonly TrafficCount[]
  readonly metagraph: Metagraph
  readonly burn: Rao
  readonly ledger: Pick<AuditLedger, 'missed'>
  /** Chunks of an answer, on average. */
  readonly chunks: number
  readonly most?: number
}): readonly AuditPlan[] {
  const { spec, pass, metagraph, ledger, most = MOST_AUDITS } = of
  const terms = spec.audit
  if (terms === undefined) return []
  const neurons = new Map(metagraph.neurons.map((neuron) => [registrationKey(registrationOf(neuron)), neuron]))
  const solved = of.counts.map((count) => {
    const { hotkey, registeredAt, answers, dropped } = count
    const registration = { hotkey, uid: count.uid, registeredAt } as const
    const missed = ledger.missed({ ...registration, epoch: pass.epoch })
    const emission = neurons.get(registrationKey(registration))?.emission ?? 0n
    const asked = {
      terms,
      stakes: stakesOf({ spec, emission, burn: of.burn }),
      answers,
      seen: answers === 0 ? 1 : (answers - dropped) / answers,
      chunks: of.chunks,
      round: (pass.round % spec.roundsPerEpoch) + 1,
      rounds: spec.roundsPerEpoch,
      missed: terms.attacks.map(({ name }) => missed.get(name) ?? 1),
    }
    return { registration, count, asked, policy: solveAudit(asked) }
  })
  const wanted = solved.reduce((sum, { count, policy }) => sum + (count.answers - count.dropped) * policy.share, 0)
  const room = wanted > most ? most / wanted : 1
  return solved.map(({ registration, count: { answers, dropped }, asked, policy }) => {
    const kept: AuditPolicy = room < 1 ? solveAudit({ ...asked, fixed: room * policy.share }) : policy
    const { share, look, attacks: outlook } = kept
    return { ...registration, answers, dropped, share, look: look.chunks, outlook }
  })
}
