import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex } from '@arbor/shared/units'
import type { EventRecord } from '@polkadot/types/interfaces'
import { findFailure, toEvent } from './events.ts'
import type { Nonces } from './nonces.ts'
import { entryOf, type Reader } from './reader.ts'
import { asRefusal } from './refusals.ts'
import { type Signed, signCall } from './sign.ts'
import type { RpcSocket } from './socket-types.ts'
import type { BlockRef, Call, Submission, SubmitOptions } from './types.ts'

export interface SubmitDeps {
  readonly socket: RpcSocket
  readonly reader: Reader
  readonly nonces: Nonces
  readonly genesisHash: Hex
  readonly finalized: () => Promise<BlockRef>
  readonly hashOf: (number: Block) => Promise<Hex | null>
  readonly heads: (kind: 'best' | 'finalized', signal: AbortSignal) => AsyncIterable<BlockRef>
}

/** 64 × 12 s ≈ 13 min on Bittensor, 64 s on the dev chain: long enough for a full pool, short enough to give up the same epoch. */
const DEFAULT_ERA = 64

type Watched =
  | { readonly is: 'inBlock' | 'finalised'; readonly hash: Hex }
  | { readonly is: 'refused'; readonly error: string }
  /** The chain will not tell: look into the blocks. */
  | { readonly is: 'unknown' }

/** Signs and submits a call, and follows it until its outcome is certain. */
export async function submitCall(deps: SubmitDeps, call: Call, options: SubmitOptions): Promise<Submission> {
  const { signal, waitFor = 'included', eraBlocks = DEFAULT_ERA, signer } = options
  if (!Number.isInteger(Math.log2(eraBlocks)) || eraBlocks < 4 || eraBlocks > 4096) throw badEra(eraBlocks)
  const stop = new AbortController()
  const until = AbortSignal.any([signal, deps.socket.dead, stop.signal])
  let release = (): void => {}
  let unwatch = (): void => {}
  try {
    const sent = await deps.nonces.alone(signer.address, async (choose) => {
      for (;;) {
        const { signed, birth, specVersion, ...nonce } = await prepare(
          deps,
          call,
          { signer, eraBlocks, signal },
          choose,
        )
        release = nonce.release
        const offered = await offer(deps, signed, signal)
        // The chain's code changed between signing and offering; what was signed for the old one has a bad proof.
        const outdated = 'refused' in offered && (await deps.reader.runtimeOfNext()).specVersion !== specVersion
        if (!outdated) return { signed, birth, ...offered }
        release()
      }
    })
    if ('refused' in sent) return sent.refused
    const { signed, birth, updates } = sent
    unwatch = sent.unwatch
    const late = expiry(deps, signed, until)
    for (;;) {
      const update = await Promise.race([updates.next(until), late])
      if (update.is === 'refused') return { status: 'refused', code: 0, error: update.error, retryable: true }
      if (update.is === 'unknown') return await search(deps, signed, birth, waitFor, until)
      if (update.is === 'inBlock' && waitFor === 'finalised') continue
      return await outcome(deps, signed, update.hash, update.is === 'finalised' ? 'finalised' : 'included')
    }
  } finally {
    release()
    unwatch()
    stop.abort()
  }
}

/** Signs with the runtime, nonce and birth block of this moment. */
async function prepare(
  { socket, reader, finalized, genesisHash }: SubmitDeps,
  call: Call,
  { signer, eraBlocks, signal }: Pick<SubmitOptions, 'signer' | 'signal'> & { readonly eraBlocks: number },
  choose: (chainNext: number) => { readonly nonce: number; readonly release: () => void },
): Promise<{ signed: Signed; birth: BlockRef; specVersion: number; release: () => void }> {
  const [birth, chainNext, runtime] = await Promise.all([
    finalized(),
    socket.request('system_accountNextIndex', [signer.address], { signal }),
    reader.runtimeOfNext(), // the signature names its version; the block of birth may be of an older one
  ])
  const { nonce, release } = choose(Number(chainNext))
  try {
    const signed = await signCall({ runtime, call, signer, nonce, genesisHash, birth, eraBlocks })
    return { signed, birth, specVersion: runtime.specVersion, release }
  } catch (error) {
    release()
    throw error
  }
}

/** Hands the extrinsic to the pool; a lost answer leaves it unknown, never sent again. */
async function offer(
  { socket }: SubmitDeps,
  signed: Signed,
  signal: AbortSignal,
): Promise<{ updates: Updates; unwatch: () => void } | { refused: Extract<Submission, { status: 'refused' }> }> {
  const updates = createUpdates()
  try {
    signal.throwIfAborted()
    const unwatch = await socket.subscribe({
      method: 'author_submitAndWatchExtrinsic',
      unsubscribe: 'author_unwatchExtrinsic',
      params: [signed.hex],
      renew: false,
      onMessage: updates.push,
      onLost: () => updates.push('lost'),
    })
    return { updates, unwatch }
  } catch (error) {
    if (!(error instanceof SubnetError)) throw error
    const refused = asRefusal(error)
    if (refused !== null) return { refused }
    if (error.code !== 'CHAIN_CONNECTION_LOST' && error.code !== 'CHAIN_TIMEOUT') throw error
    updates.push('lost')
    return { updates, unwatch: () => {} }
  }
}

interface Updates {
  readonly push: (status: unknown) => void
  readonly next: (signal: AbortSignal) => Promise<Watched>
}

/** Collects the pool's notices about one extrinsic; they are few, and those that settle nothing are dropped. */
function createUpdates(): Updates {
  const queue: Watched[] = []
  let wake = Promise.withResolvers<void>()
  return {
    push: (status) => {
      const update = readStatus(status)
      if (update === null) return
      queue.push(update)
      wake.resolve()
    },
    next: async (signal) => {
      const abort = (): void => wake.resolve()
      signal.addEventListener('abort', abort, { once: true })
      try {
        for (;;) {
          signal.throwIfAborted()
          const update = queue.shift()
          if (update) return update
          await wake.promise
          wake = Promise.withResolvers()
        }
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
  }
}

const readStatus = (status: unknown): Watched | null => {
  if (status === 'lost') return { is: 'unknown' }
  if (status === 'invalid') return { is: 'refused', error: 'InvalidTransaction' }
  if (status === 'dropped') return { is: 'refused', error: 'Pool.Dropped' }
  if (typeof status !== 'object' || status === null) return null
  const [[kind, value] = ['', null]] = Object.entries(status)
  if (kind === 'inBlock') return { is: 'inBlock', hash: value as Hex }
  if (kind === 'finalized') return { is: 'finalised', hash: value as Hex }
  if (kind === 'usurped') return { is: 'refused', error: 'Pool.Usurped' }
  return kind === 'finalityTimeout' ? { is: 'unknown' } : null
}

/** Resolves when the extrinsic can no longer be included, so that a silent chain cannot keep us waiting. */
async function expiry({ heads }: SubmitDeps, signed: Signed, signal: AbortSignal): Promise<Watched> {
  try {
    for await (const head of heads('finalized', signal)) if (head.number > signed.lastBlock) break
  } catch (error) {
    if (!signal.aborted) throw error
    return new Promise(() => {})
  }
  return { is: 'unknown' }
}

/** Looks for the extrinsic in every block that may hold it, as they come. */
async function search(
  deps: SubmitDeps,
  signed: Signed,
  birth: BlockRef,
  waitFor: 'included' | 'finalised',
  signal: AbortSignal,
): Promise<Submission> {
  let next = birth.number + 1
  for await (const head of deps.heads(waitFor === 'finalised' ? 'finalized' : 'best', signal)) {
    for (; next <= Math.min(head.number, signed.lastBlock); next += 1) {
      const hash = await deps.hashOf(next as Block)
      if (hash === null) continue
      const body = (await deps.socket.request('chain_getBlock', [hash], { signal })) as BlockBody
      if (body.block.extrinsics.includes(signed.hex)) return outcome(deps, signed, hash, waitFor)
    }
    if (head.number > signed.lastBlock) break
  }
  signal.throwIfAborted()
  return { status: 'refused', code: 0, error: 'InvalidTransaction.Expired', retryable: true }
}

type BlockBody = { readonly block: { readonly header: { readonly number: Hex }; readonly extrinsics: readonly Hex[] } }

/** Reads from the block's events what the extrinsic did. */
async function outcome(
  { socket, reader }: SubmitDeps,
  signed: Signed,
  hash: Hex,
  status: 'included' | 'finalised',
): Promise<Submission> {
  const [body, runtime, [records]] = await Promise.all([
    socket.request('chain_getBlock', [hash]) as Promise<BlockBody>,
    reader.runtimeAt(hash),
    reader.many([entryOf('System.Events')], hash),
  ])
  const index = body.block.extrinsics.indexOf(signed.hex)
  const block = { number: Number(body.block.header.number) as Block, hash }
  const events = [...((records ?? []) as unknown as Iterable<EventRecord>)]
    .map((record) => toEvent(runtime, record))
    .filter((event) => event.extrinsic === index && index >= 0)
    .map(({ pallet, name, data }) => ({ pallet, name, data }))
  const failure = findFailure(runtime, events)
  return failure
    ? { status: 'failed', block, hash: signed.hash, ...failure }
    : { status, block, hash: signed.hash, events }
}

const badEra = (eraBlocks: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_ERA',
    message: `eraBlocks ${eraBlocks} is no power of two in 4..4096; use 64 or another one`,
  })
