import { createHash } from 'node:crypto'
import type { ChatMessage, GenerateRequest, ProofKind } from '../../shared/src/inference.ts'
import type { Hex } from '../../shared/src/units.ts'

/** Seeds, bindings and random bytes of this benchmark come from here, and from nowhere that a calibration draws from. */
export const DOMAIN = 'arbor/bench/detection/1'

const FORMS = [
  'Explain %s %s',
  'What should a beginner know about %s %s?',
  'Write a short note on %s %s',
  'Give three facts about %s %s',
  'Why do people care about %s %s?',
  'Compare %s %s with something else',
  'Describe a mistake that is often made with %s %s',
  'How would you teach a child about %s %s?',
  'Tell a short story about %s %s',
  'List the steps to begin with %s %s',
]
const SUBJECTS =
  'ownership,lifetimes,closures,iterators,threads,errors,macros,modules,strings,slices,traits,enums,pointers,vectors,tests,crates,generics,futures,channels,patterns,rivers,bridges,winter,music,bread,trade,sleep,horses,paper,clouds,maps,gardens,copper,bees,ships,clocks,coal,rain,mountains,letters,stars,tea,wood,gold,wheat,roads,fire,ice,schools,birds,forests,cotton,sugar,milk,rice,trains,lamps,coins,laws,oceans'.split(
    ',',
  )
const PLACES = [
  'in a large program',
  'in a small town',
  'in the last century',
  'without any numbers',
  'for somebody in a hurry',
  'from two points of view',
  'before and after a change',
]
/** All combinations; a step that shares no factor with their number visits each of them once. */
const COMBINATIONS = FORMS.length * SUBJECTS.length * PLACES.length
const STEP = 1_009
/** A beginning that many questions share, long enough to be worth keeping. */
const SHARED =
  'You answer for a library that lends tools, books and advice to everybody who asks. Be exact, be brief, name no prices, and say plainly when you do not know. Use simple words, and prefer an example to a rule wherever one example is enough to understand the matter.'

const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index % list.length]
  if (found === undefined) throw new Error('an empty list')
  return found
}

export const hashOf = (...parts: readonly (string | number)[]): Hex =>
  `0x${createHash('sha256')
    .update([DOMAIN, ...parts].join('\n'))
    .digest('hex')}`

/** Makes question number `index`; no two below 4 200 are alike. */
export const questionOf = (index: number): string => {
  const mixed = (index * STEP) % COMBINATIONS
  const subject = at(SUBJECTS, Math.floor(mixed / FORMS.length))
  const place = at(PLACES, Math.floor(mixed / FORMS.length / SUBJECTS.length))
  return at(FORMS, mixed).replace('%s', subject).replace('%s', place)
}

export interface RequestOf {
  readonly model: string
  readonly group: string
  readonly index: number
  readonly maxTokens: number
  /** Whether the model knows conversations. */
  readonly chat: boolean
  readonly proof: ProofKind
}

/** Sampling of honest answers: what users ask for. */
const SAMPLING: readonly Partial<GenerateRequest>[] = [
  {},
  { temperature: 1 },
  { topP: 0.9 },
  { topK: 40 },
  { temperature: 0 },
]

/** An honest request, or one that every cheat is asked: temperature 0.8 unless it varies. */
export const requestOf = (
  of: RequestOf & { readonly varied?: boolean; readonly shared?: boolean },
): GenerateRequest => {
  const { model, group, index, maxTokens, chat, proof } = of
  const question = questionOf(index)
  const shared: readonly ChatMessage[] = [
    { role: 'system', content: SHARED },
    { role: 'user', content: question },
  ]
  const text = of.shared === true ? `${SHARED}\n\n${question}\n\n` : `${question}\n\n`
  return {
    prompt: chat && of.shared === true ? shared : text,
    maxTokens,
    temperature: 0.8,
    seed: hashOf(model, group, index, 'seed'),
    binding: hashOf(model, group, index, 'binding'),
    proof,
    ...(of.varied === true ? at(SAMPLING, index) : {}),
  }
}

/** Bytes that a cheat finds random and that are the same each time. */
export const randomFrom = (label: string): ((length: number) => Uint8Array) => {
  let count = 0
  return (length) => {
    const parts: Buffer[] = []
    for (let have = 0; have < length; have += 32) {
      parts.push(createHash('sha256').update(`${DOMAIN}\n${label}\n${count++}`).digest())
    }
    return Uint8Array.from(Buffer.concat(parts).subarray(0, length))
  }
}
