import type { Metagraph } from '@arbor/chain/client/types'
import type { Clock } from '@arbor/shared/clock'
import type { Hex, Ss58 } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { unavailable } from '@arbor/training/pieces'
import { axonSource } from '@arbor/training/sources/axon'
import { httpSource } from '@arbor/training/sources/http'
import type { AskPiece, BlobSource, Committed, PieceAnswer } from '@arbor/training/types'
import { readResponse } from '../dendrite/response.ts'
import { minersOf, type Route } from '../plan.ts'
import type { AskMiner } from '../rounds/ask.ts'

export interface MinerFiles {
  /** Asks a miner for a piece, as questions are asked: proven, sealed, and within its deadline. */
  askPieceOf(of: { readonly hotkey: Ss58 }): AskPiece
  /** A miner's axon as a place of its files; the same one for all who ask. */
  axonOf(of: { readonly hotkey: Ss58 }): BlobSource
  /** All places of what a miner committed to. */
  sourcesOf(committed: Omit<Committed, 'block'>): readonly BlobSource[]
}

/** What a miner is asked that plans no question. */
const TASK = 'piece'
const NO_SEED: Hex = `0x${'00'.repeat(32)}`
/** Miners whose sources are remembered: more than a subnet has. */
const MOST_SOURCES = 8_192

/** Reaches miners' files through the dendrite, and at the URLs that they committed to. */
export function createMinerFiles(deps: {
  readonly ask: AskMiner
  readonly spec: SubnetSpec
  readonly self: Ss58
  readonly metagraph: () => Metagraph
  readonly route?: Route | undefined
  readonly privateAllowed: boolean
  readonly clock: Clock
  /** Folder of what was begun. */
  readonly partials: string
}): MinerFiles {
  const { spec, clock, partials, privateAllowed } = deps
  const definition = spec.tasks[TASK]
  if (definition === undefined) throw new Error(`the spec ${spec.name} has no task ${TASK}`)
  const known = new Map<Ss58, BlobSource>()
  const askPieceOf =
    ({ hotkey }: { readonly hotkey: Ss58 }): AskPiece =>
    async ({ name, index, signal }): Promise<PieceAnswer> => {
      const miner = minersOf({ ...deps, metagraph: deps.metagraph() }).find((one) => one.hotkey === hotkey)
      if (miner === undefined) throw unavailable(name, `${hotkey} serves no axon`)
      const answer = await deps.ask({ ...miner, task: TASK, seed: NO_SEED, request: { name, index } }, signal)
      if (answer.kind !== 'answered') throw unavailable(name, `${hotkey} gave no piece ${index}: ${answer.reason}`)
      const read = readResponse(definition, answer.body)
      if (!read.ok) throw unavailable(name, `${hotkey} answered something else than piece ${index}: ${read.reason}`)
      return read.response as PieceAnswer
    }
  const axonOf: MinerFiles['axonOf'] = ({ hotkey }) => {
    const held = known.get(hotkey)
    if (held !== undefined) return held
    const made = axonSource({ ask: askPieceOf({ hotkey }), tag: hotkey, clock, partials })
    if (known.size >= MOST_SOURCES) known.clear()
    known.set(hotkey, made)
    return made
  }
  return {
    askPieceOf,
    axonOf,
    sourcesOf: (committed) => {
      const { url } = committed.commitment
      const axon = axonOf(committed)
      return url === '' ? [axon] : [axon, httpSource({ url, privateAllowed, clock, partials })]
    },
  }
}
