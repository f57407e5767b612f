import { hash } from 'node:crypto'
import { canonicalJson } from '@arbor/shared/canonical-json'
import { SubnetError } from '@arbor/shared/errors'
import { isHex } from '@arbor/shared/hex'
import { isSs58 } from '@arbor/shared/ss58'
import type { Block, Hex, NetUid, Ss58, UnixMs } from '@arbor/shared/units'
import type { Verdict } from '@arbor/subnet-spec/define'
import { faultVerdict, judgeUpdate } from '@arbor/subnet-spec/finetune/gauntlet'
import type { GauntletReason, GauntletTerms, Measured, Typical } from '@arbor/subnet-spec/finetune/types'
import { z } from 'zod'
import type { Registration } from '../scores.ts'

export const TRAINING_RECEIPT_FORMAT = 'arbor/training-receipt/1'

/** All that the verdict on an update follows from. */
export interface UpdateEvidence extends Registration {
  readonly version: 1
  readonly genesisHash: Hex
  readonly netuid: NetUid
  readonly spec: { readonly name: string; readonly version: number }
  readonly round: number
  readonly roundBlock: Block
  /** Last block whose state could hold the commitment: its hash drew the unseen data, and what was replayed. */
  readonly published: { readonly number: Block; readonly hash: Hex }
  /** Checkpoint from which the round trained. */
  readonly base: Hex
  /** The update's file, as the miner committed to it on the chain. */
  readonly update: { readonly name: Hex; readonly bytes: number }
  /** What kept it from being measured; null where it was measured. */
  readonly fault: Exclude<GauntletReason, 'ok'> | null
  readonly measured: Measured | null
  /** Norm that the longer updates of the round were brought down to, and what was typical of them. */
  readonly norm: number
  readonly typical: Typical
}

/** A judged update, so that anyone can judge it again by what was measured. */
export interface TrainingReceipt {
  readonly format: typeof TRAINING_RECEIPT_FORMAT
  /** SHA-256 of the evidence as canonical JSON. */
  readonly id: string
  readonly evidence: UpdateEvidence
  readonly verdict: Verdict
  readonly judgedBy: Ss58
  readonly judgedAt: UnixMs
}

/** Names evidence by its content. @returns 64 lower-case hexadecimal digits */
export const evidenceId = (evidence: UpdateEvidence): string => hash('sha256', canonicalJson(evidence), 'hex')

/** Judges by evidence alone: the validator did no more. */
export const verdictBy = (
  { fault, measured, typical }: Pick<UpdateEvidence, 'fault' | 'measured' | 'typical'>,
  terms: GauntletTerms,
): Verdict => {
  if (fault !== null) return faultVerdict(fault)
  if (measured === null) throw new Error('unreachable: what has no fault was measured')
  return judgeUpdate({ measured, typical, terms })
}

const FAULTS = [
  'missing',
  'unavailable',
  'malformed',
  'stale',
  'not-finite',
  'outsized',
  'copy',
  'harmful',
  'unassigned',
  'withheld',
  'untrained',
] as const satisfies readonly GauntletReason[]

const hex32 = z.string().refine((text) => isHex(text, 32), 'is not 32 bytes in hexadecimal')
const ss58 = z.string().refine(isSs58, 'is no address')
const count = z.int().min(0)
const batch = { before: z.number(), after: z.number() }
const MOST_BATCHES = 4_096
const distance = z.number().min(0)
const replay = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('held'), distance }),
  z.strictObject({ kind: z.literal('differs'), distance }),
  z.strictObject({ kind: z.literal('withheld'), reason: z.string().max(256) }),
])

const receipt = z.strictObject({
  format: z.literal(TRAINING_RECEIPT_FORMAT),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  evidence: z
    .strictObject({
      version: z.literal(1),
      genesisHash: hex32,
      netuid: count.max(65_535),
      spec: z.strictObject({ name: z.string().max(128), version: count }),
      hotkey: ss58,
      uid: count.max(65_535),
      registeredAt: count,
      round: count,
      roundBlock: count,
      published: z.strictObject({ number: count, hash: hex32 }),
      base: hex32,
      update: z.strictObject({ name: hex32, bytes: count }),
      fault: z.enum(FAULTS).nullable(),
      measured: z
        .strictObject({
          norm: z.number().min(0),
          assigned: z.array(z.strictObject({ ...batch, others: z.number().nullable() })).max(MOST_BATCHES),
          unseen: z.array(z.strictObject(batch)).max(MOST_BATCHES),
          likeness: z.strictObject({ cosine: z.number(), hotkey: ss58 }).nullable(),
          replay: replay.nullable(),
        })
        .nullable(),
      norm: z.number().min(0),
      typical: z.strictObject({ lead: z.number(), drop: z.number() }),
    })
    .refine(({ fault, measured }) => (fault === null) === (measured !== null), 'is neither measured nor at fault'),
  verdict: z.strictObject({ reason: z.string(), value: z.number(), sigma: z.number() }),
  judgedBy: ss58,
  judgedAt: count,
})

/** Tells a training subnet's receipt from that of an answer, by its beginning alone. */
export const isTrainingReceipt = (text: string): boolean => /^\s*\{\s*"format":\s*"arbor\/training-receipt\//.test(text)

/**
 * Reads a training receipt's file, and holds it to its id.
 * @throws RECEIPT_UNREADABLE, RECEIPT_INVALID, RECEIPT_EDITED
 */
export const readTrainingReceipt = (text: string): TrainingReceipt => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new SubnetError({ code: 'RECEIPT_UNREADABLE', message: 'The receipt is no JSON; fetch it again', cause })
  }
  const read = receipt.safeParse(json)
  if (!read.success) {
    const issue = read.error.issues[0]
    const field = issue?.path.join('.') || 'the receipt'
    throw new SubnetError({
      code: 'RECEIPT_INVALID',
      message: `The receipt's ${field} is not as receipts of ${TRAINING_RECEIPT_FORMAT} have it: ${issue?.message ?? ''}; it was edited, or written by another version`,
      details: { field },
    })
  }
  const found = read.data as unknown as TrainingReceipt
  if (evidenceId(found.evidence) === found.id) return found
  throw new SubnetError({
    code: 'RECEIPT_EDITED',
    message: `The receipt's content has another hash than its id ${found.id}; fetch it again`,
  })
}
