import { hash } from 'node:crypto'
import type { ChainClient, Metagraph, Neuron, WeightRow } from '@arbor/chain/client/types'
import { toBytes } from '@arbor/shared/bytes'
import { SubnetError } from '@arbor/shared/errors'
import { fromHex, toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import {
  consistencyProof,
  createTree,
  inclusionProof,
  leafHash,
  type NodeAt,
  peaksFromInclusion,
  rootOf,
} from '@arbor/shared/merkle'
import { type SignedHead, treeHeadBytes } from '@arbor/shared/tree-head'
import type { Alpha, Block, Blocks, Hex, NetUid, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { taskSeed } from '@arbor/subnet-spec/seed'
import type { LogHttp } from '../../src/auditor/http.ts'
import type { ServedLog } from '../../src/auditor/served-log.ts'
import { forfeitOf } from '../../src/forfeit.ts'
import { encodeEntry } from '../../src/log/encode.ts'
import type { LogEntry, VerdictEntry } from '../../src/log/entry.ts'
import { EMPTY_STATE, foldRound, rowAt } from '../../src/scoring/fold.ts'

export const GENESIS: Hex = `0x${'9e'.repeat(32)}`
export const NETUID = 1 as NetUid
export const TEMPO = 20 as Blocks

const key = (uri: string): Keypair => keypairFromUri(uri)
export const VALIDATOR = key('//Validator')

/** Hash of a block of the chain that tests speak of. */
export const hashOf = (block: number): Hex => toHex(hash('sha256', `block ${block}`, 'buffer'))

/** A neuron as rows and rounds look at it. */
export const neuron = (uid: number, hotkey: Ss58, of: Partial<Neuron> = {}): Neuron => ({
  uid: uid as Uid,
  hotkey,
  coldkey: hotkey,
  registeredAt: 1 as Block,
  lastUpdate: 0 as Block,
  active: true,
  validatorPermit: false,
  axon: { ip: '127.0.0.1', port: 1, version: 1, protocol: 4 },
  alphaStake: 0n as Alpha,
  totalStake: 0n as Alpha,
  incentive: 0,
  dividends: 0,
  consensus: 0,
  validatorTrust: 0,
  emission: 0n as Alpha,
  ...of,
})

/** A chain of which a test says who is registered, and which rows it holds from which block on. */
export interface ToldChain {
  readonly client: ChainClient
  neurons: (block: number) => readonly Neuron[]
  rows: Map<Ss58, { readonly from: number; readonly row: WeightRow }[]>
  anchored: Map<Ss58, { readonly size: number; readonly root: Hex; readonly url: string; readonly block: number }[]>
  head: number
  /** State of blocks before this one is gone. */
  keptFrom: number
}

/** Epoch n has the blocks n · TEMPO … n · TEMPO + TEMPO − 1. */
export function toldChain(neurons: ToldChain['neurons']): ToldChain {
  const numbers = new Map<Hex, number>()
  const hashAt = (block: number): Hex => {
    const found = hashOf(block)
    numbers.set(found, block)
    return found
  }
  const numberOf = (at: Hex | undefined): number => {
    const block = at === undefined ? told.head : (numbers.get(at) ?? -1)
    if (block < told.keptFrom)
      throw new SubnetError({ code: 'CHAIN_RPC', message: `refused: State already discarded for ${at}` })
    return block
  }
  const metagraph = (block: number): Metagraph => ({
    netuid: NETUID,
    block: { number: block as Block, hash: hashAt(block) },
    tempo: TEMPO,
    lastEpochBlock: (block - (block % TEMPO)) as Block,
    epochIndex: Math.floor(block / TEMPO),
    maxUids: 4096,
    ownerHotkey: VALIDATOR.address,
    neurons: told.neurons(block),
  })
  const rowAtBlock = (uid: number, block: number): WeightRow => {
    const hotkey = told.neurons(block)[uid]?.hotkey
    const rows = hotkey === undefined ? [] : (told.rows.get(hotkey) ?? [])
    const held = rows.filter(({ from }) => from <= block).sort((a, b) => a.from - b.from)
    return held.at(-1)?.row ?? []
  }
  const client = {
    url: 'ws://127.0.0.1:1',
    genesisHash: GENESIS,
    finalized: async () => ({ number: told.head as Block, hash: hashAt(told.head) }),
    blockHash: async (block: Block) => (block > told.head ? null : hashAt(block)),
    metagraph: async (_: NetUid, at?: Hex) => metagraph(numberOf(at)),
    commitReveal: async (_: NetUid, at?: Hex) => {
      const block = numberOf(at)
      const { lastEpochBlock, epochIndex } = metagraph(block)
      const schedule = { block, lastEpochBlock, tempo: TEMPO, pendingEpochAt: 0, blocksSinceLastStep: 0 }
      return { enabled: false, revealPeriod: 1, epoch: epochIndex, epochDue: false, schedule }
    },
    read: async (_: string, item: string, keys: readonly unknown[], at?: Hex) => {
      const block = numberOf(at)
      if (item === 'Tempo') return BigInt(TEMPO)
      if (item === 'Uids') {
        const found = told.neurons(block).find(({ hotkey }) => hotkey === keys[1])
        return found === undefined ? null : BigInt(found.uid)
      }
      if (item === 'Weights')
        return rowAtBlock(Number(keys[1]), block).map(([to, weight]) => [BigInt(to), BigInt(weight)])
      if (item === 'CommitmentOf') return commitmentOf(told, keys[1] as Ss58, block)
      throw new Error(`nothing is told of ${item}`)
    },
  }
  const told: ToldChain = {
    client: client as unknown as ChainClient,
    neurons,
    rows: new Map(),
    anchored: new Map(),
    head: 0,
    keptFrom: 0,
  }
  return told
}

function commitmentOf(told: ToldChain, hotkey: Ss58, at: number): unknown {
  const found = (told.anchored.get(hotkey) ?? []).filter(({ block }) => block <= at).at(-1)
  if (found === undefined) return null
  const bytes = anchorBytes(found)
  return { deposit: 0n, block: BigInt(found.block), info: { fields: [{ [`Raw${bytes.length}`]: toHex(bytes) }] } }
}

const anchorBytes = ({ size, root, url }: { size: number; root: Hex; url: string }): Uint8Array => {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(size))
  return Buffer.concat([Buffer.from('arbor1'), length, fromHex(root, 32), Buffer.from(url)])
}

/** What a miner's answer in a round came to. */
export type Outcome = { readonly reason: string; readonly value: number; readonly signed?: boolean }

/** A log as a validator that follows the rules writes it. */
export interface WrittenLog {
  readonly entries: LogEntry[]
  /** Rounds of `length` blocks from the next one on. */
  round(of: {
    readonly at: number
    readonly outcome: (hotkey: Ss58) => Outcome | null
    /** What shows an answer; of no body when absent. */
    readonly answered?: (verdict: VerdictEntry) => Partial<VerdictEntry>
  }): void
  /** Computes a row and sets it. */
  row(of: {
    readonly at: number
    readonly includedAt: number
    /** Where the row was committed by its hash, before it was revealed. */
    readonly committedAt?: number
  }): WeightRow
  begin(at: number): void
  readonly state: () => typeof EMPTY_STATE
}

export function writeLog(of: {
  readonly chain: ToldChain
  readonly spec: SubnetSpec
  readonly signer: Keypair
}): WrittenLog {
  const { chain, spec, signer } = of
  const length = Math.floor(TEMPO / spec.roundsPerEpoch) as Blocks
  const entries: LogEntry[] = []
  let state = EMPTY_STATE
  let attempt = 0
  const begin = (at: number): void => {
    const { name, version, model } = spec
    entries.push(
      {
        kind: 'terms',
        version: 1,
        genesisHash: GENESIS,
        netuid: NETUID,
        hotkey: signer.address,
        spec: { name, version, model: model.hash },
        block: at as Block,
      },
      { kind: 'state', block: at as Block, ...state },
    )
  }
  return {
    entries,
    begin,
    state: () => state,
    round: ({ at, outcome, answered: shownBy }) => {
      const start = { number: at as Block, hash: hashOf(at) }
      const round = at / length
      const miners = chain.neurons(at).filter(({ hotkey, axon }) => hotkey !== signer.address && axon !== null)
      const verdicts = miners.flatMap(({ hotkey, uid, registeredAt }): VerdictEntry[] => {
        const said = outcome(hotkey)
        if (said === null) return []
        const seed = taskSeed({ blockHash: start.hash, netuid: NETUID, round, hotkey })
        const answered = said.signed ?? true
        const verdict: VerdictEntry = {
          kind: 'verdict',
          hotkey,
          uid,
          registeredAt,
          round,
          roundBlock: start.number,
          task: spec.pick({ seed }),
          seed,
          repeat: 0,
          reason: said.reason,
          value: said.value,
          sigma: 0,
          totalMs: answered ? 20 : null,
          answerHash: answered ? hashOf(uid) : null,
          drawnAt: answered ? ((at + 2) as Block) : null,
          signed: answered,
          receipt: answered ? hash('sha256', `${at} ${hotkey}`, 'hex') : null,
        }
        return [{ ...verdict, ...(answered ? shownBy?.(verdict) : {}) }]
      })
      const forfeits = verdicts.flatMap((verdict) => {
        if (!verdict.signed) return []
        const forfeit = forfeitOf({ ...verdict, spec, kind: 'planned', atBlock: start.number, length })
        return forfeit === null ? [] : [forfeit]
      })
      const endedAt = (at + 4) as Block
      const folded = foldRound(state, { roundBlock: start.number, length, endedAt, verdicts, forfeits }, spec)
      state = folded.state
      entries.push(
        { kind: 'round', round, start, length, miners: miners.length },
        ...verdicts,
        ...forfeits.map((forfeit) => ({ kind: 'forfeit', forfeit }) as const),
        ...folded.changed.map((score) => ({ kind: 'score', ...score }) as const),
        { kind: 'round-end', round, roundBlock: start.number, endedAt, at: 0 as UnixMs },
      )
    },
    row: ({ at, includedAt, committedAt }) => {
      const block = { number: at as Block, hash: hashOf(at) }
      const { row, departed } = rowAt(state, { block: block.number, tempo: TEMPO, neurons: chain.neurons(at) }, spec)
      attempt += 1
      const method = committedAt === undefined ? 'open' : 'salted'
      const about = { attempt, mechanism: 0, block, tempo: TEMPO, method, version: spec.version } as const
      entries.push({ kind: 'row', ...about, row, departed })
      const sent = [
        ['committing', null],
        ['committed', committedAt ?? null],
        ['revealing', null],
      ] as const
      const moves = [
        ['computed', null],
        ...(committedAt === undefined ? [['setting', null] as const] : sent),
        ['included', includedAt],
        ['finalised', includedAt],
        ['confirmed', includedAt + 1],
      ] as const
      for (const [to, moved] of moves) entries.push({ kind: 'move', attempt, state: to, block: moved as Block | null })
      chain.rows.set(signer.address, [...(chain.rows.get(signer.address) ?? []), { from: includedAt, row }])
      return row
    },
  }
}

/** A log as it is served, from memory; a test may turn each part of it. */
export interface Served extends ServedLog {
  texts: string[]
  signed: SignedHead
}

/** Serves entries under a head of their own. */
export function serveEntries(
  entries: readonly (LogEntry | string)[],
  of: {
    readonly signer: Keypair
    readonly block: number
    readonly url?: string
    readonly genesisHash?: Hex
    readonly netuid?: NetUid
  },
): Served {
  const texts = entries.map((entry) => (typeof entry === 'string' ? entry : encodeEntry(entry)))
  const tree = treeOf(texts)
  const about = {
    genesisHash: of.genesisHash ?? GENESIS,
    netuid: of.netuid ?? NETUID,
    hotkey: of.signer.address,
    size: texts.length,
    root: toHex(rootOf(texts.length, tree)),
    block: of.block as Block,
  }
  const served: Served = {
    url: of.url ?? 'http://127.0.0.1:1/',
    bytes: 0,
    texts,
    signed: { ...about, signature: toHex(of.signer.sign(treeHeadBytes(about))) },
    head: async () => served.signed,
    page: async (where) => {
      const from = 'from' in where ? where.from : lastTerms(served.texts, where.state)
      return { from, entries: served.texts.slice(from, from + 7) }
    },
    peaks: async (size) =>
      size === 0
        ? []
        : peaksFromInclusion(inclusionProof({ index: size, size: size + 1, nodeAt: treeOf(served.texts) })),
    inclusion: async ({ index, size }) => inclusionProof({ index, size, nodeAt: tree }),
    consistency: async ({ from, to }) => consistencyProof({ from, to, nodeAt: tree }),
    body: async () => {
      throw new SubnetError({ code: 'AUDIT_HTTP', message: 'none', details: { status: 404 } })
    },
  }
  return served
}

function lastTerms(texts: readonly string[], block: number): number {
  const at = texts.findLastIndex((text) => {
    const entry = JSON.parse(text) as LogEntry
    return entry.kind === 'terms' && entry.block <= block
  })
  return Math.max(0, at)
}

/** All nodes of a tree over texts. */
export function treeOf(texts: readonly string[]): NodeAt {
  const nodes = new Map<string, Uint8Array>()
  const tree = createTree()
  for (const [index, text] of texts.entries()) {
    const leaf = leafHash(toBytes(text))
    nodes.set(`0 ${index}`, leaf)
    tree.add(leaf, (level, position, node) => nodes.set(`${level} ${position}`, node))
  }
  return (level, position) => nodes.get(`${level} ${position}`) ?? new Uint8Array(32)
}

/** Answers as the served log's HTTP does, for whoever reads it from text. */
export const httpOf = (served: Served, edit: (text: string, path: string) => string = (text) => text): LogHttp => {
  let bytes = 0
  return {
    url: served.url,
    get bytes() {
      return bytes
    },
    get: async (path, signal) => {
      const text = edit(await answer(served, path, signal), path)
      bytes += text.length
      return text
    },
    close: async () => undefined,
  }
}

/** Answers a path as the log's HTTP does. */
export async function answer(served: Served, path: string, signal: AbortSignal): Promise<string> {
  const { pathname, searchParams } = new URL(path, served.url)
  const number = (name: string): number | null => (searchParams.has(name) ? Number(searchParams.get(name)) : null)
  if (pathname === '/head') return JSON.stringify({ head: served.signed, anchored: null, first: 0 })
  if (pathname === '/receipts') {
    const [from, state] = [number('from'), number('state')]
    const page = await served.page(from === null ? { state: Number(state) as Block } : { from }, signal)
    return JSON.stringify({ ...page, size: served.texts.length, next: null })
  }
  const [index, size, from, to] = ['index', 'size', 'from', 'to'].map(number)
  const steps =
    index === null || index === undefined
      ? await served.consistency({ from: Number(from), to: Number(to) }, signal)
      : await served.inclusion({ index, size: Number(size) }, signal)
  return JSON.stringify({ proof: steps.map((step) => toHex(step)) })
}
