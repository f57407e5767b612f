import type { Cache, Decoder } from '../decoder.ts'

/** Caches of prompts and answers that came before, by their tokens; the least recently used leave first. */
export interface Prefixes {
  /** Takes the cache of the longest known start of a prompt, without the prompt's last token; null where too little is known. */
  take(prompt: readonly number[]): Promise<Cache | null>
  /** Keeps a cache of one row without padding. */
  keep(tokens: readonly number[], cache: Cache): void
  /** Says whether so many tokens would be kept. */
  wants(tokens: readonly number[]): boolean
  stats(): { readonly entries: number; readonly tokens: number; readonly hits: number; readonly reused: number }
  clear(): void
}

interface Entry {
  readonly tokens: readonly number[]
  readonly cache: Cache
}

/** Tokens below which a known start saves less than looking after it costs. */
const FEWEST = 32

/** Opens an empty store that holds so many tokens at most. */
export const createPrefixes = (of: { readonly decoder: Decoder; readonly tokens: number }): Prefixes => {
  const { decoder } = of
  let entries: Entry[] = [] // the most recently used last
  let held = 0
  let hits = 0
  let reused = 0
  const drop = (entry: Entry): void => {
    entries = entries.filter((each) => each !== entry)
    held -= entry.tokens.length
    decoder.release(entry.cache)
  }
  const wants = ({ length }: readonly number[]): boolean => length >= FEWEST && length <= of.tokens
  return {
    wants,
    take: async (prompt) => {
      const most = prompt.length - 1 // the last token has to run, since its logits draw the answer's first
      let best: Entry | undefined
      let known = FEWEST - 1
      for (const entry of entries) {
        const common = Math.min(most, shared(prompt, entry.tokens))
        if (common > known || (common === known && best !== undefined)) best = entry
        known = Math.max(known, common)
      }
      if (best === undefined) return null
      entries = [...entries.filter((each) => each !== best), best]
      hits++
      reused += known
      if (known === best.cache.length) return decoder.hold(best.cache)
      const whole = decoder.hold(best.cache)
      try {
        return await decoder.assemble([{ cache: whole, row: 0, from: 0, length: known }])
      } finally {
        decoder.release(whole)
      }
    },
    keep: (tokens, cache) => {
      if (!wants(tokens)) return
      for (const entry of entries) if (shared(tokens, entry.tokens) === entry.tokens.length) drop(entry)
      if (entries.some((entry) => shared(tokens, entry.tokens) === tokens.length)) return
      entries.push({ tokens: [...tokens], cache: decoder.hold(cache) })
      held += tokens.length
      while (held > of.tokens && entries[0] !== undefined) drop(entries[0])
    },
    stats: () => ({ entries: entries.length, tokens: held, hits, reused }),
    clear: () => {
      for (const entry of entries) drop(entry)
    },
  }
}

const shared = (one: readonly number[], other: readonly number[]): number => {
  const most = Math.min(one.length, other.length)
  let length = 0
  while (length < most && one[length] === other[length]) length++
  return length
}
