import { SubnetError } from '@arbor/shared/errors'
import { readCertificate } from '@arbor/shared/protocol/certificate'
import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec, Verdict } from '@arbor/subnet-spec/define'
import { choicesFrom } from '@arbor/subnet-spec/seed'
import type { VerdictEntry } from '../log/entry.ts'
import { readReceipt } from '../receipt-schema.ts'
import type { Receipt } from '../receipts.ts'
import { verifyEvidence } from '../verify-evidence.ts'
import { checkUpdateBody } from './check-update-body.ts'
import type { ChainFacts } from './facts.ts'
import { type Mismatch, mismatchOf, type Placed } from './findings.ts'
import type { ServedLog } from './served-log.ts'

/** A verdict whose answer can be judged again. */
export type Answered = Placed<VerdictEntry> & { readonly entry: { readonly receipt: string } }

export const isAnswered = (placed: Placed<VerdictEntry>): placed is Answered => placed.entry.receipt !== null

/**
 * Draws which answers are judged again.
 * @param of.seed hash of a block that was made after the log was anchored, so that nobody could choose by it what to write
 */
export function drawSample(of: {
  readonly verdicts: readonly Answered[]
  readonly seed: Hex
  readonly size: number
}): readonly Answered[] {
  const choices = choicesFrom({ seed: of.seed, label: 'arbor/audit-sample/1' })
  const left = [...of.verdicts]
  const drawn: Answered[] = []
  while (drawn.length < of.size && left.length > 0) drawn.push(...left.splice(choices.below(left.length), 1))
  return drawn.sort((a, b) => a.position - b.position)
}

/** Fetches the body of a verdict's answer; null where the log keeps none. */
export async function bodyOf(
  log: Pick<ServedLog, 'body'>,
  { entry }: Answered,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    return await log.body(entry.receipt, signal)
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'AUDIT_HTTP' && error.details.status === 404) return null
    throw error
  }
}

/** What the chain says of an answer. */
export interface AnswerFacts {
  /** Of the block that the verdict says drew; null where it says none. */
  readonly blockHash: Hex | null
  /** Version that the miner's axon announced at the round's start; null where the chain has no state of then. */
  readonly axonVersion: number | null
}

/** Reads what the chain says of an answer. */
export async function answerFacts(
  facts: Pick<ChainFacts, 'blockHash' | 'metagraph'>,
  { entry: { drawnAt, roundBlock, uid } }: Answered,
): Promise<AnswerFacts> {
  const [blockHash, metagraph] = await Promise.all([
    drawnAt === null ? null : facts.blockHash(drawnAt),
    facts.metagraph(roundBlock),
  ])
  // Who had no axon held a connection to the validator, which Bittensor's wire does not know.
  return { blockHash, axonVersion: metagraph === 'pruned' ? null : (metagraph.neurons[uid]?.axon?.version ?? 0) }
}

/** Bittensor's SDK announces its own version as major × 1 000 000 and so on; only who does so is asked on its wire. */
const BITTENSOR_VERSION = 1_000_000

/** Reads a body and holds it to its verdict: content, signatures, wire, binding, draw, question, and who asked. */
export function checkBody(
  text: string,
  verdict: Answered,
  of: {
    readonly spec: SubnetSpec
    readonly netuid: NetUid
    readonly genesisHash: Hex
    readonly validator: Ss58
  } & AnswerFacts,
): { readonly receipt: Receipt | null; readonly mismatch: Mismatch | null } {
  if (of.spec.training !== undefined)
    return { receipt: null, mismatch: checkUpdateBody(text, verdict, { ...of, training: of.spec.training }) }
  const { entry } = verdict
  let receipt: Receipt
  try {
    receipt = readReceipt(text)
    verifyEvidence(receipt)
  } catch (error) {
    if (!(error instanceof SubnetError)) throw error
    return {
      receipt: null,
      mismatch: mismatchOf(verdict, 'a body that proves itself', { expected: entry.receipt, found: error.message }),
    }
  }
  const { exchange } = receipt
  const isUnsigned = exchange.evidence.protocol === 'bittensor'
  const mayBeUnsigned =
    of.spec.tasks[entry.task]?.synapse !== undefined && (of.axonVersion ?? BITTENSOR_VERSION) >= BITTENSOR_VERSION
  const expected = {
    id: entry.receipt,
    genesisHash: of.genesisHash,
    netuid: of.netuid,
    kind: 'planned',
    hotkey: entry.hotkey,
    uid: entry.uid,
    registeredAt: entry.registeredAt,
    task: entry.task,
    question: JSON.stringify(of.spec.tasks[entry.task]?.plan({ seed: entry.seed }) ?? null),
    answerHash: entry.answerHash,
    model: of.spec.model.hash,
    drawn: entry.drawnAt === null ? null : { number: entry.drawnAt, hash: of.blockHash },
    verdict: { reason: entry.reason, value: entry.value, sigma: entry.sigma },
    asker: of.validator,
    signed: entry.signed,
    // A miner of ours signs what it answers: a body on the wire where none does is no proof of it.
    wire: isUnsigned && !mayBeUnsigned ? 'arbor' : exchange.evidence.protocol,
  }
  const found = {
    id: receipt.id,
    genesisHash: exchange.genesisHash,
    netuid: exchange.netuid,
    kind: exchange.kind,
    hotkey: exchange.hotkey,
    uid: exchange.uid,
    registeredAt: exchange.registeredAt,
    task: exchange.task,
    question: exchange.question,
    answerHash: exchange.answerHash,
    model: exchange.model.hash,
    drawn: receipt.drawn === null ? null : { ...receipt.drawn.block },
    verdict: receipt.verdict,
    asker: askerOf(receipt) ?? of.validator,
    signed: !isUnsigned,
    wire: exchange.evidence.protocol,
  }
  for (const key of Object.keys(expected) as (keyof typeof expected)[])
    if (JSON.stringify(expected[key]) !== JSON.stringify(found[key]))
      return {
        receipt,
        mismatch: mismatchOf(verdict, `the ${key} of its body`, { expected: expected[key], found: found[key] }),
      }
  return { receipt, mismatch: null }
}

/** Who asked, by the session's certificate; null on Bittensor's wire, where the signed text names it. */
function askerOf({ exchange: { evidence } }: Receipt): Ss58 | null {
  if (evidence.protocol === 'bittensor') return (evidence.signedText.split('.')[1] ?? null) as Ss58 | null
  const read = readCertificate(evidence.asker)
  return read.ok ? (read.certificate.address as Ss58) : null
}

/** Compares what judging again gave with the verdict. */
export const checkRejudged = (verdict: Answered, again: Verdict): Mismatch | null => {
  const { reason, value } = verdict.entry
  return again.reason === reason && again.value === value
    ? null
    : mismatchOf(verdict, 'the verdict that the model gives', {
        expected: { reason: again.reason, value: again.value },
        found: { reason, value },
      })
}
