import { setImmediate } from 'node:timers/promises'
import type { BlockRef, ChainClient, CommittedRecord, Metagraph, Neuron } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import { sha256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import { encodeSs58 } from '@arbor/shared/ss58'
import type { Layout } from '@arbor/shared/training'
import { encodeAnchor } from '@arbor/shared/tree-head'
import type { Block, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { optimiserOf } from '@arbor/subnet-spec/finetune/optimisers/optimiser-of'
import { encodeUpdateRecord, encodeVote } from '@arbor/subnet-spec/finetune/records'
import { TINY_TERMS } from '@arbor/subnet-spec/finetune/terms'
import type { TrainingTerms, UpdateCommitment, Vote } from '@arbor/subnet-spec/finetune/types'

export const netuid = 1 as NetUid
export const hex32 = (text: string): Hex => toHex(sha256(Buffer.from(text)))
export const hotkeyOf = (name: string): Ss58 => encodeSs58(sha256(Buffer.from(name)))

/** A small model, and an optimiser that sends an eighth of it. */
export const layout: Layout = {
  size: 256,
  tensors: [{ name: 'w', shape: [16, 16], offset: 0, length: 256 }],
}
export const training: TrainingTerms = {
  ...TINY_TERMS,
  data: { name: 'none', hash: hex32('no data') },
  optimiser: { kind: 'sparseloco', outer: { learningRate: 0.7, momentum: 0.5 }, chunk: 64, k: 8, feedback: 0.9 },
  phases: { publish: 0.5, vote: 0.8 },
  limits: { updateBytes: 100_000, checkpointEvery: 4 },
}
export const optimiser = optimiserOf({ terms: training.optimiser, layout })

/** Numbers in [-1, 1) that follow from a seed. */
export const vectorOf = (seed: string, size = layout.size): Float32Array => {
  let state = sha256(Buffer.from(seed)).reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 7)
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  })
}

export interface Member {
  readonly name: string
  readonly stake: bigint
  readonly permit: boolean
}

interface State {
  readonly records: ReadonlyMap<Ss58, CommittedRecord>
  readonly tempo: number
}

/** A chain that a test moves: every block's state can be read by its hash until the test prunes it. */
export const createNet = (members: readonly Member[], from = 0) => {
  const states = new Map<Hex, State>()
  const records = new Map<Ss58, CommittedRecord>()
  const waiting = new Set<() => void>()
  const reads: string[] = []
  let tempo = 10
  let head = from as Block
  const hashAt = (block: number): Hex => hex32(`block ${block}`)
  const refAt = (block: number): BlockRef => ({ number: block as Block, hash: hashAt(block) })
  const close = (): void => {
    states.set(hashAt(head), { records: new Map(records), tempo })
  }
  close()
  const neurons = members.map(
    ({ name, stake, permit }, uid) =>
      ({ uid: uid as Uid, hotkey: hotkeyOf(name), totalStake: stake, validatorPermit: permit }) as Neuron,
  )
  const stateAt = (at: Hex | undefined): State => {
    const state = states.get(at ?? hashAt(head))
    if (state === undefined) throw new SubnetError({ code: 'CHAIN_RPC', message: `State already discarded for ${at}` })
    return state
  }
  const chain: Pick<ChainClient, 'blockHash' | 'commitments' | 'finalized' | 'heads' | 'metagraph'> = {
    blockHash: async (number) => (number > head ? null : hashAt(number)),
    finalized: async () => refAt(head),
    metagraph: async (_, at) => {
      const { tempo: blocks } = stateAt(at)
      return { netuid, tempo: blocks, neurons, block: { number: 0, hash: at } } as unknown as Metagraph
    },
    commitments: async (_, hotkeys, at) => {
      reads.push(String(at))
      return hotkeys.map((hotkey) => stateAt(at).records.get(hotkey) ?? null)
    },
    heads: async function* (_, signal) {
      for (let last = -1; ; ) {
        if (head > last) {
          last = head
          yield refAt(head)
          continue
        }
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting.add(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
        await promise
        waiting.delete(resolve)
        if (signal.aborted) return
      }
    },
  }
  const set = (name: string, ...raw: readonly Uint8Array[]): void => {
    records.set(hotkeyOf(name), { block: (head + 1) as Block, fields: [], raw })
  }
  return {
    chain,
    reads,
    head: (): number => head,
    refAt,
    /** Sets a record in the next block. */
    set,
    commit: (name: string, commitment: UpdateCommitment): void => set(name, ...encodeUpdateRecord(commitment)),
    vote: (name: string, vote: Vote): void =>
      set(name, encodeVote(vote), encodeAnchor({ size: 1, root: hex32('log'), url: `http://${name}` })),
    setTempo: (blocks: number): void => {
      tempo = blocks
    },
    /** Makes blocks up to this one, all of them final at once. */
    to: (block: number): void => {
      while (head < block) {
        head = (head + 1) as Block
        close()
      }
      for (const wake of [...waiting]) wake()
    },
    /** Throws states before this block away. */
    prune: (before: number): void => {
      for (let block = 0; block < before; block += 1) states.delete(hashAt(block))
    },
  }
}
export type Net = ReturnType<typeof createNet>

/** Lets what was begun go on until a check holds. */
export const until = async (check: () => boolean, what: string): Promise<void> => {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (check()) return
    await setImmediate()
  }
  throw new Error(`it never came to be that ${what}`)
}
