import { fileURLToPath } from 'node:url'
import type { GenerateRequest } from '@arbor/shared/inference'
import type { Hex } from '@arbor/shared/units'

const folderOf = (name: string): string => fileURLToPath(new URL(`../../../models/${name}`, import.meta.url))

export const TINY = folderOf('arbor-tiny')
export const TINY_INT8 = folderOf('arbor-tiny-int8')

/** Makes a seed of 32 equal bytes. */
export const seedOf = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`

/** A request that the tiny model answers in a fraction of a second. */
export const request = (change: Partial<GenerateRequest> = {}): GenerateRequest => ({
  prompt: 'The borrow checker ensures that',
  maxTokens: 40,
  temperature: 0.8,
  seed: seedOf(7),
  ...change,
})
