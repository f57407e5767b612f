import { untilAborted } from '@arbor/shared/aborted'
import { PIECE_BYTES, piecesOf } from '@arbor/shared/blob'
import type { Clock } from '@arbor/shared/clock'
import type { Hex } from '@arbor/shared/units'
import { DEFAULT_PACE, type Pace, watchPace } from '../pace.ts'
import { fetchPiece, openPartial, type Partial, unavailable } from '../pieces.ts'
import type { AskPiece, BlobSource } from '../types.ts'
import { onceEach } from './once-each.ts'

/** Pieces asked for at once: enough for a line of 100 ms, few enough for a slow one. */
const IN_FLIGHT = 4

/** Fetches files piece by piece from whoever answers questions; each piece is proven, and outlives the process. */
export function axonSource(of: {
  /** Asks one miner, in the caller's way. */
  readonly ask: AskPiece
  /** Sets apart this miner's pieces: its hotkey. */
  readonly tag: string
  readonly clock: Clock
  readonly partials: string
  readonly pace?: Pace
}): BlobSource {
  const { ask, tag, clock, partials, pace = DEFAULT_PACE } = of
  return onceEach(async ({ name, bytes, signal }) => {
    using part = openPartial({ folder: partials, name, bytes, tag })
    const slow = (came: number): Error =>
      unavailable(name, `the axon of ${tag} sent ${came} bytes in ${pace.windowMs} ms, which is too slow`)
    using watched = watchPace({ clock, pace, parent: signal, reason: slow })
    await fetchAll({ part, name, bytes, ask, watched })
    return part.finish()
  })
}

/** Fetches what is missing, some pieces at once; the first failure ends it, and what came is kept. */
async function fetchAll(of: {
  readonly part: Partial
  readonly name: Hex
  readonly bytes: number
  readonly ask: AskPiece
  readonly watched: { readonly signal: AbortSignal; count(bytes: number): void }
}): Promise<void> {
  const { part, name, bytes, ask, watched } = of
  const missing = part.missing().values()
  const failed = new AbortController()
  const signal = AbortSignal.any([watched.signal, failed.signal])
  const lane = async (): Promise<void> => {
    for (const index of missing) {
      const length = Math.min(PIECE_BYTES, bytes - index * PIECE_BYTES)
      const piece = await untilAborted(fetchPiece({ ask, name, index, size: piecesOf(bytes), length, signal }), signal)
      watched.count(piece.length)
      part.put(index, piece)
    }
  }
  const lanes = Array.from({ length: IN_FLIGHT }, () =>
    lane().catch((error: unknown) => {
      failed.abort(error)
      throw error
    }),
  )
  const ends = await Promise.allSettled(lanes)
  if (ends.some(({ status }) => status === 'rejected')) throw signal.reason
}
