import { createHash } from 'node:crypto'
import type { GenerateRequest, ProofKind } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'

/** Seeds of calibration; what limits are tried on later must be drawn under another name. */
const DOMAIN = 'arbor/calibrate/1'
const LENGTHS = [32, 48, 64, 80]
/** Filters that honest answers are drawn under, in turn; a plain draw is what subnets plan. */
const FILTERS: readonly Pick<GenerateRequest, 'temperature' | 'topK' | 'topP'>[] = [
  { temperature: 0.8 },
  { temperature: 1, topP: 0.9 },
  { temperature: 0.8 },
  { temperature: 0.7, topK: 40 },
  { temperature: 0.8 },
  { temperature: 0 },
]

/**
 * Makes requests for a calibration. The same index of two kinds has other prompts, seeds and bindings.
 * @param of.kind    what the requests are for, such as `honest`
 * @param of.compose makes a prompt of 32 bytes
 * @param of.chats   whether every second one is a conversation
 * @param of.plain   draws all at temperature 0.8
 */
export const calibrationRequests = (of: {
  readonly kind: string
  readonly count: number
  readonly proof: ProofKind
  readonly compose: (seed: Hex) => string
  readonly chats: boolean
  readonly plain: boolean
}): GenerateRequest[] =>
  Array.from({ length: of.count }, (_, index) => {
    const label = `${DOMAIN} ${of.kind} ${of.proof} ${index}`
    const text = of.compose(hashOf(`${label} prompt`))
    const filter = of.plain ? { temperature: 0.8 } : (FILTERS[index % FILTERS.length] ?? { temperature: 0.8 })
    return {
      prompt: of.chats && index % 2 === 1 ? [{ role: 'user', content: text }] : text,
      maxTokens: LENGTHS[Math.floor(index / 2) % LENGTHS.length] ?? 48,
      ...(of.proof === 'none' ? { temperature: 0 } : filter),
      seed: hashOf(`${label} seed`),
      binding: hashOf(`${label} binding`),
      proof: of.proof,
    }
  })

const hashOf = (text: string): Hex => `0x${createHash('sha256').update(text).digest('hex')}`
