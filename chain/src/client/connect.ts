import type { Clock } from '@arbor/shared/clock'
import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex, NetUid } from '@arbor/shared/units'
import type { EventRecord } from '@polkadot/types/interfaces'
import type { Codec } from '@polkadot/types/types'
import { stringCamelCase } from '@polkadot/util'
import { submitBare } from './bare.ts'
import { readBeacon, readSignature } from './beacon.ts'
import { readCommitReveal, readPendingCommits, readTimelockedRounds } from './commits.ts'
import { readRecords } from './committed-record.ts'
import { type CompatReport, checkCompat } from './compat.ts'
import { badAnswer, noItem } from './errors.ts'
import { toEvent } from './events.ts'
import { endpointName } from './faults.ts'
import { fetchRuntime } from './fetch-runtime.ts'
import type { HeadRef } from './header.ts'
import { followHeads } from './heads.ts'
import { type LinkStatus, linkOf, logLink } from './link.ts'
import { readMetagraph } from './metagraph.ts'
import type { CallName } from './needs/calls.ts'
import type { Feature } from './needs/features.ts'
import { createNonces } from './nonces.ts'
import { type OpenedChain, openChain } from './open-chain.ts'
import { findOpened } from './opened.ts'
import { toPlain } from './plain.ts'
import { createReader, entryOf, type Reader } from './reader.ts'
import { checkRevealed } from './revealed.ts'
import { findCall, type Runtime } from './runtime.ts'
import { sealWeights } from './seal-weights.ts'
import { type ConnectionLimits, defaultLimits } from './socket-types.ts'
import { settleSent, submitCall } from './submit.ts'
import {
  readBalance,
  readHyperparameters,
  readNetuids,
  readOwner,
  readRegistrationCost,
  readStake,
  readSubnetCost,
  readWeights,
} from './subnet.ts'
import type { BlockRef, Call, ChainClient } from './types.ts'
import { changeText, compareRuntimes, mustHave, type RuntimeChange, watchUpgrades, watchVersion } from './upgrades.ts'
import { readRegisteredAt, readWeightRules } from './weight-rules.ts'

export interface ConnectOptions {
  /** ws:// or wss:// address of a chain node, or several of one chain in order of preference. */
  readonly url: string | readonly string[]
  /** Closes the client when aborted. */
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Where connection events go; nothing else is logged. */
  readonly log?: { warn(fields: object, message: string): void }
  /** What the chain must support besides connecting; more than that may be missing until it is used. */
  readonly needs?: readonly Feature[]
  /** Called when the chain's code has become another one; it is logged in any case. */
  readonly onUpgrade?: (change: RuntimeChange) => void
  /** Genesis that the chain must have. */
  readonly expectGenesis?: Hex
  readonly limits?: Partial<ConnectionLimits>
}

/** A client that also tells what kind of chain it is connected to. */
export interface ChainConnection extends ChainClient {
  /** `Development`, `Local`, `Live`, or the name of a custom kind. */
  chainType(): Promise<string>
  /** How the connection does: the endpoint in use, how the others do, how often it changed. */
  link(): LinkStatus
  /** Compares what Arbor uses with the chain's present code. */
  compat(): CompatReport
  /** Tells whether the chain's present code has a call. */
  has(call: CallName): boolean
  /** Signature of a round; null when the chain does not have it. */
  signature(round: bigint, at: Hex): Promise<Uint8Array | null>
  /** Rounds that timelocked commits of a subnet wait for. */
  timelockedRounds(netuid: NetUid, at: Hex): Promise<readonly bigint[]>
  /** Hands an unsigned extrinsic to the pool. */
  submitBare(call: Call): ReturnType<typeof submitBare>
}

/**
 * Connects to a chain. One client a process is enough: all requests share its connection, which mends itself, over one of the
 * addresses at a time. What it says is final stays so, whichever of them it comes from.
 * @throws CHAIN_UNREACHABLE, CHAIN_OTHER_GENESIS, CHAIN_INCOMPATIBLE, CHAIN_METADATA, CHAIN_URL
 */
export async function connectChain(options: ConnectOptions): Promise<ChainConnection> {
  const { signal, clock, log } = options
  const opened = openChain({
    url: options.url,
    signal,
    clock,
    expectGenesis: options.expectGenesis ?? null,
    limits: { ...defaultLimits, ...options.limits },
    ...logLink(log),
  })
  const { socket, close } = opened
  const urls = [options.url].flat().map(endpointName)
  const [url = ''] = urls
  try {
    await socket.opened
    const runtime = await fetchRuntime(socket.request, null)
    mustHave(checkCompat(runtime), ['connect', ...(options.needs ?? [])], url)
    const onUpgrade = (before: Runtime, after: Runtime): void => {
      const change = compareRuntimes(before, after)
      const { from, to, broken } = change
      const changed = change.changed.map(({ kind, name, status }) => `${kind} ${name} ${status}`)
      log?.warn({ event: 'chain.upgraded', url, from, to, changed, broken }, changeText(change))
      options.onUpgrade?.(change)
    }
    const reader = createReader({ socket, runtime, onUpgrade })
    const unseen = (error: unknown): void => {
      if (!socket.dead.aborted)
        log?.warn({ event: 'chain.upgrade_unread', url, error: String(error) }, 'the chain’s new code was not read yet')
    }
    void watchUpgrades(socket, reader, unseen)
    opened.onLook((request) => watchVersion(request, reader).catch(unseen))
    return createClient({ url, urls, reader, opened, genesisHash: opened.genesisHash() as Hex })
  } catch (error) {
    await close()
    signal.throwIfAborted()
    throw error
  }
}

function createClient(deps: {
  readonly url: string
  readonly urls: readonly string[]
  readonly reader: Reader
  readonly opened: OpenedChain
  readonly genesisHash: Hex
}): ChainConnection {
  const { url, urls, reader, opened, genesisHash } = deps
  const { socket, finality, readHeader, close } = opened
  const nonces = createNonces()

  const headAt = async (number: Block): Promise<HeadRef | null> => {
    const hash = (await socket.request('chain_getBlockHash', [number])) as Hex | null
    if (hash === null) return null
    const header = await socket.request('chain_getHeader', [hash])
    if (header === null) throw unknownBlock(hash)
    const head = readHeader(header)
    if (head.number !== number) throw badAnswer(`chain_getBlockHash of ${number} with block ${head.number}`, hash)
    return head
  }
  /** A final block's hash is the one that was seen, whatever an endpoint says. */
  const hashOf = async (number: Block): Promise<Hex | null> =>
    opened.finalHash(number) ?? (await headAt(number))?.hash ?? null
  const best = async (): Promise<BlockRef> => refOf(await socket.request('chain_getHeader', []))
  const refOf = (header: unknown): BlockRef => {
    const { number, hash } = readHeader(header)
    return { number, hash }
  }
  const finalized = (): Promise<BlockRef> => finality.look()
  const refAt = async (hash: Hex): Promise<BlockRef> => {
    const header = await socket.request('chain_getHeader', [hash])
    if (header === null) throw unknownBlock(hash)
    return refOf(header)
  }
  const blockAt = (at: Hex | undefined): Promise<BlockRef> => (at === undefined ? best() : refAt(at))
  const hashAt = async (at: Hex | undefined): Promise<Hex> => at ?? (await best()).hash
  const heads = (kind: 'best' | 'finalized', signal: AbortSignal) =>
    followHeads({ socket, finality, readHeader, headAt, onLook: opened.onLook }, kind, signal)

  const submitting = { socket, reader, nonces, genesisHash, finalized, hashOf, heads }

  return {
    url,
    urls,
    genesisHash,
    get specName() {
      return reader.runtime().specName
    },
    get specVersion() {
      return reader.runtime().specVersion
    },
    best,
    finalized,
    blockHash: hashOf,
    heads,
    netuids: async (at) => readNetuids(reader, await hashAt(at)),
    metagraph: async (netuid, at) => readMetagraph(reader, netuid, await blockAt(at)),
    hyperparameters: async (netuid, at) => readHyperparameters(reader, netuid, await hashAt(at)),
    weights: async (netuid, uid, at, mechanism = 0) =>
      readWeights(reader, { netuid, mechanism, uid }, await hashAt(at)),
    weightRules: async ({ netuid, mechanism = 0, hotkey }, at) =>
      readWeightRules(reader, { netuid, mechanism, hotkey }, await hashAt(at)),
    registeredAt: async (netuid, uids, at) => readRegisteredAt(reader, netuid, uids, await hashAt(at)),
    commitments: async (netuid, hotkeys, at) => readRecords(reader, netuid, hotkeys, await hashAt(at)),
    balance: async (account, at) => readBalance(reader, account, await hashAt(at)),
    registrationCost: async (netuid, at) => readRegistrationCost(reader, netuid, await hashAt(at)),
    subnetCost: async (at) => readSubnetCost(reader, await hashAt(at)),
    owner: async (hotkey, at) => readOwner(reader, hotkey, await hashAt(at)),
    stake: async (of, at) => readStake(reader, of, await hashAt(at)),
    commitReveal: async (netuid, at) => readCommitReveal(reader, netuid, await blockAt(at)),
    pendingCommits: async ({ netuid, mechanism = 0, hotkey }, at) =>
      readPendingCommits(reader, { netuid, mechanism, ...(hotkey === undefined ? {} : { hotkey }) }, await blockAt(at)),
    openedIn: (of, range) => findOpened({ reader, hashOf }, of, range),
    revealed: async (commit, at) => checkRevealed(reader, commit, await hashAt(at)),
    read: async (pallet, item, keys = [], at) => {
      const [value] = await reader.many([{ pallet, item, keys }], await hashAt(at))
      return toPlain(value)
    },
    constant: async (pallet, name) => readConstant(reader, pallet, name),
    events: async (at) => {
      const [runtime, [records]] = await Promise.all([
        reader.runtimeAt(at),
        reader.many([entryOf('System.Events')], at),
      ])
      return [...(records as unknown as Iterable<EventRecord>)].map((record) => {
        const { pallet, name, data } = toEvent(runtime, record)
        return { pallet, name, data }
      })
    },
    link: () => linkOf(socket, finality),
    compat: () => checkCompat(reader.runtime()),
    has: (call) => findCall(reader.runtime(), call) !== null,
    beacon: (at) => readBeacon(reader, at),
    signature: (round, at) => readSignature(reader, round, at),
    timelockedRounds: (netuid, at) => readTimelockedRounds(reader, netuid, at),
    sealWeights: async (of, random) => sealWeights({ reader, hashOf, block: await best() }, of, random),
    submitBare: (call) => submitBare({ socket, reader }, call),
    chainType: async () => {
      const kind = await socket.request('system_chainType', [])
      return typeof kind === 'string' ? kind : Object.values((kind ?? {}) as object).join()
    },
    submit: (call, options) => submitCall(submitting, call, options),
    settle: (sent, until) => settleSent(submitting, sent, until),
    close,
  }
}

const readConstant = (reader: Reader, pallet: string, name: string): unknown => {
  const runtime = reader.runtime()
  const constant = runtime.decorated.consts[stringCamelCase(pallet)]?.[stringCamelCase(name)]
  if (constant === undefined) throw noItem('constant', `${pallet}.${name}`, runtime.specVersion)
  return toPlain(constant as Codec)
}

const unknownBlock = (hash: Hex): SubnetError =>
  new SubnetError({
    code: 'CHAIN_UNKNOWN_BLOCK',
    message: `the chain node has no block ${hash}; it may be on a fork or not synchronised`,
    details: { hash },
  })
