import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { z } from 'zod'
import { writeWhole } from './whole-file.ts'

/** A round whose checkpoint was held, and the updates that were merged into it. */
export interface HeldRound {
  readonly round: number
  /** Name of the checkpoint that the round starts from. */
  readonly checkpoint: Hex
  /** Names of the updates that led to the next round's; empty while it goes on. */
  readonly updates: readonly Hex[]
}

/** How far a participant has come, and what of it others may ask for. */
export interface Progress {
  /** Rounds from the oldest whole checkpoint that is kept, ascending; the last is the present one. */
  rounds(): readonly HeldRound[]
  /** Notes that a round starts from a checkpoint, which the updates led to; whatever was noted of that round or later ones is forgotten. */
  begin(of: { readonly round: number; readonly checkpoint: Hex; readonly merged: readonly Hex[] | null }): void
  /** Files that are kept for those who come later. */
  named(): ReadonlySet<Hex>
}

const FILE = 'training.json'
/** Whole checkpoints that are kept, so that who begins to fetch one can end. */
const WHOLE = 2

const name = z
  .string()
  .refine((text) => isHex(text, 32))
  .transform((text) => text as Hex)
const schema = z.strictObject({
  version: z.literal(1),
  rounds: z.array(z.strictObject({ round: z.int().min(0), checkpoint: name, updates: z.array(name) })),
})

/** Opens the note in a folder. One that cannot be read counts as none: all that it says can be had from the chain. */
export function openProgress({ folder, every }: { readonly folder: string; readonly every: number }): Progress {
  const path = join(folder, FILE)
  let rounds: readonly HeldRound[] = readNote(path)
  const isWhole = ({ round }: HeldRound): boolean => round % every === 0
  return {
    rounds: () => rounds,
    begin: ({ round, checkpoint, merged }) => {
      const before = merged === null ? [] : rounds.filter((held) => held.round < round)
      const last = before.at(-1)
      const led = last?.round === round - 1 ? [...before.slice(0, -1), { ...last, updates: merged ?? [] }] : []
      const all = [...led, { round, checkpoint, updates: [] }]
      const oldest = all.filter(isWhole).at(-WHOLE)?.round ?? 0
      rounds = all.filter((held) => held.round >= oldest)
      writeWhole(path, Buffer.from(JSON.stringify({ version: 1, rounds })))
    },
    named: () =>
      new Set([
        ...rounds.filter((held, index) => isWhole(held) || index >= rounds.length - 2).map((held) => held.checkpoint),
        ...rounds.flatMap(({ updates }) => updates),
      ]),
  }
}

const readNote = (path: string): readonly HeldRound[] => {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8'))).rounds
  } catch {
    return []
  }
}
