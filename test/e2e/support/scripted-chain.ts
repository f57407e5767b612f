import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import { TypeRegistry } from '@polkadot/types'
import { compactToU8a, u8aConcat } from '@polkadot/util'
import { type WebSocket, WebSocketServer } from 'ws'

/**
 * A chain node that misbehaves on command: it serves Bittensor's real metadata (spec version 424) and blocks that the
 * test makes, drops its sockets, stays silent, or becomes another chain. For what only a faulty network shows.
 */
export interface ScriptedChain {
  readonly url: string
  readonly genesis: Hex
  /** Storage by key, the same at every block. */
  readonly state: Map<string, Hex>
  /** Requests as they came: method and parameters. */
  readonly requests: { readonly method: string; readonly params: readonly unknown[] }[]
  /** Answers a method in its own way; throws to refuse. */
  readonly answers: Map<string, (params: readonly unknown[]) => unknown>
  /** Appends a block with these extrinsics and tells the subscribers. */
  addBlock(extrinsics?: readonly Hex[], salt?: number): Hex
  headerAt(number: number): unknown
  /** What it says of its code. */
  readonly version: object
  hashAt(number: number): Hex
  /** Sends a notice to every subscription of a method. */
  notify(method: string, result: unknown): void
  /** Cuts every connection. */
  drop(): void
  /** Requests of these methods get no answer. */
  readonly silent: Set<string>
  readonly connections: number
  close(): Promise<void>
}

const metadata = Uint8Array.from(
  gunzipSync(readFileSync(new URL('../../vectors/metadata/subtensor-spec424.v16.scale.gz', import.meta.url))),
)
const zero: Hex = `0x${'00'.repeat(32)}`
const SUBSCRIPTIONS: Readonly<Record<string, string>> = {
  chain_subscribeNewHeads: 'chain_newHead',
  chain_subscribeFinalizedHeads: 'chain_finalizedHead',
  state_subscribeRuntimeVersion: 'state_runtimeVersion',
  author_submitAndWatchExtrinsic: 'author_extrinsicUpdate',
}

export async function startScriptedChain({
  port = 0,
  salt = 0,
}: {
  readonly port?: number
  readonly salt?: number
} = {}): Promise<ScriptedChain> {
  const registry = new TypeRegistry()
  const blocks: { readonly hash: Hex; readonly header: object; readonly extrinsics: readonly Hex[] }[] = []
  const make = (extrinsics: readonly Hex[], own = salt): void => {
    const parentHash = blocks.at(-1)?.hash ?? zero
    const stateRoot = toHex(blake2b256(Uint8Array.of(own)))
    const header = {
      parentHash,
      number: `0x${blocks.length.toString(16)}`,
      stateRoot,
      extrinsicsRoot: zero,
      digest: { logs: [] },
    }
    blocks.push({ hash: registry.createTypeUnsafe('Header', [header]).hash.toHex() as Hex, header, extrinsics })
  }
  make([])
  make([])
  const state = new Map<string, Hex>()
  const requests: ScriptedChain['requests'] = []
  const answers: ScriptedChain['answers'] = new Map()
  const silent = new Set<string>()
  const subscribers = new Map<string, { readonly socket: WebSocket; readonly method: string }>()
  let nextSubscription = 1
  const find = (hash: unknown) => blocks.find((block) => block.hash === hash) ?? blocks.at(-1)
  const version = {
    specName: 'node-subtensor',
    implName: 'node-subtensor',
    specVersion: 424,
    implVersion: 1,
    authoringVersion: 1,
    transactionVersion: 1,
    stateVersion: 1,
    apis: [['0x37e397fc7c91f5e4', 2]],
  }
  const built: Record<string, (params: readonly unknown[]) => unknown> = {
    chain_getBlockHash: ([number]) =>
      number === undefined || number === null ? blocks.at(-1)?.hash : (blocks[Number(number)]?.hash ?? null),
    chain_getHeader: ([hash]) => find(hash)?.header,
    chain_getFinalizedHead: () => blocks.at(-1)?.hash,
    chain_getBlock: ([hash]) => ({
      block: { header: find(hash)?.header, extrinsics: find(hash)?.extrinsics },
      justifications: null,
    }),
    state_getRuntimeVersion: () => version,
    state_call: ([method]) => {
      if (method === 'Metadata_metadata_versions') return toHex(u8aConcat(compactToU8a(1), [16, 0, 0, 0]))
      if (method === 'Metadata_metadata_at_version')
        return toHex(u8aConcat([1], compactToU8a(metadata.length), metadata))
      if (method === 'SubnetInfoRuntimeApi_get_subnet_state') return '0x00'
      throw new Error(`no ${String(method)} here`)
    },
    state_queryStorageAt: ([keys, at]) => [
      { block: at, changes: (keys as string[]).map((key) => [key, state.get(key) ?? null]) },
    ],
    system_chain: () => 'Scripted',
    system_chainType: () => 'Development',
    system_properties: () => ({ ss58Format: 42, tokenDecimals: 9, tokenSymbol: 'TAO' }),
    system_accountNextIndex: () => 7,
    rpc_methods: () => ({ methods: Object.keys(built) }),
    author_unwatchExtrinsic: () => true,
    chain_unsubscribeNewHeads: () => true,
    chain_unsubscribeFinalizedHeads: () => true,
  }

  const server = new WebSocketServer({ host: '127.0.0.1', port })
  await new Promise((resolve) => server.on('listening', resolve))
  const address = server.address()
  const send = (socket: WebSocket, message: object): void => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
  server.on('connection', (socket) => {
    socket.on('message', (text) => {
      const { id, method, params } = JSON.parse(String(text)) as { id: number; method: string; params: unknown[] }
      requests.push({ method, params })
      if (silent.has(method)) return
      try {
        const custom = answers.get(method)
        if (SUBSCRIPTIONS[method] === undefined)
          return send(socket, { id, result: (custom ?? built[method])?.(params) ?? null })
        custom?.(params)
        const subscription = `s${nextSubscription++}`
        subscribers.set(subscription, { socket, method })
        send(socket, { id, result: subscription })
        if (method.startsWith('chain_')) push(subscription, blocks.at(-1)?.header)
        if (method.startsWith('state_'))
          push(subscription, (answers.get('state_getRuntimeVersion') ?? (() => version))([]))
      } catch (error) {
        const { code = -32_603, message, data } = error as { code?: number; message: string; data?: string }
        send(socket, { id, error: { code, message, data } })
      }
    })
  })
  const push = (subscription: string, result: unknown): void => {
    const found = subscribers.get(subscription)
    if (found?.socket.readyState === 1)
      send(found.socket, { method: SUBSCRIPTIONS[found.method], params: { subscription, result } })
  }
  const notify = (method: string, result: unknown): void => {
    for (const [subscription, entry] of subscribers) if (entry.method === method) push(subscription, result)
  }
  const drop = (): void => {
    subscribers.clear()
    for (const socket of server.clients) socket.terminate()
  }
  return {
    url: `ws://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    genesis: blocks[0]?.hash ?? zero,
    state,
    requests,
    answers,
    silent,
    version,
    headerAt: (number) => blocks[number]?.header,
    addBlock: (extrinsics = [], own = salt) => {
      make(extrinsics, own)
      notify('chain_subscribeNewHeads', blocks.at(-1)?.header)
      notify('chain_subscribeFinalizedHeads', blocks.at(-1)?.header)
      return blocks.at(-1)?.hash ?? zero
    },
    hashAt: (number) => blocks[number]?.hash ?? zero,
    notify,
    drop,
    get connections() {
      return server.clients.size
    },
    close: async () => {
      drop()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
