import { developmentSecret } from '@arbor/chain/beacon/key'
import { planRounds } from '@arbor/chain/beacon/plan'
import { submitBare } from '@arbor/chain/client/bare'
import { readBeacon, readSignature } from '@arbor/chain/client/beacon'
import { addStake, adminSet, batchAll, burnedRegister, sudo, writePulses } from '@arbor/chain/client/calls'
import { readCommitReveal, readPendingCommits, readTimelockedRounds } from '@arbor/chain/client/commits'
import { rpcError } from '@arbor/chain/client/errors'
import { fetchRuntime } from '@arbor/chain/client/fetch-runtime'
import { readMetagraph } from '@arbor/chain/client/metagraph'
import { createNonces } from '@arbor/chain/client/nonces'
import { findOpened } from '@arbor/chain/client/opened'
import { createReader } from '@arbor/chain/client/reader'
import { checkRevealed } from '@arbor/chain/client/revealed'
import { sealWeights } from '@arbor/chain/client/seal-weights'
import type { RpcSocket } from '@arbor/chain/client/socket-types'
import { settleSent, submitCall } from '@arbor/chain/client/submit'
import { readHyperparameters, readWeights } from '@arbor/chain/client/subnet'
import type { BlockRef, Call, ChainClient, Submission } from '@arbor/chain/client/types'
import { readRegisteredAt, readWeightRules } from '@arbor/chain/client/weight-rules'
import { signRound } from '@arbor/chain/timelock/drand'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Hex, NetUid, Rao, Uid } from '@arbor/shared/units'
import type { StartOptions } from '../../../chain/src/embedded/start.ts'
import { createSession } from '../../../chain/src/rpc/session.ts'
import { createSharedBounds } from '../../../chain/src/rpc/shared-bounds.ts'
import { startRpcChain } from '../../../chain/test/support/rpc.ts'
import type { Snapshot } from '../../src/chain-view.ts'
import type { WeightDeps } from '../../src/weights/deps.ts'

export const netuid = 1 as NetUid
export const alice = keypairFromUri('//Alice')
export const bob = keypairFromUri('//Bob')
export const validator = keypairFromUri('//Bob//validator')
export const owner = keypairFromUri('//Alice//default')
const { signal } = new AbortController()

/** What a test may replace. */
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** A real chain whose blocks a test makes, and a client of it without a socket. */
export type Net = Awaited<ReturnType<typeof startNet>>

/** Starts a chain with the subnet of the development preset, and gives blocks on demand. */
export async function startNet(options: Partial<StartOptions> = {}) {
  const rpc = await startRpcChain({ keep: 'archive', check: false, ...options }) // other tests execute blocks twice
  const { chain, dispatcher } = rpc
  let asked = 0
  let inFlight = 0
  const listeners = new Map<string, (result: unknown) => void>()
  const early = new Map<string, unknown[]>()
  const session = createSession({
    send: (text) => {
      const { params } = JSON.parse(text) as { params: { subscription: string; result: unknown } }
      const listener = listeners.get(params.subscription)
      if (listener !== undefined) listener(params.result)
      else early.set(params.subscription, [...(early.get(params.subscription) ?? []), params.result])
    },
    limit: 1024,
    bounds: createSharedBounds({ subscriptions: 1024, totalBufferedBytes: 0, totalRequestBytes: 0 }),
    heldBytes: 10_000_000,
    overflow: () => undefined,
  })
  /** What a test does to a request: it may lose its answer, or answer in the chain's place. */
  const faults: {
    onRequest: (method: string, params: readonly unknown[]) => Promise<void> | void
    onAnswer: (method: string) => void
    alter: (method: string, result: unknown) => unknown
  } = { onRequest: () => undefined, onAnswer: () => undefined, alter: (_, result) => result }
  /** Every extrinsic that was offered. */
  const offered: string[] = []
  const request: RpcSocket['request'] = async (method, params) => {
    if (method === 'author_submitAndWatchExtrinsic') offered.push(String(params[0]))
    await faults.onRequest(method, params)
    asked += 1
    inFlight += 1
    const asking = JSON.stringify({ jsonrpc: '2.0', id: asked, method, params })
    const text = await dispatcher.handle(asking, session).finally(() => {
      inFlight -= 1
    })
    session.flush()
    const { result, error } = JSON.parse(text ?? 'null') as { result?: unknown; error?: { code: number } }
    if (error !== undefined) throw rpcError(method, error)
    faults.onAnswer(method)
    return faults.alter(method, result)
  }
  const socket = {
    request,
    subscribe: async ({ method, unsubscribe, params, onMessage }) => {
      const id = String(await request(method, params))
      listeners.set(id, onMessage)
      for (const result of early.get(id) ?? []) onMessage(result)
      early.delete(id)
      return () => {
        listeners.delete(id)
        void request(unsubscribe, [id])
      }
    },
    opened: Promise.resolve(),
    dead: signal,
  } as Partial<RpcSocket> as RpcSocket

  const reader = createReader({ socket, runtime: await fetchRuntime(request, null), onUpgrade: () => undefined })
  const refOf = ({ hash, header }: { hash: Hex; header: { number: number } }): BlockRef => ({
    number: header.number as Block,
    hash,
  })
  const refAt = async (hash: Hex | undefined): Promise<BlockRef> => {
    const block = hash === undefined ? chain.best() : chain.block(hash)
    if (block === null) throw rpcError('chain_getHeader', { code: 4003, message: `no block ${hash}` })
    return refOf(block)
  }
  const hashAt = (hash: Hex | undefined): Hex => hash ?? chain.best().hash
  const hashOf = async (number: Block): Promise<Hex | null> => chain.hashAt(number)
  async function* heads(kind: 'best' | 'finalized', until: AbortSignal): AsyncGenerator<BlockRef> {
    let last = -1
    let wake = Promise.withResolvers<void>()
    const stop = chain.onEvent(() => wake.resolve())
    until.addEventListener('abort', () => wake.resolve())
    try {
      for (;;) {
        until.throwIfAborted()
        const { header } = kind === 'best' ? chain.best() : chain.finalized()
        for (let number = last < 0 ? header.number : last + 1; number <= header.number; number += 1) {
          yield { number: number as Block, hash: chain.hashAt(number as Block) as Hex }
        }
        last = header.number
        await wake.promise
        wake = Promise.withResolvers()
      }
    } finally {
      stop()
    }
  }
  const finalized = async (): Promise<BlockRef> => refOf(chain.finalized())
  const submitting = {
    socket,
    reader,
    nonces: createNonces(),
    genesisHash: chain.genesisHash,
    finalized,
    hashOf,
    heads,
  }
  const client: Writable<WeightDeps['chain'] & Pick<ChainClient, 'commitReveal'>> = {
    best: () => refAt(undefined),
    finalized,
    blockHash: hashOf,
    weights: (of, uid, at, mechanism = 0) => readWeights(reader, { netuid: of, mechanism, uid }, hashAt(at)),
    weightRules: ({ netuid: of, mechanism = 0, hotkey }, at) =>
      readWeightRules(reader, { netuid: of, mechanism, hotkey }, hashAt(at)),
    registeredAt: (of, uids, at) => readRegisteredAt(reader, of, uids, hashAt(at)),
    commitReveal: async (of, at) => readCommitReveal(reader, of, await refAt(at)),
    pendingCommits: async ({ netuid: of, mechanism = 0, hotkey }, at) =>
      readPendingCommits(
        reader,
        { netuid: of, mechanism, ...(hotkey === undefined ? {} : { hotkey }) },
        await refAt(at),
      ),
    openedIn: (of, range) => findOpened({ reader, hashOf }, of, range),
    revealed: (commit, at) => checkRevealed(reader, commit, hashAt(at)),
    beacon: (at) => readBeacon(reader, at),
    sealWeights: async (of, random) => sealWeights({ reader, hashOf, block: await refAt(undefined) }, of, random),
    submit: (call, of) => submitCall(submitting, call, of),
    settle: (sent, until) => settleSent(submitting, sent, until),
  }

  /** Makes blocks. */
  const blocks = async (count: number): Promise<void> => {
    for (let made = 0; made < count; made += 1) await chain.produce()
  }
  /** Makes blocks until something is done. */
  const drive = async <T>(work: Promise<T>, most = 200): Promise<T> => {
    let done = false
    const settled = work.finally(() => {
      done = true
    })
    settled.catch(() => undefined)
    for (let made = 0; ; ) {
      // Threads verify signatures, so the chain is left alone until it has answered everything.
      for (let idle = 0; idle < 20 && !done; idle = inFlight === 0 ? idle + 1 : 0)
        await new Promise((resolve) => setImmediate(resolve))
      if (done) break
      made += 1
      if (made > most) throw new Error(`not done within ${most} blocks`)
      await chain.produce()
    }
    return settled
  }
  const mustSubmit = async (call: Call, signer: Keypair): Promise<BlockRef> => {
    const outcome = await drive(client.submit(call, { signer, signal, waitFor: 'finalised' }))
    if (outcome.status !== 'finalised') throw new Error(JSON.stringify(outcome))
    return outcome.block
  }
  /** Submits without making blocks beyond those that the outcome needs. */
  const submit = (call: Call, signer: Keypair = validator): Promise<Submission> =>
    drive(client.submit(call, { signer, signal, waitFor: 'finalised' }))
  const reach = async (block: number): Promise<void> => blocks(Math.max(0, block - chain.best().header.number))
  const snapshot = async (hotkey: string = validator.address, at?: Hex): Promise<Snapshot> => {
    const block = at === undefined ? await finalized() : await refAt(at)
    const [metagraph, hyperparameters] = await Promise.all([
      readMetagraph(reader, netuid, block),
      readHyperparameters(reader, netuid, block.hash),
    ])
    return { metagraph, hyperparameters, me: metagraph.neurons.find((neuron) => neuron.hotkey === hotkey) }
  }
  /** Sets a rule of the subnet as root. */
  const rule = (parameter: string, args: Call['args']): Promise<BlockRef> =>
    mustSubmit(sudo(adminSet(parameter, { netuid, ...args })), alice)
  const uidOf = async (hotkey: string): Promise<Uid> => {
    const found = (await snapshot(hotkey)).me
    if (found === undefined) throw new Error(`${hotkey} has no uid`)
    return found.uid
  }
  /** Hands in, as a beacon would, the pulses that are due: the newest, and those that commits wait for unless they are to be lost. */
  const pulse = async ({ lose = false }: { readonly lose?: boolean } = {}): Promise<void> => {
    const { hash } = chain.best()
    const [{ now, lastStoredRound }, waited] = await Promise.all([
      readBeacon(reader, hash),
      readTimelockedRounds(reader, netuid, hash),
    ])
    const due = BigInt(Math.floor(now / 1_000) + 1)
    const wanted: bigint[] = []
    for (const round of lose ? [] : waited) if ((await readSignature(reader, round, hash)) === null) wanted.push(round)
    // A pairing costs a tenth of a second, so a round that nobody waits for is left out while the beacon does not seem silent.
    if (!wanted.some((round) => round <= due) && lastStoredRound > 0n && due - lastStoredRound < 20n) return blocks(1)
    const planned = planRounds({ due, lastStored: lastStoredRound, wanted, catchUp: 1 })
    const rounds = planned.filter((round) => !lose || !waited.includes(round))
    if (rounds.length === 0) return blocks(1)
    const pulses = rounds.map((round) => signRound(developmentSecret(), round))
    const sent = await submitBare({ socket, reader }, writePulses(pulses))
    if (sent.status !== 'accepted') throw new Error(JSON.stringify(sent))
    await blocks(1)
  }
  return {
    chain,
    client,
    pool: rpc.pool,
    clock: rpc.clock,
    faults,
    offered,
    reader,
    blocks,
    drive,
    mustSubmit,
    submit,
    reach,
    snapshot,
    rule,
    uidOf,
    pulse,
    number: (): number => chain.best().header.number,
    /** What a pool answers. */
    refusal: (code: number, message: string) => rpcError('author_submitAndWatchExtrinsic', { code, message }),
    close: () => chain.close(),
  }
}

/** Registers hotkeys of Bob's. */
export const register = (net: Net, hotkeys: readonly Keypair[]): Promise<BlockRef> =>
  net.mustSubmit(batchAll(hotkeys.map(({ address }) => burnedRegister({ netuid, hotkey: address }))), bob)

/** Stakes so many TAO of Bob's on a hotkey. */
export const stake = (net: Net, { address }: Keypair, tao: number): Promise<BlockRef> =>
  net.mustSubmit(addStake({ netuid, hotkey: address, amount: (BigInt(tao) * 1_000_000_000n) as Rao }), bob)

/** Makes blocks until a hotkey has a validator permit. */
export async function awaitPermit(net: Net, { address }: Keypair): Promise<void> {
  for (let made = 0; made < 40; made += 1) {
    if ((await net.snapshot(address)).me?.validatorPermit) return
    await net.blocks(1)
  }
  throw new Error('no permit')
}

/** Makes blocks until an epoch has just begun. */
export async function epochBegins(net: Net): Promise<void> {
  const begun = async (): Promise<number> => (await net.client.commitReveal(netuid)).schedule.lastEpochBlock
  const before = await begun()
  while ((await begun()) === before) await net.blocks(1)
}
