import { isHex } from '@arbor/shared/hex'
import { printable } from '@arbor/shared/printable'
import type { Hex, Ss58 } from '@arbor/shared/units'
import { z } from 'zod'
import type { LogEvent } from '../children.ts'
import type { TrainingEvent } from './state.ts'

const round = z.number().int().nonnegative()
const name = z.custom<Hex>((value) => typeof value === 'string' && isHex(value))
const loss = z.number().nullish()

/** What validators of a training subnet log, as far as the view needs it. */
const lines = {
  'training.joined': z.object({ round, checkpoint: name, heldOut: loss }),
  'training.merged': z.object({
    /** The round that was merged; the checkpoint is the next one's. */
    round,
    checkpoint: name,
    heldOut: loss,
    merged: z.array(z.number()),
    tokens: z.number().nonnegative(),
  }),
  'training.verdict': z.object({
    round,
    hotkey: z.string(),
    reason: z.string(),
    bytes: z.number().nonnegative(),
    rating: z.object({ mu: z.number(), sigma: z.number() }).nullish(),
  }),
}

/**
 * Turns a line that a validator logged into what the view of a training subnet needs.
 * @returns null for every other line
 */
export function trainingEvent({ event, fields }: LogEvent, validator: Ss58): TrainingEvent | null {
  switch (event) {
    case 'training.joined': {
      const { data } = lines[event].safeParse(fields)
      if (data === undefined) return null
      const { round, checkpoint, heldOut } = data
      return { kind: 'checkpoint', validator, round, name: checkpoint, loss: heldOut ?? null, merged: 0, tokens: 0 }
    }
    case 'training.merged': {
      const { data } = lines[event].safeParse(fields)
      if (data === undefined) return null
      const { round, checkpoint, heldOut, merged, tokens } = data
      const of = { round: round + 1, name: checkpoint, loss: heldOut ?? null, merged: merged.length, tokens }
      return { kind: 'checkpoint', validator, ...of }
    }
    case 'training.verdict': {
      const { data } = lines[event].safeParse(fields)
      if (data === undefined) return null
      const { round, hotkey, reason, bytes, rating } = data
      return { kind: 'judged', hotkey: hotkey as Ss58, round, reason: printable(reason), bytes, rating: rating ?? null }
    }
    default:
      return null
  }
}
