import type { Hex } from '@arbor/shared/units'
import { z } from 'zod'
import { defineSubnet, defineTask, type SubnetSpec, type Timing, type Verdict } from '../src/define.ts'
import { choicesFrom } from '../src/seed.ts'
import { composePrompt } from './prompts.ts'

/** Tokens of an answer: two fingerprint chunks, of 32 and of 16, and 50 to 100 ms of one core at 2 M parameters. */
const MAX_TOKENS = 48
const CHUNK_TOKENS = 32
/** An answer later than this share of the deadline counts half: coarse, since a slow line looks like a slow miner. */
const LATE_SHARE = 0.5
/** Who is believed in fewer than a quarter of its answers earns nothing, rather than little. */
const LEAST_AVERAGE = 0.25

const request = z.strictObject({
  prompt: z.string().min(1).max(2_000),
  maxTokens: z.number().int().min(1).max(MAX_TOKENS),
  temperature: z.number().min(0).max(2),
  seed: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/)
    .transform((text) => text as Hex),
})

const response = z.strictObject({
  text: z.string().max(4_096),
  tokens: z.array(z.number().int().min(0).max(0xffff_ffff)).max(MAX_TOKENS),
  finish: z.enum(['length', 'stop']),
  fingerprint: z.array(z.string().max(400)).max(Math.ceil(MAX_TOKENS / CHUNK_TOKENS)), // 258 bytes as base64: 344 characters
})

const chat = defineTask({
  request,
  response,
  deadlineMs: 10_000, // a hundred times what the work takes on an idle core
  maxRequestBytes: 16_384,
  maxResponseBytes: 32_768,
  stream: true,
  synapse: { name: 'Chat', hashed: ['prompt', 'maxTokens', 'temperature', 'seed'] },
  plan: ({ seed }) => ({
    prompt: composePrompt(seed),
    maxTokens: MAX_TOKENS,
    temperature: 0.8,
    seed: choicesFrom({ seed, label: 'inference/sampler' }).bytes32(),
  }),
  solve: async ({ request, engine, signal, emit }) => {
    const onToken = (_token: number, piece: string): void => emit?.(piece)
    const { text, tokens, finish, fingerprint } = await engine.generate(request, { signal, onToken })
    return { text, tokens: [...tokens], finish, fingerprint: [...fingerprint] }
  },
  score: async ({ request, response, engine, timing }) => {
    const { reason } = await engine.check(request, response)
    return reason === 'ok' ? punctuality(timing) : { reason, value: 0, sigma: 0 }
  },
})

/** Values an answer that is believed: 1 on time, 0.5 late. */
const punctuality = ({ totalMs, deadlineMs }: Timing): Verdict =>
  totalMs <= LATE_SHARE * deadlineMs ? { reason: 'ok', value: 1, sigma: 0 } : { reason: 'ok', value: 0.5, sigma: 0.25 }

/**
 * Makes the verified-inference subnet for a model: one prompt per miner and round, answered by sampling with a fixed seed and
 * checked with one prefill.
 */
export const inferenceSubnet = (of: { readonly name: string; readonly model: SubnetSpec['model'] }): SubnetSpec =>
  defineSubnet({
    name: of.name,
    version: 1,
    model: of.model,
    roundsPerEpoch: 2,
    tasks: { chat },
    pick: () => 'chat',
    reward: (average) => (average < LEAST_AVERAGE ? 0 : average),
    halfLifeRounds: 4,
  })
