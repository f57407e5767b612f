import { SubnetError } from '@arbor/shared/errors'
import { isHex } from '@arbor/shared/hex'
import { isSs58 } from '@arbor/shared/ss58'
import type { Hex, Ss58 } from '@arbor/shared/units'
import { z } from 'zod'
import { RECEIPT_FORMAT, type Receipt } from './receipts.ts'

const hex32 = z
  .string()
  .refine((text) => isHex(text, 32), 'is not 32 bytes in hexadecimal')
  .transform((text) => text as Hex)
const ss58 = z
  .string()
  .refine(isSs58, 'is no address')
  .transform((text) => text as Ss58)
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const measure = z.number().nullable()

const evidence = z.discriminatedUnion('protocol', [
  z.strictObject({
    protocol: z.literal('arbor'),
    request: z.string(),
    answer: z.string(),
    asker: z.string(),
    miner: z.string(),
    attest: z.string(),
  }),
  z.strictObject({ protocol: z.literal('bittensor'), signedText: z.string(), signature: z.string() }),
])

const exchange = z.strictObject({
  version: z.literal(1),
  genesisHash: hex32,
  netuid: count.max(65_535),
  kind: z.enum(['planned', 'user']),
  spec: z.strictObject({ name: z.string(), version: count }),
  model: z.strictObject({ name: z.string(), hash: hex32, thresholds: hex32.optional() }),
  hotkey: ss58,
  uid: count.max(65_535),
  registeredAt: count,
  task: z.string(),
  question: z.string(),
  response: z.string(),
  timing: z.strictObject({ totalMs: z.number(), deadlineMs: z.number() }),
  binding: hex32,
  answerHash: hex32,
  evidence,
  after: count,
})

const receipt = z.strictObject({
  format: z.literal(RECEIPT_FORMAT),
  id: z.string().regex(/^[0-9a-f]{64}$/),
  exchange,
  drawn: z.strictObject({ block: z.strictObject({ number: count, hash: hex32 }), draw: hex32 }).nullable(),
  share: z.strictObject({ draw: hex32, chunks: count.optional(), positions: count.optional() }).nullable(),
  verdict: z.strictObject({ reason: z.string(), value: z.number(), sigma: z.number() }),
  check: z.looseObject({ reason: z.string(), marginMean: measure, marginMax: measure }).nullable(),
  judgedBy: ss58,
  judgedAt: count,
})

/**
 * Reads a receipt's file.
 * @throws RECEIPT_UNREADABLE when it is no JSON, as a file that was cut short; RECEIPT_INVALID when a part is missing, unknown or of another kind
 */
export const readReceipt = (text: string): Receipt => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new SubnetError({
      code: 'RECEIPT_UNREADABLE',
      message: `The receipt is no JSON${text.trimEnd().endsWith('}') ? '' : ', it seems to be cut short'}; fetch it again`,
      cause,
    })
  }
  const read = receipt.safeParse(json)
  if (read.success) return read.data as unknown as Receipt
  const issue = read.error.issues[0]
  const field = issue?.path.join('.') || String(issue !== undefined && 'keys' in issue ? issue.keys : 'the receipt')
  throw new SubnetError({
    code: 'RECEIPT_INVALID',
    message: `The receipt's ${field} is not as receipts of ${RECEIPT_FORMAT} have it: ${issue?.message ?? ''}; it was edited, or written by another version`,
    details: { field },
  })
}
