import type { BlockRef } from '@arbor/chain/client/types'
import type { Hex, NetUid, Ss58, UnixMs } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { faultVerdict, typicalOf } from '@arbor/subnet-spec/finetune/gauntlet'
import { assignedSeed } from '@arbor/subnet-spec/finetune/seeds'
import type { Phases, TrainingTerms, Typical } from '@arbor/subnet-spec/finetune/types'
import { forfeitOf } from '../forfeit.ts'
import type { Forfeit } from '../ledger-audits.ts'
import type { VerdictRow } from '../rounds/verdict-row.ts'
import type { Candidate } from './candidates.ts'
import type { JudgedUpdate } from './judged-update.ts'
import { evidenceId, TRAINING_RECEIPT_FORMAT, type TrainingReceipt, type UpdateEvidence, verdictBy } from './receipt.ts'

/** A miner's verdict of a round, with the receipt that shows it; null where nothing came that could be shown. */
export interface UpdateVerdict {
  readonly row: VerdictRow
  readonly receipt: TrainingReceipt | null
  /** Bytes of the update that was committed; 0 where none was. */
  readonly bytes: number
}

export interface VerdictsOf {
  readonly spec: SubnetSpec
  readonly terms: TrainingTerms
  readonly genesisHash: Hex
  readonly netuid: NetUid
  readonly self: Ss58
  readonly phases: Phases
  readonly start: BlockRef
  readonly published: BlockRef
  readonly base: Hex
  readonly norm: number
  readonly at: UnixMs
}

/** Makes the verdicts of a round, of all that could be judged; those that were not got to have none. */
export function verdictsOf(
  of: VerdictsOf,
  candidates: readonly Candidate[],
  judged: readonly JudgedUpdate[],
): readonly UpdateVerdict[] {
  const byUid = new Map(judged.map((one) => [one.uid, one]))
  const measured = judged.flatMap((one) => (one.measured === null ? [] : [one.measured]))
  const typical = typicalOf({ measured, terms: of.terms.gauntlet })
  return candidates.flatMap((candidate): UpdateVerdict[] => {
    const { committed } = candidate
    const found = byUid.get(candidate.uid)
    if (committed === null) return [{ row: unshown(of, candidate, 'missing'), receipt: null, bytes: 0 }]
    if (found === undefined || found.hotkey !== candidate.hotkey) return []
    const { bytes } = found.update
    if (found.fault === 'unavailable') return [{ row: unshown(of, candidate, 'unavailable'), receipt: null, bytes }]
    return [shown(of, { candidate, found, typical })]
  })
}

const aboutOf = ({ spec, netuid, phases, start }: VerdictsOf, { hotkey, uid, registeredAt }: Candidate) => {
  const { round } = phases
  const seed = assignedSeed({ blockHash: start.hash, netuid, round, hotkey })
  return { hotkey, uid, registeredAt, round, roundBlock: phases.start, task: spec.pick({ seed }), seed, repeat: 0 }
}

const unshown = (of: VerdictsOf, candidate: Candidate, reason: 'missing' | 'unavailable'): VerdictRow => ({
  ...aboutOf(of, candidate),
  ...faultVerdict(reason),
  totalMs: null,
  answerHash: null,
  drawnAt: null,
  signed: false,
})

const shown = (
  of: VerdictsOf,
  {
    candidate,
    found,
    typical,
  }: { readonly candidate: Candidate; readonly found: JudgedUpdate; readonly typical: Typical },
): UpdateVerdict => {
  const about = aboutOf(of, candidate)
  const { fault, measured, update, checkMs } = found
  const evidence: UpdateEvidence = {
    version: 1,
    genesisHash: of.genesisHash,
    netuid: of.netuid,
    spec: { name: of.spec.name, version: of.spec.version },
    hotkey: about.hotkey,
    uid: about.uid,
    registeredAt: about.registeredAt,
    round: about.round,
    roundBlock: about.roundBlock,
    published: { number: of.published.number, hash: of.published.hash },
    base: of.base,
    update: { name: update.name, bytes: update.bytes },
    fault,
    measured,
    norm: of.norm,
    typical,
  }
  const verdict = verdictBy(evidence, of.terms.gauntlet)
  const id = evidenceId(evidence)
  return {
    bytes: update.bytes,
    // The miner signed the commitment that names it, and the chain holds that.
    row: {
      ...about,
      ...verdict,
      totalMs: null,
      answerHash: update.name,
      drawnAt: of.published.number,
      signed: true,
      checkMs,
      receipt: id,
    },
    receipt: { format: TRAINING_RECEIPT_FORMAT, id, evidence, verdict, judgedBy: of.self, judgedAt: of.at },
  }
}

/** Says what a round's verdicts cost beyond the round. */
export const forfeitsOf = (
  { spec, phases }: Pick<VerdictsOf, 'spec' | 'phases'>,
  verdicts: readonly UpdateVerdict[],
): readonly Forfeit[] =>
  verdicts.flatMap(({ row }): Forfeit[] => {
    const { receipt = null, roundBlock: atBlock } = row
    if (receipt === null) return []
    const forfeit = forfeitOf({ ...row, spec, length: phases.length, receipt, atBlock, kind: 'planned' })
    return forfeit === null ? [] : [forfeit]
  })
