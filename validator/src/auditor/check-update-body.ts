import { SubnetError } from '@arbor/shared/errors'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import type { TrainingTerms } from '@arbor/subnet-spec/finetune/types'
import type { VerdictEntry } from '../log/entry.ts'
import { readTrainingReceipt, type TrainingReceipt, verdictBy } from '../training/receipt.ts'
import { type Mismatch, mismatchOf, type Placed } from './findings.ts'

/**
 * Reads the body of a training verdict and holds it to its entry: content, round, block that drew, commitment; and judges again by what was
 * measured. That the losses are those of the model is not looked at: whoever has it measures again.
 */
export function checkUpdateBody(
  text: string,
  verdict: Placed<VerdictEntry>,
  of: {
    readonly spec: SubnetSpec
    readonly training: TrainingTerms
    readonly netuid: NetUid
    readonly genesisHash: Hex
    readonly validator: Ss58
    /** Of the block that the verdict says drew. */
    readonly blockHash: Hex | null
  },
): Mismatch | null {
  const { entry } = verdict
  let receipt: TrainingReceipt
  try {
    receipt = readTrainingReceipt(text)
  } catch (error) {
    if (!(error instanceof SubnetError)) throw error
    return mismatchOf(verdict, 'a body that proves itself', { expected: entry.receipt, found: error.message })
  }
  const { evidence } = receipt
  const { reason, value, sigma } = entry
  const expected = {
    id: entry.receipt,
    genesisHash: of.genesisHash,
    netuid: of.netuid,
    spec: { name: of.spec.name, version: of.spec.version },
    hotkey: entry.hotkey,
    uid: entry.uid,
    registeredAt: entry.registeredAt,
    round: entry.round,
    roundBlock: entry.roundBlock,
    published: { number: entry.drawnAt, hash: of.blockHash },
    update: entry.answerHash,
    asker: of.validator,
    signed: entry.signed,
    verdict: { reason, value, sigma },
  }
  const again = verdictBy(evidence, of.training.gauntlet)
  const found: typeof expected = {
    id: receipt.id,
    genesisHash: evidence.genesisHash,
    netuid: evidence.netuid,
    spec: { name: evidence.spec.name, version: evidence.spec.version },
    hotkey: evidence.hotkey,
    uid: evidence.uid,
    registeredAt: evidence.registeredAt,
    round: evidence.round,
    roundBlock: evidence.roundBlock,
    published: { number: evidence.published.number, hash: evidence.published.hash },
    update: evidence.update.name,
    asker: receipt.judgedBy,
    signed: true, // the miner signed the commitment that names it
    verdict: { reason: again.reason, value: again.value, sigma: again.sigma },
  }
  for (const key of Object.keys(expected) as (keyof typeof expected)[])
    if (JSON.stringify(expected[key]) !== JSON.stringify(found[key]))
      return mismatchOf(verdict, `the ${key} of its body`, { expected: expected[key], found: found[key] })
  return null
}
