import { SubnetError } from '@arbor/shared/errors'
import { isHex } from '@arbor/shared/hex'
import { isSs58 } from '@arbor/shared/ss58'
import { z } from 'zod'
import { WEIGHT_TRANSITIONS } from '../weights/machine.ts'
import { encodeEntry } from './encode.ts'
import type { LogEntry } from './entry.ts'

/** The state of 4 096 registrations, each with a forfeit, has some 2.3 MB. */
export const MAX_ENTRY_BYTES = 4 * 2 ** 20

/** A check of an address costs a hash; a subnet has at most 4 096 of them. */
const KNOWN = 8_192
const known = new Set<string>()
const isAddress = (text: string): boolean => {
  if (known.has(text)) return true
  if (!isSs58(text)) return false
  if (known.size >= KNOWN) known.clear()
  known.add(text)
  return true
}

const address = z.string().max(64).refine(isAddress, 'is no address')
const hex32 = z.string().refine((text) => isHex(text, 32) && text === text.toLowerCase(), 'is not 32 bytes as 0x…')
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'is no SHA-256')
const count = z.int().min(0)
const u16 = count.max(65_535)
const word = z.string().max(128)
const ref = z.strictObject({ number: count, hash: hex32 })
const registration = { hotkey: address, uid: u16, registeredAt: count }

const score = {
  ...registration,
  average: z.number(),
  sigma: z.number(),
  samples: count,
  lastRoundBlock: count,
}
const forfeit = z.strictObject({
  ...registration,
  atBlock: count,
  untilBlock: count,
  kind: z.enum(['planned', 'user']),
  reason: word,
  receipt: digest.nullable(),
})
const state = {
  scores: z.array(z.strictObject(score)).max(65_536),
  forfeits: z.array(forfeit).max(65_536),
  rounds: z.array(count).max(1_024),
  endedAt: count.nullable(),
}

const entry = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('terms'),
    version: z.literal(1),
    genesisHash: hex32,
    netuid: u16,
    hotkey: address,
    spec: z.strictObject({ name: word, version: count, model: hex32 }),
    block: count,
    lost: z.strictObject({ size: count, root: hex32 }).optional(),
  }),
  z.strictObject({ kind: z.literal('round'), round: count, start: ref, length: count, miners: count }),
  z.strictObject({
    kind: z.literal('verdict'),
    ...registration,
    round: count,
    roundBlock: count,
    task: word,
    seed: hex32,
    repeat: count,
    reason: word,
    value: z.number(),
    sigma: z.number(),
    totalMs: z.number().nullable(),
    answerHash: hex32.nullable(),
    drawnAt: count.nullable(),
    signed: z.boolean(),
    receipt: digest.nullable(),
  }),
  z.strictObject({
    kind: z.literal('audit'),
    ...registration,
    before: count,
    reason: word,
    value: z.number(),
    receipt: digest,
  }),
  z.strictObject({ kind: z.literal('forfeit'), forfeit }),
  z.strictObject({ kind: z.literal('score'), ...score }),
  z.strictObject({ kind: z.literal('round-end'), round: count, roundBlock: count, endedAt: count, at: count }),
  z.strictObject({
    kind: z.literal('row'),
    attempt: count,
    mechanism: u16,
    block: ref,
    tempo: count,
    method: z.enum(['open', 'salted', 'timelocked']),
    version: count,
    row: z.array(z.tuple([u16, u16])).max(65_536),
    departed: z.array(z.strictObject(registration)).max(65_536),
  }),
  z.strictObject({
    kind: z.literal('move'),
    attempt: count,
    state: z.enum(Object.keys(WEIGHT_TRANSITIONS)),
    block: count.nullable(),
  }),
  z.strictObject({ kind: z.literal('state'), block: count, ...state }),
  z.strictObject({
    kind: z.literal('source'),
    block: count,
    validator: address,
    size: count,
    root: hex32,
    stake: z.string().regex(/^\d{1,20}$/, 'is no decimal number'),
    state: z.strictObject(state),
  }),
  z.strictObject({
    kind: z.literal('checkpoint'),
    round: count,
    votedAt: count,
    base: hex32.nullable(),
    merged: z.array(z.strictObject({ uid: u16, hotkey: address, name: hex32, bytes: count })).max(65_536),
    checkpoint: hex32,
  }),
])

/**
 * Reads an entry of anybody's log.
 * @param text as it was hashed: canonical JSON, in its only spelling
 * @throws LOG_ENTRY_INVALID when it is too long, no JSON, of an unknown kind, has a part too few, too many or of another kind, or is spelt otherwise
 */
export const readEntry = (text: string): LogEntry => {
  if (text.length > MAX_ENTRY_BYTES) throw invalid(`it has more than ${MAX_ENTRY_BYTES} characters`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw invalid('it is no JSON', cause)
  }
  const read = entry.safeParse(json)
  if (!read.success) {
    const issue = read.error.issues[0]
    throw invalid(`its ${issue?.path.join('.') || 'whole'} is wrong: ${issue?.message ?? ''}`)
  }
  const found = read.data as LogEntry
  if (encodeEntry(found) !== text) throw invalid('it is not in its canonical spelling')
  return found
}

const invalid = (why: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'LOG_ENTRY_INVALID',
    message: `an entry of the log of receipts is none: ${why}; it was edited, or written by another version`,
    cause,
  })
