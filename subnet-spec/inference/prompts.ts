import type { Hex } from '@arbor/shared/units'
import { choicesFrom, type SeededChoices } from '../src/seed.ts'

type Words = readonly [string, ...string[]]

const NAMES: Words = [
  'ownership', 'borrowing', 'a lifetime', 'a trait object', 'an iterator', 'a closure', 'pattern matching', 'the compiler',
  'a smart pointer', 'the type system', 'a macro', 'a generic function', 'an async block', 'the borrow checker', 'a raw pointer',
  'an enum', 'a slice', 'a string literal', 'the standard library', 'a module', 'a crate', 'the test harness', 'a thread',
  'a mutable reference', 'the drop order', 'a constant expression', 'the linker', 'an associated type', 'an integer overflow',
  'a build script', 'an error value', 'a workspace',
] // biome-ignore format: a table of words reads best as rows
const VERBS: Words = [
  'prevents', 'requires', 'returns', 'replaces', 'is lent to', 'is checked by', 'depends on', 'is moved into', 'points to',
  'is shared with', 'allocates', 'hides', 'is compared with', 'waits for', 'is derived with', 'conflicts with',
] // biome-ignore format: as above
const PLACES: Words = [
  'inside a loop', 'at compile time', 'across two threads', 'in a match arm', 'behind a reference', 'on the heap',
  'before the function returns', 'in unsafe code', 'within the same scope', 'in the root module', 'when the program panics',
  'in a release build', 'at the end of the block', 'through a public interface', 'in the second edition', 'under a feature flag',
] // biome-ignore format: as above
const OPENINGS: Words = [
  'In this chapter we look at how', 'Note that', 'The following example shows that', 'It is an error when', 'To understand why',
  'As a rule,', 'For historical reasons,', 'Suppose that', 'Unlike in other languages,', 'The reference says that',
  'A common mistake is to assume that', 'Before version 1.{minor},',
] // biome-ignore format: as above
const ENDINGS: Words = [
  'This means that', 'For example,', 'In other words,', 'The reason is that', 'To fix this,', 'If you run the code,',
  'The compiler will then', 'You can avoid this by', 'See Listing {chapter}-{listing}, where', 'On the other hand,',
] // biome-ignore format: as above

/**
 * Composes a prompt from a seed: the start of a page like those that the model learned from, about 30 to 60 words.
 * There are more than 10¹² of them, so answers cannot be kept in stock.
 */
export const composePrompt = (seed: Hex): string => {
  const choices = choicesFrom({ seed, label: 'inference/prompt' })
  const clause = (): string =>
    `${choices.pick(NAMES)} ${choices.pick(VERBS)} ${choices.pick(NAMES)} ${choices.pick(PLACES)}`
  const first = `${fill(choices.pick(OPENINGS), choices)} ${clause()}.`
  const rest = Array.from({ length: 1 + choices.below(3) }, () => `${capital(clause())}.`)
  return [`## ${capital(choices.pick(NAMES))}\n\n${first}`, ...rest, fill(choices.pick(ENDINGS), choices)].join(' ')
}

const fill = (text: string, choices: SeededChoices): string =>
  text.replaceAll(/\{(\w+)\}/g, (_, name) => String(1 + choices.below(name === 'minor' ? 80 : 20)))

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
