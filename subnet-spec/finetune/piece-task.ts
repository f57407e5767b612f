import { SubnetError } from '@arbor/shared/errors'
import { isHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { z } from 'zod'
import { defineTask } from '../src/define.ts'

/** Pieces of a file of 64 GiB. */
const MOST_PIECES = 2 ** 20
/** Base64 of 64 KiB, and the longest path that a piece's proof may have, as hex in JSON. */
const MOST_BASE64 = 87_384
const MOST_PROOF = 20

const hash = z.custom<Hex>((value) => typeof value === 'string' && isHex(value, 32))

/**
 * Hands out a piece of a file that the miner serves: its update, and the states that it committed to. Validators ask for what they need
 * when they need it, so no round plans it, and no answer is scored: a piece is proven by its file's name. What a piece costs the miner
 * that refuses it is decided by the Gauntlet.
 */
export const pieceTask = defineTask({
  request: z.strictObject({
    name: hash,
    index: z
      .int()
      .min(0)
      .max(MOST_PIECES - 1),
  }),
  response: z.strictObject({ bytes: z.string().max(MOST_BASE64), proof: z.array(hash).max(MOST_PROOF) }),
  deadlineMs: 10_000, // 64 KiB on a line of 100 kbit/s, and then some
  maxRequestBytes: 256,
  maxResponseBytes: 131_072,
  plan: ({ seed }) => ({ name: seed, index: 0 }),
  solve: async ({ request, pieces }) => {
    if (pieces === undefined)
      throw new SubnetError({
        code: 'SPEC_NO_PIECES',
        message: 'A piece of a file was asked for where none are served; start the miner with `arbor miner`',
      })
    const { bytes, proof } = await pieces.piece(request)
    return { bytes, proof: [...proof] }
  },
  score: async () => ({ reason: 'unplanned', value: 0, sigma: 0 }),
})
