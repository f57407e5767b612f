import type { GenerateRequest, ProofKind } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'
import { defineSubnet, defineTask, type PinnedModel, type SubnetSpec, type Verdict } from '../src/define.ts'
import { choicesFrom } from '../src/seed.ts'
import type { Timing } from '../src/timing.ts'
import { boundsOf, type ModelSpeed } from './bounds.ts'
import { composePrompt } from './prompts.ts'
import { CHUNK_TOKENS, schemasOf } from './schemas.ts'
import { INFERENCE_TERMS } from './terms.ts'

/** An answer later than this share of the deadline counts half: coarse, since a slow line looks like a slow miner. */
const LATE_SHARE = 0.5
/** Who is believed in fewer than a quarter of its answers earns nothing, rather than little. */
const LEAST_AVERAGE = 0.25
const TEMPERATURE = 0.8
/** Rows of logits that one check computes in a chunk where the vocabulary is this large: the head then costs as much as the layers. */
const LARGE_VOCABULARY = 16_384
const FEW_POSITIONS = 16

/** A model that a subnet of verified inference is made for. */
export interface InferenceOf {
  readonly name: string
  readonly model: PinnedModel
  readonly speed: ModelSpeed
  /** Tokens that the model knows; a large number has fewer positions of a user's answer drawn again. */
  readonly vocabulary?: number | undefined
  /** What proves an answer; `none` is for servers that show no hidden states, whose answers are greedy. */
  readonly proof?: ProofKind | undefined
}

/**
 * Makes the verified-inference subnet for a model: one prompt per miner and round, answered by sampling with a fixed seed and
 * checked with one prefill; users ask in the same task.
 * @throws SPEC_INVALID
 */
export const inferenceSubnet = ({ name, model, speed, vocabulary = 0, proof = 'residue' }: InferenceOf): SubnetSpec =>
  defineSubnet({
    name,
    version: 2,
    model,
    roundsPerEpoch: 2,
    tasks: { chat: chatTask(speed, proof) },
    pick: () => 'chat',
    reward: (average) => (average < LEAST_AVERAGE ? 0 : average),
    halfLifeRounds: 4,
    audit: { ...INFERENCE_TERMS, ...(vocabulary >= LARGE_VOCABULARY ? { positions: FEW_POSITIONS } : {}) },
  })

const chatTask = (speed: ModelSpeed, proof: ProofKind) => {
  const bounds = boundsOf(speed)
  const { request, response } = schemasOf(bounds, { isGreedy: proof === 'none' })
  const asked = (of: { readonly request: Asked; readonly binding: Hex }): GenerateRequest => {
    const { topK, topP, stop, ...plain } = of.request
    const filters = { topK: topK ?? undefined, topP: topP ?? undefined, stop: stop ?? undefined }
    return { ...plain, ...filters, binding: of.binding, proof }
  }
  return defineTask({
    request,
    response,
    deadlineMs: bounds.deadlineMs,
    timing: [LATE_SHARE],
    maxRequestBytes: 4 * bounds.maxPromptChars + 8_192, // four bytes of UTF-8 a character
    maxResponseBytes: 128 * bounds.maxTokens + 16_384, // an id, its text and its part of a proof, in JSON
    stream: true,
    synapse: { name: 'Chat', hashed: ['prompt', 'maxTokens', 'temperature', 'topK', 'topP', 'stop', 'seed'] },
    size: ({ response: { tokens } }) => ({
      chunks: Math.max(1, Math.ceil(tokens.length / CHUNK_TOKENS)),
      tokens: tokens.length,
    }),
    plan: ({ seed }) => ({
      prompt: composePrompt(seed),
      maxTokens: bounds.plannedTokens,
      temperature: proof === 'none' ? 0 : TEMPERATURE,
      seed: choicesFrom({ seed, label: 'inference/sampler' }).bytes32(),
    }),
    solve: async ({ request, binding, engine, signal, emit }) => {
      const onToken = (_token: number, piece: string): void => emit?.(piece)
      const made = await engine.generate(asked({ request, binding }), { signal, onToken })
      const { text, tokens, finish, fingerprint } = made
      return { text, tokens: [...tokens], finish, fingerprint: [...fingerprint] }
    },
    score: async ({ request, response, binding, share, engine, timing }) => {
      const { reason } = await engine.check(asked({ request, binding }), response, share)
      return reason === 'ok' ? punctuality(timing) : { reason, value: 0, sigma: 0 }
    },
  })
}

type Asked = ReturnType<ReturnType<typeof schemasOf>['request']['parse']>

/** Values an answer that is believed: 1 on time, 0.5 late. */
const punctuality = (timing: Timing): Verdict =>
  timing.class === 0 ? { reason: 'ok', value: 1, sigma: 0 } : { reason: 'ok', value: 0.5, sigma: 0.25 }
