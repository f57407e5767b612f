import type { PieceSource } from '@arbor/subnet-spec/define'
import type { Serving, TrainingAttack } from '@arbor/subnet-spec/finetune/attacks/types'
import { type OwnPieces, unserved } from './pieces.ts'

/** How a miner hands out its pieces. */
export interface Service {
  readonly source: PieceSource
  /** Bytes a second that an answer is written at; null for as fast as it is read. */
  pace(request: unknown): number | null
}

/** Makes the service of an honest miner, who serves all that it has, or of one that attacks by serving badly. */
export const serviceOf = (
  pieces: Pick<OwnPieces, 'find' | 'piece'>,
  attack: Pick<TrainingAttack, 'serve'> | null,
): Service => {
  const how = (request: unknown): Serving => {
    if (attack?.serve === undefined || typeof request !== 'object' || request === null) return 'serve'
    const { name, index } = request as Parameters<PieceSource['piece']>[0] // its schema was held to it
    const found = pieces.find(name)
    return found === null ? 'serve' : attack.serve({ ...found, index })
  }
  return {
    pace: (request) => {
      const serving = how(request)
      return typeof serving === 'object' ? serving.bytesPerSecond : null
    },
    source: {
      piece: async (asked) => {
        if (how(asked) === 'refuse') throw unserved(asked.name)
        return pieces.piece(asked)
      },
    },
  }
}
