import { parseConfig, parseConfigText } from '@arbor/shared/config'
import { SubnetError } from '@arbor/shared/errors'
import { DEFAULT_LIFETIME_MS, MAX_LIFETIME_MS } from '@arbor/shared/protocol/limits'
import type { Rao } from '@arbor/shared/units'
import { z } from 'zod'
import { KNOWN_CALLS, knownCall, SERVE_CALLS, WEIGHT_CALLS } from './calls.ts'

const perMinute = z.int().min(1).max(100_000)

/** What a signer signs; whatever is not named here is refused. */
const policySchema = z.strictObject({
  netuids: z.array(z.int().min(0).max(65_535)).min(1).max(256),
  certificates: z
    .strictObject({
      purposes: z
        .array(z.enum(['ask', 'serve']))
        .min(1)
        .max(2),
      maxLifetimeMs: z.int().min(1).max(MAX_LIFETIME_MS).default(DEFAULT_LIFETIME_MS),
      perMinute: perMinute.default(30),
    })
    .optional(),
  extrinsics: z
    .strictObject({
      calls: z.array(z.string()).min(1).max(64),
      perMinute: perMinute.default(12),
      /** Blocks for which an extrinsic may be valid. */
      maxEraBlocks: z.int().min(4).max(65_536).default(256), // 256 × 12 s ≈ 51 min
      spend: z
        .strictObject({
          /** Decimal text, since JSON's numbers end at 2^53. */
          rao: z.string().regex(/^\d{1,20}$/, 'write whole rao as text, as "1000000000" for 1 TAO'),
          windowMs: z.int().min(60_000).max(31_536_000_000),
        })
        .optional(),
    })
    .optional(),
  /** Requests to axons of Bittensor's own protocol. */
  synapses: z.strictObject({ perMinute }).optional(),
  /** Sizes and roots of the hotkey's log of receipts. */
  heads: z.strictObject({ perMinute: perMinute.default(60) }).optional(),
})

/** A policy as a file states it. */
export type PolicyFile = z.input<typeof policySchema>
export type Policy = z.output<typeof policySchema>

/** The roles that have a policy of their own. */
export const ROLES = ['miner', 'validator'] as const
export type Role = (typeof ROLES)[number]

/** Makes the policy of a role: what `arbor miner` or `arbor validator` asks for, and nothing that spends. */
export const policyFor = (
  role: Role,
  of: { readonly netuids: readonly number[]; readonly speaksBittensor: boolean },
): Policy =>
  parsePolicy({
    netuids: [...of.netuids],
    certificates: { purposes: [role === 'miner' ? 'serve' : 'ask'] },
    extrinsics: {
      calls:
        role === 'miner'
          ? [...SERVE_CALLS, 'Commitments.set_commitment']
          : [...WEIGHT_CALLS, 'Commitments.set_commitment', 'SubtensorModule.serve_axon'],
      // A validator commits, reveals and anchors in each epoch, and a local net has one every few seconds.
      ...(role === 'validator' ? { perMinute: 60 } : {}),
    },
    ...(of.speaksBittensor ? { synapses: { perMinute: 60_000 } } : {}),
    ...(role === 'validator' ? { heads: {} } : {}),
  })

/**
 * Reads a policy's text.
 * @throws CONFIG_NOT_JSON, CONFIG_UNKNOWN_KEY, CONFIG_INVALID, SIGNER_POLICY when it allows a call that no policy can
 */
export const readPolicy = (text: string, path: string): Policy => parsePolicy(parseConfigText(text, path))

/** Checks a policy. @throws CONFIG_UNKNOWN_KEY, CONFIG_INVALID, SIGNER_POLICY */
export const parsePolicy = (file: Readonly<Record<string, unknown>>): Policy => {
  const policy = parseConfig({ schema: policySchema, sources: { file } })
  const unknown = policy.extrinsics?.calls.find((name) => knownCall(name) === null)
  if (unknown === undefined) return policy
  throw new SubnetError({
    code: 'SIGNER_POLICY',
    message: `A policy cannot allow "${unknown}", of which the signer cannot tell what it does or costs; it knows ${Object.keys(KNOWN_CALLS).join(', ')}`,
    details: { call: unknown },
  })
}

/** The rao that a policy lets a hotkey spend within its window. */
export const spendOf = ({ extrinsics }: Policy): { readonly rao: Rao; readonly windowMs: number } | null =>
  extrinsics?.spend === undefined
    ? null
    : { rao: BigInt(extrinsics.spend.rao) as Rao, windowMs: extrinsics.spend.windowMs }
