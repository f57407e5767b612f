import type { BlockRef, ChainClient } from '@arbor/chain/client/types'
import { trainLocally, zeroMoments } from '@arbor/engine/train/local'
import type { Trainer, Windows } from '@arbor/engine/train/types'
import { blobName, pieceTree } from '@arbor/shared/blob'
import { SubnetError } from '@arbor/shared/errors'
import { floatsToBytes } from '@arbor/shared/floats'
import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { createLogger } from '@arbor/shared/log'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Layout } from '@arbor/shared/training'
import type { Block, Blocks, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { drawsFrom } from '@arbor/subnet-spec/finetune/attacks/draws'
import { performRound, type RoundOutput, stateNames } from '@arbor/subnet-spec/finetune/attacks/perform'
import type { TrainingAttack } from '@arbor/subnet-spec/finetune/attacks/types'
import { checkpointName } from '@arbor/subnet-spec/finetune/checkpoint'
import { defineTraining } from '@arbor/subnet-spec/finetune/define-training'
import { optimiserOf } from '@arbor/subnet-spec/finetune/optimisers/optimiser-of'
import { phasesOf } from '@arbor/subnet-spec/finetune/phases'
import { basePrefix } from '@arbor/subnet-spec/finetune/records'
import { encodeState, statesTree } from '@arbor/subnet-spec/finetune/states'
import { TINY_TERMS } from '@arbor/subnet-spec/finetune/terms'
import type { Checkpoint, TrainingTerms, UpdateCommitment, Vote } from '@arbor/subnet-spec/finetune/types'
import { assignedWindows } from '@arbor/subnet-spec/finetune/windows'
import { unavailable } from '@arbor/training/pieces'
import type { AskPiece, BlobSource, BlobStore, Committed } from '@arbor/training/types'
import { type Ledger, openLedger } from '../../src/ledger.ts'
import type { TrainingEngine } from '../../src/training/engine.ts'
import { createTrainingMeter } from '../../src/training/meter.ts'
import type { PublishedDeps } from '../../src/training/on-published.ts'
import type { TrainingReceipt } from '../../src/training/receipt.ts'
import { metagraph, neuron } from '../fixtures.ts'

export const SIZE = 96
const TOKENS = 4_096
export const netuid = 1 as NetUid
export const genesisHash: Hex = `0x${'9e'.repeat(32)}`
export const self = keypairFromUri('//validator').address
export const never = new AbortController().signal
export const silent = createLogger({ name: 'test', level: 'error', destination: { write: () => undefined } })
export const hotkeyOf = (uid: number): Ss58 => keypairFromUri(`//miner${uid}`).address
export const hashOf = (block: number): Hex => `0x${block.toString(16).padStart(64, 'c')}`

const axon = { ip: '127.0.0.2', port: 8091, version: 1, protocol: 4 }
const layout: Layout = { size: SIZE, tensors: [{ name: 'w', shape: [SIZE], offset: 0, length: SIZE }] }
export const terms: TrainingTerms = {
  ...TINY_TERMS,
  data: { name: 'none', hash: `0x${'00'.repeat(32)}` },
  local: {
    ...TINY_TERMS.local,
    steps: 8,
    batch: 2,
    length: 4,
    adamw: { ...TINY_TERMS.local.adamw, learningRate: 0.05 },
  },
  optimiser: { kind: 'diloco', outer: { learningRate: 1, momentum: 0 } },
  phases: { publish: 0.4, vote: 0.8 },
  gauntlet: { ...TINY_TERMS.gauntlet, segments: 2, replayShare: 1 },
}
export const spec = defineTraining({
  name: 'quadratic',
  version: 1,
  model: { name: 'quadratic', hash: `0x${'01'.repeat(32)}` },
  training: terms,
})
export const optimiser = optimiserOf({ terms: terms.optimiser, layout })

/** Where a window pulls the parameters to: a centre that all share, and a part of its own. */
const targetAt = (start: number, index: number): number => {
  const mixed = Math.imul((start + 1) * 2_654_435_761 + index * 40_503, 2_246_822_519) >>> 0
  return 0.15 + 6 * (mixed / 2 ** 32 - 0.5)
}

/** A model whose loss is half the mean square distance to its windows' targets: a small one that really learns. */
export const trainer: Trainer = {
  layout,
  provider: 'cpu',
  initial: () => new Float32Array(SIZE),
  gradient: async ({ params, windows, into }) => {
    into.fill(0)
    for (const start of windows.starts)
      for (let index = 0; index < SIZE; index += 1)
        into[index] = (into[index] ?? 0) + ((params[index] ?? 0) - targetAt(start, index)) / windows.starts.length
    return lossOf(params, windows)
  },
  loss: async ({ params, windows }) =>
    windows.reduce((sum, one) => sum + lossOf(params, one), 0) / Math.max(1, windows.length),
  close: async () => undefined,
}

const lossOf = (params: Float32Array, { starts }: Windows): number => {
  let sum = 0
  for (const start of starts)
    for (let index = 0; index < SIZE; index += 1) sum += 0.5 * ((params[index] ?? 0) - targetAt(start, index)) ** 2
  const loss = sum / (starts.length * SIZE)
  if (Number.isFinite(loss)) return loss
  throw new SubnetError({ code: 'TRAIN_NOT_FINITE', message: 'the loss is no number' })
}

const windowsOf = (starts: readonly number[]): Windows => ({ tokens: new Uint16Array(0), starts })

/** The engine of these tests, in this process; counts what it is asked. */
export const createEngine = (): TrainingEngine & { readonly asked: { losses: number; trained: number } } => {
  const asked = { losses: 0, trained: 0 }
  return {
    asked,
    tokens: { train: TOKENS, heldOut: TOKENS },
    losses: async ({ params, batches }, signal) => {
      signal.throwIfAborted()
      asked.losses += 1
      return batches.map(({ starts }) => lossOf(params, windowsOf(starts)))
    },
    train: ({ start, to, startsOf }, signal) => {
      asked.trained += 1
      const windows = (pass: number): Windows => windowsOf(startsOf(pass))
      return trainLocally({ trainer, terms: terms.local, start, to, windowsOf: windows, signal })
    },
  }
}

/** A chain whose blocks the test makes. */
export const createChain = (at: number) => {
  let now = at
  const waiting = new Set<() => void>()
  const head = (): BlockRef => ({ number: now as Block, hash: hashOf(now) })
  const graph = metagraph({
    netuid: 1,
    tempo: 10,
    block: head(),
    neurons: [
      neuron({ uid: 0, hotkey: self }),
      ...Array.from({ length: 12 }, (_, index) => neuron({ uid: index + 1, hotkey: hotkeyOf(index + 1), axon })),
    ],
  })
  const chain: Pick<ChainClient, 'best' | 'blockHash' | 'finalized' | 'heads' | 'metagraph'> = {
    best: async () => head(),
    finalized: async () => head(),
    blockHash: async (number) => (number <= now ? hashOf(number) : null),
    metagraph: async () => graph,
    heads: async function* (_, signal) {
      for (let seen = now; ; seen = now) {
        while (seen === now && !signal.aborted)
          await new Promise<void>((resolve) => {
            waiting.add(resolve)
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
        if (signal.aborted) return
        yield head()
      }
    },
  }
  return {
    chain,
    graph,
    now: () => now,
    moveTo: (block: number) => {
      now = block
      for (const wake of waiting) wake()
      waiting.clear()
    },
  }
}

export const createStore = (): BlobStore & { readonly files: Map<Hex, Uint8Array> } => {
  const files = new Map<Hex, Uint8Array>()
  return {
    files,
    has: (name) => files.has(name),
    fileOf: (name) => name,
    read: (name) => files.get(name) ?? null,
    write: (bytes) => {
      const name = blobName(bytes)
      files.set(name, bytes)
      return name
    },
    prune: () => undefined,
  }
}

export const ROUND = 3
export const phases = phasesOf({ terms: terms.phases, length: 10 as Blocks, round: ROUND })
export const checkpoint: Checkpoint = {
  round: ROUND,
  spec: { name: spec.name, version: spec.version },
  params: new Float32Array(SIZE),
  outer: new Float32Array(SIZE),
}
export const base = checkpointName(checkpoint)

/** A miner's round, honest or not, and what it would answer when it is asked. */
export interface Played {
  readonly committed: Committed
  readonly file: Uint8Array
  readonly output: RoundOutput
}

/** Does a miner's round as the miner does it. */
export const play = async (
  uid: number,
  of: { readonly attack?: TrainingAttack; readonly round?: number; readonly victim?: Uint8Array } = {},
): Promise<Played> => {
  const hotkey = hotkeyOf(uid)
  const round = of.round ?? ROUND
  const windowsFor = (uidOf: number) => {
    const startsOf = assignedWindows({
      blockHash: hashOf(phases.start),
      netuid,
      round: ROUND,
      uid: uidOf as Uid,
      tokens: TOKENS,
      local: terms.local,
    })
    return (pass: number): Windows => windowsOf(startsOf(pass))
  }
  const output = await performRound({
    attack: of.attack ?? null,
    terms,
    optimiser,
    layout,
    about: { netuid, round, hotkey, base },
    params: checkpoint.params,
    kept: { moments: zeroMoments(SIZE), carried: new Float32Array(SIZE) },
    assigned: windowsFor(uid),
    others: windowsFor(uid + 90),
    train: async ({ start, to, windowsOf: windows }) => ({
      state: await trainLocally({ trainer, terms: terms.local, start, to, windowsOf: windows, signal: never }),
      loss: 0,
    }),
    victim: of.victim ?? null,
    last: null,
    draws: drawsFrom({ seed: hashOf(uid), label: 'test' }),
  })
  const file = output.file ?? new Uint8Array(0)
  return { committed: commit(uid, file), file, output }
}

/** What a miner commits to, as the chain has it. */
export const commit = (uid: number, file: Uint8Array, over: Partial<UpdateCommitment> = {}): Committed => ({
  uid: uid as Uid,
  hotkey: hotkeyOf(uid),
  block: phases.start + 2,
  commitment: { round: ROUND, name: blobName(file), bytes: file.length, base: basePrefix(base), url: '', ...over },
})

/** Serves what miners made; `over` replaces how one is reached. */
export const serve = (
  played: readonly Played[],
  over: Readonly<Record<number, { readonly source?: BlobSource; readonly ask?: AskPiece }>> = {},
): Pick<PublishedDeps, 'sourcesOf' | 'askPieceOf'> => {
  const byKey = new Map(played.map((one) => [one.committed.hotkey, one]))
  const filesOf = ({ file, output }: Played): readonly Uint8Array[] => [
    file,
    ...output.states.flatMap(({ params, moments, carried }) =>
      [params, moments.first, moments.second, carried].map(floatsToBytes),
    ),
  ]
  return {
    sourcesOf: ({ uid, hotkey }) => {
      const one = byKey.get(hotkey)
      const honest: BlobSource = {
        fetch: async ({ name }) => {
          const found = one === undefined ? undefined : filesOf(one).find((file) => blobName(file) === name)
          if (found === undefined) throw unavailable(name, 'it is not here')
          return found
        },
      }
      return [over[uid]?.source ?? honest]
    },
    askPieceOf: ({ uid, hotkey }) => {
      const one = byKey.get(hotkey)
      const honest: AskPiece = async ({ name, index }) => {
        if (one === undefined) throw unavailable(name, 'nobody is there')
        const rows = one.output.states.map(stateNames)
        const tree = statesTree(rows)
        const row = rows[index]
        if (name !== tree.root || row === undefined) throw unavailable(name, 'it is not here')
        return { bytes: Buffer.from(encodeState(row)).toString('base64'), proof: tree.proof(index).map(toHex) }
      }
      return over[uid]?.ask ?? honest
    },
  }
}

/** Everything that judging a round needs, with what became of it. */
export const setUp = (
  of: { readonly ledger?: Ledger; readonly files?: ReturnType<typeof serve>; readonly at?: number } = {},
) => {
  const world = createChain(of.at ?? phases.publishBy)
  const ledger = of.ledger ?? openLedger({ owner: { genesisHash, netuid, hotkey: self } })
  const engine = createEngine()
  const store = createStore()
  const clock = createManualClock()
  const votes: Vote[] = []
  const receipts: TrainingReceipt[] = []
  const told: Record<string, unknown>[] = []
  const note = (fields: object): void => void told.push({ ...fields })
  const log = { ...silent, info: note, warn: note, debug: () => undefined, error: note } as unknown as typeof silent
  const deps: PublishedDeps = {
    ...(of.files ?? serve([])),
    chain: world.chain,
    ledger,
    spec,
    terms,
    genesisHash,
    netuid,
    self,
    receipts: { writeUpdate: (receipt) => void receipts.push(receipt) },
    trainingMeter: createTrainingMeter(),
    engine,
    optimiser,
    store,
    clock,
    blockMs: 1_000,
    log,
    putVote: async (vote) => {
      votes.push(vote)
      return { number: world.now() as Block, hash: hashOf(world.now()) }
    },
  }
  return { ...world, deps, ledger, engine, store, clock, votes, receipts, told }
}

/** The event that makes a validator judge. */
export const published = (committed: readonly Committed[], isPast = false) => ({
  kind: 'published' as const,
  phases,
  block: { number: phases.publishBy, hash: hashOf(phases.publishBy) },
  commitments: committed,
  isPast,
})

export const held = { params: checkpoint.params, hash: base, round: ROUND }

export { pieceTree }
