import type { Decoder } from '../decoder.ts'
import { type Part, plan, type RowLength } from './plan.ts'
import type { Prefixes } from './prefixes.ts'
import type { RowPiece } from './rows.ts'
import type { Group, Row } from './types.ts'

/** Rows that stay, and the cache that they are in. */
export interface Remains {
  readonly group: Group
  readonly rows: readonly Row[]
}

/** Measures a row: its tokens now, and when its answer is as long as it may be. */
export const lengthOf = ({ tokens, job }: Row): RowLength => ({
  now: tokens.length,
  final: job.sequence.prompt.length + job.sequence.maxTokens,
})

/**
 * Puts rows into caches anew where some left or came; the others stay untouched.
 * @param parts each group with the rows that stay in it; one that just came is a group of one, and `arrived`
 */
export const regroup = async (
  decoder: Decoder,
  parts: readonly (Remains & { readonly arrived: boolean })[],
  bound: number,
): Promise<Group[]> => {
  const stays = ({ group, rows, arrived }: (typeof parts)[number]): boolean =>
    !arrived && rows.length === group.rows.length
  if (parts.every(stays)) return parts.map(({ group }) => group)
  const kept = parts.filter(({ rows }) => rows.length > 0)
  for (const { group, rows } of parts) if (rows.length === 0) decoder.release(group.cache)
  const measured: Part[] = kept.map(({ group, rows, arrived }) => ({
    rows: rows.map(lengthOf),
    changed: arrived || rows.length < group.rows.length,
  }))
  const groups: Group[] = []
  for (const indices of plan(measured, bound)) {
    const members = indices.flatMap((index) => kept[index] ?? [])
    const [only] = members
    if (members.length === 1 && only !== undefined && only.rows.length === only.group.rows.length) {
      groups.push(only.group)
      continue
    }
    const pieces = members.flatMap(({ group, rows }) => rows.map((row) => pieceOf(group, row)))
    groups.push({ rows: members.flatMap(({ rows }) => rows), cache: await decoder.assemble(pieces) })
    for (const { group } of members) decoder.release(group.cache)
  }
  return groups
}

/** Runs one token of each row of a group. */
export const stepGroup = async (
  decoder: Decoder,
  { rows, cache }: Group,
): Promise<{ readonly group: Group; readonly logits: Float32Array[]; readonly hidden: Float32Array[] }> => {
  const step = await decoder.run({
    tokens: rows.map(({ next }) => [next]),
    cache,
    paddings: rows.map(({ tokens }) => cache.length - tokens.length),
    rows: [0],
  })
  decoder.release(cache)
  for (const row of rows) row.tokens.push(row.next)
  const { logits, hidden, vocabulary, width } = step
  return {
    group: { rows, cache: step.cache },
    logits: rows.map((_, index) => logits.subarray(index * vocabulary, (index + 1) * vocabulary)),
    hidden: rows.map((_, index) => hidden.subarray(index * width, (index + 1) * width)),
  }
}

/** Keeps what a complete answer leaves in the cache, for the next question of its conversation, as long as there is memory for it. */
export const keepRow = async (decoder: Decoder, prefixes: Prefixes, group: Group, row: Row): Promise<void> => {
  const { cache } = group
  try {
    if (group.rows.length === 1 && cache.length === row.tokens.length) {
      prefixes.keep(row.tokens, cache)
      return
    }
    if (!prefixes.wants(row.tokens)) return
    const own = await decoder.assemble([pieceOf(group, row)])
    prefixes.keep(row.tokens, own)
    decoder.release(own)
  } catch {
    // The answers beside it are worth more than a beginning that is not kept.
  }
}

const pieceOf = ({ rows, cache }: Group, row: Row): RowPiece => ({
  cache,
  row: rows.indexOf(row),
  from: cache.length - row.tokens.length,
  length: row.tokens.length,
})
