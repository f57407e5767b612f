import type { Prompt } from './job.ts'

/** Subjects that prompts begin with, so that no two share a prefix. */
const SUBJECTS =
  'Rivers Iron Bread Glass Music Winter Trade Sleep Bridges Horses Paper Salt Clouds Silk Maps Gardens Copper Bees Ships Clocks Wool Coal Rain Mountains Cities Letters Stars Tea Wood Sand Gold Wheat Fish Roads Fire Ice Markets Schools Books Birds Forests Stone Cotton Sugar Milk Honey Rice Corn Wine Trains Lamps Coins Laws Rules Tools Walls Doors Farms Islands Oceans Deserts Valleys Lakes Storms Seeds Roots Leaves Flowers Apples Oranges'.split(
    ' ',
  )
const SENTENCE =
  ' have shaped the lives of people for thousands of years. This chapter describes in plain words where they come from, how they are used today, and what may become of them later. It begins'
const FILLER =
  ' The reader will find that every part of the story depends on the parts before it, and that small causes often have large effects.'

/** How many different prompts there are at least, so that no engine is asked the same twice. */
const POOL = 200
/** Subjects that each one is paired with. */
const PAIRS = 6
const LONG = 5

/**
 * Makes prompts of one length, and some of another.
 * @param longTokens length of the long ones
 * @param encode the ids that the model sees for a text
 */
export const makePrompts = (
  longTokens: number,
  encode: (text: string) => readonly number[],
): { readonly prompts: readonly Prompt[]; readonly long: readonly Prompt[] } => {
  const all = Array.from({ length: PAIRS }, (_, pair) => pair + 1).flatMap((pair) =>
    SUBJECTS.map((subject, index): Prompt => {
      const other = SUBJECTS[(index + pair) % SUBJECTS.length] ?? ''
      const text = `${subject} and ${other.toLowerCase()}${SENTENCE}`
      return { text, ids: encode(text) }
    }),
  )
  const byLength = Map.groupBy(all, ({ ids }) => ids.length)
  const prompts = [...byLength.values()].sort((a, b) => b.length - a.length)[0] ?? []
  const pool = prompts.length >= POOL ? prompts : lengthen(all, encode)
  const long: Prompt[] = []
  for (const subject of SUBJECTS) {
    const prompt = exactly(longTokens, `${subject}${SENTENCE}`, FILLER, encode)
    if (prompt !== null) long.push(prompt)
    if (long.length === LONG) break
  }
  if (pool.length < POOL || long.length < LONG)
    throw new Error(`${pool.length} prompts and ${long.length} long ones have one length, which are too few`)
  return { prompts: pool, long }
}

/** Brings prompts to the longest one's length by words of the filler. */
const lengthen = (all: readonly Prompt[], encode: (text: string) => readonly number[]): readonly Prompt[] => {
  const length = Math.max(...all.map(({ ids }) => ids.length)) + 8
  return all.map(({ text }) => exactly(length, text, FILLER, encode)).filter((prompt) => prompt !== null)
}

/** Appends words of the filler while they fit, then the shortest word, until the text has so many tokens; null when it jumps over. */
const exactly = (
  length: number,
  start: string,
  filler: string,
  encode: (text: string) => readonly number[],
): Prompt | null => {
  const words = filler.match(/ \S+/g) ?? []
  let text = start
  for (let index = 0; encode(text).length < length; index++) {
    const longer = `${text}${words[index % words.length]}`
    text = encode(longer).length > length ? `${text} a` : longer
  }
  const ids = encode(text)
  return ids.length === length ? { text, ids } : null
}
