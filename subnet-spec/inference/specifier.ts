import { SubnetError } from '@arbor/shared/errors'
import { isHex } from '@arbor/shared/hex'
import type { ProofKind } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { z } from 'zod'
import type { SubnetSpec } from '../src/define.ts'
import { type InferenceOf, inferenceSubnet } from './subnet.ts'

/** How specifiers of this kind begin: `inference@NAME,hash=…,…` names everything that the subnet of a model rests on. */
const PREFIX = 'inference@'
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

const bytes32 = z
  .string()
  .refine((text) => isHex(text, 32))
  .transform((text) => text as Hex)
const fields = z.strictObject({
  hash: bytes32,
  thresholds: bytes32.optional(),
  speed: z.coerce.number().positive(),
  context: z.coerce.number().int().min(2),
  vocabulary: z.coerce.number().int().min(1).optional(),
  proof: z.enum(['residue', 'toploc', 'none'] satisfies ProofKind[]).optional(),
})

/** Tells whether text names a subnet by its model. */
export const isInferenceSpecifier = (text: string): boolean => text.startsWith(PREFIX)

/**
 * Writes the name under which every process makes the same subnet of a model, without reading its folder:
 * `inference@NAME,hash=0x…,thresholds=0x…,speed=30,context=8192,vocabulary=49152,proof=residue`.
 */
export const inferenceSpecifier = ({ model, speed, vocabulary, proof }: Omit<InferenceOf, 'name'>): string => {
  const { hash, thresholds } = model
  const given = { hash, thresholds, speed: speed.tokensPerSecond, context: speed.context, vocabulary, proof }
  const parts = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))
  return [`${PREFIX}${model.name}`, ...parts].join(',')
}

/**
 * Makes the subnet that such a name stands for.
 * @throws SPEC_SPECIFIER when a part is missing, unknown or of the wrong kind; SPEC_INVALID
 */
export const inferenceFor = (specifier: string): SubnetSpec => {
  const [model = '', ...parts] = specifier.slice(PREFIX.length).split(',')
  if (!NAME.test(model)) throw unreadable(specifier, `the model's name "${model}"`)
  const pairs = parts.map((part) => part.split('='))
  const read = fields.safeParse(Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value])))
  if (!read.success) throw unreadable(specifier, String(read.error.issues[0]?.path.join('.') || 'an unknown part'))
  if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw unreadable(specifier, 'a part that comes twice')
  const { hash, thresholds, speed, context, vocabulary, proof } = read.data
  return inferenceSubnet({
    name: 'inference',
    model: { name: model, hash, ...(thresholds === undefined ? {} : { thresholds }) },
    speed: { tokensPerSecond: speed, context },
    vocabulary,
    proof,
  })
}

const unreadable = (specifier: string, what: string): SubnetError =>
  new SubnetError({
    code: 'SPEC_SPECIFIER',
    message: `The subnet spec "${specifier}" is not readable: ${what}; write inference@NAME,hash=0x…,speed=TOKENS_PER_SECOND,context=TOKENS as \`arbor model show NAME\` prints it`,
  })
