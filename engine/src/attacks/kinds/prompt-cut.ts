import type { ChatMessage, GenerateRequest } from '@arbor/shared/inference'
import type { AttackModule } from '../types.ts'

/** Reads the end of the question only. */
export const promptCut: AttackModule = {
  name: 'prompt-cut',
  weights: 'honest',
  needsHonest: true,
  does: 'reads the last half of the prompt only',
  gains: 'the prefill of long prompts, and the memory of their cache',
  caughtBy: ['fingerprint', 'sampling'],
  within: 2,
  start:
    ({ honest }) =>
    (request, options) =>
      honest.generate({ ...request, prompt: lastHalf(request.prompt) }, options),
}

const lastHalf = (prompt: GenerateRequest['prompt']): string | readonly ChatMessage[] => {
  if (typeof prompt === 'string') return halfOf(prompt)
  const kept = prompt.slice(-1)
  return prompt.length > 1 ? kept : kept.map((message) => ({ ...message, content: halfOf(message.content) }))
}

/** By code points, so that no character is split. */
const halfOf = (text: string): string => {
  const characters = Array.from(text)
  return characters.slice(characters.length >> 1).join('')
}
