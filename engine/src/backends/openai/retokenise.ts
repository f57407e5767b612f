import type { Tokenizer } from '../../tokenizer.ts'

/** Makes tokens of a text that comes in pieces: the tokens that the tokenizer gives the whole text. */
export interface Retokeniser {
  /** @returns tokens of the text so far that no further text will change */
  push(text: string): readonly number[]
  /** @returns the tokens that are left */
  end(): readonly number[]
}

/**
 * Tokenises word by word: where a single space parts two words, byte-level tokenizers start afresh, so that the tokens of the parts
 * are those of the whole. Other tokenizers get the whole text at its end.
 */
export const openRetokeniser = (tokenizer: Pick<Tokenizer, 'encode'>): Retokeniser => {
  const byWords = startsAfresh(tokenizer)
  let held = ''
  return {
    push: (text) => {
      held += text
      const cut = byWords ? boundary(held) : 0
      if (cut === 0) return []
      const tokens = tokenizer.encode(held.slice(0, cut))
      held = held.slice(cut)
      return tokens
    },
    end: () => {
      const tokens = held === '' ? [] : tokenizer.encode(held)
      held = ''
      return tokens
    },
  }
}

const startsAfresh = ({ encode }: Pick<Tokenizer, 'encode'>): boolean => {
  const parts = [...encode('The first word'), ...encode(' and the next')]
  return encode('The first word and the next').join() === parts.join()
}

/** Place of the last single space between two letters; 0 where there is none. */
const boundary = (text: string): number => {
  for (let place = text.length - 2; place > 0; place--) {
    if (text[place] === ' ' && LETTER.test(text[place - 1] ?? '') && LETTER.test(text[place + 1] ?? '')) return place
  }
  return 0
}

const LETTER = /^[A-Za-z]$/
