import { readFileSync } from 'node:fs'
import type { Clock } from '@arbor/shared/clock'
import { toHex } from '@arbor/shared/hex'
import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import { createManualClock } from '@arbor/shared/manual-clock'
import type { Hex } from '@arbor/shared/units'
import { expandMetadata, type GenericExtrinsic, Metadata, TypeRegistry } from '@polkadot/types'
import pino from 'pino'
import { blake256 } from '../../src/embedded/hash.ts'
import { reader } from '../../src/embedded/scale.ts'
import { type RunningChain, type StartOptions, startEmbeddedChain } from '../../src/embedded/start.ts'
import type { EmbeddedChain, ExtrinsicSource, StoredBlock, Validity } from '../../src/embedded/types.ts'

/** The runtime that comes with Arbor. */
export const WASM = new Uint8Array(readFileSync(new URL('../../artifacts/arbor_runtime.wasm', import.meta.url)))

/** A source that offers what it was given, in order, until it is included or refused. */
export interface Offered extends ExtrinsicSource {
  offer(extrinsic: Uint8Array): Hex
  readonly refused: Map<Hex, Validity>
}

export const createOffered = (): Offered => {
  const offered = new Map<Hex, Uint8Array>()
  const refused = new Map<Hex, Validity>()
  return {
    refused,
    offer: (bytes) => {
      const hash = toHex(blake256(bytes))
      offered.set(hash, bytes)
      return hash
    },
    ready: () => [...offered].map(([hash, bytes]) => ({ hash, bytes })),
    onBlock: (block, newlyRefused) => {
      for (const extrinsic of block.extrinsics) offered.delete(toHex(blake256(extrinsic)))
      for (const [hash, validity] of newlyRefused) {
        offered.delete(hash)
        refused.set(hash, validity)
      }
    },
  }
}

export interface TestChain {
  readonly chain: RunningChain
  readonly source: Offered
  readonly clock: Clock
}

/** Starts a chain that makes blocks on demand, on a clock that stands still. */
export const startTestChain = async (options: Partial<StartOptions> = {}): Promise<TestChain> => {
  const source = createOffered()
  const clock = options.clock ?? createManualClock()
  const chain = await startEmbeddedChain({
    wasm: WASM,
    mode: { kind: 'manual' },
    signal: new AbortController().signal,
    log: pino({ level: 'silent' }),
    source,
    ...options,
    clock,
  })
  return { chain, source, clock }
}

export const ALICE: Keypair = keypairFromUri('//Alice')
export const BOB: Keypair = keypairFromUri('//Bob')

/** What @polkadot/types signs with; 1 is sr25519 in a MultiSignature. */
const pairOf = ({ address, publicKey, sign }: Keypair) => ({
  address,
  publicKey,
  addressRaw: publicKey,
  sign: (message: Uint8Array) => Uint8Array.of(1, ...sign(message)),
})

/** Encodes and signs calls as any client does: from the chain's metadata. */
export const createSigner = (chain: EmbeddedChain) => {
  const registry = new TypeRegistry()
  const answer = reader(chain.call('Metadata_metadata', new Uint8Array(), chain.best().hash))
  const metadata = new Metadata(registry, toHex(answer.vec()))
  registry.setMetadata(metadata, undefined, { SubtensorTransactionExtension: { extrinsic: {}, payload: {} } })
  const { tx, query } = expandMetadata(registry, metadata)
  const version = registry.createType('RuntimeVersion', chain.call('Core_version', new Uint8Array(), chain.best().hash))
  /** Signs a call that is encoded already. @param options a tip in rao; the blocks of its era, and the block it begins with */
  const signCall = (
    signer: Keypair,
    nonce: number,
    call: Uint8Array | object,
    options: { readonly tip?: bigint; readonly era?: { readonly period: number; readonly birth: StoredBlock } } = {},
  ): Uint8Array => {
    const { tip = 0n, era } = options
    const method = call instanceof Uint8Array ? registry.createType('Call', call) : call
    const extrinsic = registry.createType('Extrinsic', method, { version: 4 }) as unknown as GenericExtrinsic
    extrinsic.sign(
      pairOf(signer) as never,
      {
        blockHash: era?.birth.hash ?? chain.genesisHash,
        genesisHash: chain.genesisHash,
        nonce,
        tip,
        era: era
          ? registry.createType('ExtrinsicEra', { current: era.birth.header.number, period: era.period }).toHex()
          : '0x00',
        runtimeVersion: version as never,
        signedExtensions: registry.signedExtensions,
      } as never,
    )
    return extrinsic.toU8a()
  }
  const sign = (signer: Keypair, nonce: number, section: string, method: string, ...args: unknown[]): Uint8Array => {
    const call = tx[section]?.[method]?.(...args)
    if (call === undefined) throw new Error(`the metadata has no call ${section}.${method}`)
    return signCall(signer, nonce, call)
  }
  return { registry, tx, query, sign, signCall }
}

/** Free balance in rao at a block. */
export const freeBalance = (chain: EmbeddedChain, publicKey: Uint8Array, at: Hex = chain.best().hash): bigint => {
  const { query, registry } = createSigner(chain)
  const key = query['system']?.['account']?.(publicKey)
  if (key === undefined) throw new Error('the metadata has no System.Account')
  const value = chain.state(at).get(reader(key).vec())
  if (value === undefined) return 0n
  return BigInt(
    (
      registry.createType('FrameSystemAccountInfo' as never, value) as never as { data: { free: bigint } }
    ).data.free.toString(),
  )
}

/** Names of the events of the best block, such as `balances.Transfer`. */
export const eventsOf = (chain: EmbeddedChain): string[] => {
  const { query, registry } = createSigner(chain)
  const key = query['system']?.['events']?.()
  if (key === undefined) throw new Error('the metadata has no System.Events')
  const records = registry.createType(
    'Vec<FrameSystemEventRecord>' as never,
    chain.state(chain.best().hash).get(reader(key).vec()),
  )
  return (records as never as { event: { section: string; method: string } }[]).map(
    ({ event }) => `${event.section}.${event.method}`,
  )
}
