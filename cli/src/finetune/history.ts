import { isHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { z } from 'zod'

const name = z.custom<Hex>((value) => typeof value === 'string' && isHex(value, 32), 'a name is 32 bytes in hex')
const round = z.number().int().min(0).max(0xffff_ffff)
const uid = z.number().int().min(0).max(0xffff)

/** Rounds of one history that are read: a year of hours, and more than a page can show. */
const MOST_ROUNDS = 10_000
const MOST_MINERS = 1_024

/** What a validator tells of the rounds that it took part in, as its folder and its server have it. */
export const historySchema = z.object({
  spec: z.object({ name: z.string().max(64), version: z.number() }, 'nothing was written there yet'),
  rounds: z
    .array(
      z.object({
        round,
        /** Names of the checkpoint that the round began with and of the one that it led to. */
        before: name,
        checkpoint: name,
        merged: z.array(uid).max(MOST_MINERS),
        /** Loss of the new checkpoint on data that nobody trains on, in nats a token. */
        heldOut: z.number().nullable(),
        /** That the merged updates were trained on. */
        tokens: z.number().nonnegative(),
        verdicts: z
          .array(
            z.object({
              uid,
              hotkey: z.string().max(64),
              reason: z.string().max(64),
              value: z.number(),
              bytes: z.number().nonnegative(),
              mu: z.number().nullable(),
              sigma: z.number().nullable(),
            }),
          )
          .max(MOST_MINERS),
      }),
    )
    .max(MOST_ROUNDS),
})

export type TrainingHistory = z.infer<typeof historySchema>
export type HistoryRound = TrainingHistory['rounds'][number]

/** What a history says of one miner. */
export interface MinerHistory {
  readonly hotkey: string
  /** The one it had last. */
  readonly uid: number
  /** By round, ascending; of rounds in which it was rated. */
  readonly ratings: readonly { readonly round: number; readonly mu: number; readonly sigma: number }[]
  readonly reasons: Readonly<Record<string, number>>
  readonly bytes: number
}

/** Sorts a history by miner, the best rating first. */
export function minersOf({ rounds }: TrainingHistory): readonly MinerHistory[] {
  const miners = new Map<string, MinerHistory>()
  for (const { round, verdicts } of rounds) {
    for (const { hotkey, uid, reason, bytes, mu, sigma } of verdicts) {
      const known = miners.get(hotkey)
      const rated = mu === null || sigma === null ? [] : [{ round, mu, sigma }]
      miners.set(hotkey, {
        hotkey,
        uid,
        ratings: [...(known?.ratings ?? []), ...rated],
        reasons: { ...known?.reasons, [reason]: (known?.reasons[reason] ?? 0) + 1 },
        bytes: (known?.bytes ?? 0) + bytes,
      })
    }
  }
  const last = ({ ratings }: MinerHistory): number => ratings.at(-1)?.mu ?? Number.NEGATIVE_INFINITY
  return [...miners.values()].sort((a, b) => last(b) - last(a) || a.uid - b.uid)
}
