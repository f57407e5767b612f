import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex } from '@arbor/shared/units'
import type { EventRecord } from '@polkadot/types/interfaces'
import { blake2AsHex } from '@polkadot/util-crypto'
import { findFailure, toEvent } from './events.ts'
import type { Nonces } from './nonces.ts'
import { entryOf, type Reader } from './reader.ts'
import { asRefusal } from './refusals.ts'
import { type Signed, signCall } from './sign.ts'
import type { RpcSocket } from './socket-types.ts'
import type { BlockRef, Call, Sent, Submission, SubmitOptions } from './types.ts'

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

/** Signatures of one submission at most: the first, and one for each reason that a new one mends. */
const MAX_SIGNED = 4
/** Refusals of which another nonce or a younger birth block is the cure. */
const RESIGN: ReadonlySet<string> = new Set([
  'InvalidTransaction.Stale',
  'InvalidTransaction.AncientBirthBlock',
  'Pool.PriorityTooLow',
])

/** Signs and submits a call, and follows it until its outcome is certain. */
export async function submitCall(deps: SubmitDeps, call: Call, options: SubmitOptions): Promise<Submission> {
  const { signal, waitFor = 'included' } = options
  const eraBlocks = options.eraBlocks ?? DEFAULT_ERA
  if (!Number.isInteger(Math.log2(eraBlocks)) || eraBlocks < 4 || eraBlocks > 4096) throw badEra(eraBlocks)
  const stop = new AbortController()
  const until = AbortSignal.any([signal, deps.socket.dead, stop.signal])
  let unwatch = (): void => {}
  let release = (): void => {}
  try {
    const sent = await deps.nonces.alone(options.signer.address, (choose) =>
      signAndOffer(deps, call, { ...options, eraBlocks }, (chainNext, now) => {
        release()
        const chosen = choose(chainNext, now)
        release = chosen.release
        return chosen.nonce
      }),
    )
    if ('refused' in sent) return sent.refused
    const { signed, birth, updates } = sent
    unwatch = sent.unwatch
    const late = expiry(deps, signed, until)
    for (;;) {
      const update = await Promise.race([updates.next(until), late])
      if (update.is === 'refused') return { status: 'refused', code: 0, error: update.error, retryable: true }
      if (update.is === 'unknown') {
        release() // a pool that still holds it says so by the account's next nonce; one that lost it would let all later ones wait
        return await search(deps, sentOf(signed, birth), waitFor, until)
      }
      if (update.is === 'inBlock' && options.onIncluded !== undefined) {
        const seen = await outcome(deps, signed.hash, update.hash, 'included')
        if (seen?.status === 'included') options.onIncluded(seen.block)
      }
      if (update.is === 'inBlock' && waitFor === 'finalised') continue
      const status = update.is === 'finalised' ? 'finalised' : 'included'
      const settled = await outcome(deps, signed.hash, update.hash, status)
      // The block that was named does not hold it: look into all of them.
      return settled ?? (await search(deps, sentOf(signed, birth), waitFor, until))
    }
  } finally {
    release()
    unwatch()
    stop.abort()
  }
}

type Offered = { readonly updates: Updates; readonly unwatch: () => void }
type Refused = { readonly refused: Extract<Submission, { status: 'refused' }> }

/** Signs and offers; signs anew where the chain's code, the nonce or the birth block was overtaken meanwhile. The same bytes never go twice. */
async function signAndOffer(
  deps: SubmitDeps,
  call: Call,
  options: SubmitOptions & { readonly eraBlocks: number },
  choose: (chainNext: number, now: Block) => number,
): Promise<({ readonly signed: Signed; readonly birth: BlockRef } & Offered) | Refused> {
  const offeredBefore = new Set<Hex>()
  for (let times = 1; ; times += 1) {
    const { signed, birth, specVersion } = await prepare(deps, call, options, choose)
    if (offeredBefore.has(signed.hash)) return { refused: { ...BANNED } }
    offeredBefore.add(signed.hash)
    options.onSigned?.(sentOf(signed, birth))
    const offered = await offer(deps, signed, options.signal)
    if ('updates' in offered) return { signed, birth, ...offered }
    // The chain's code changed between signing and offering; what was signed for the old one has a bad proof.
    const outdated = (await deps.reader.runtimeOfNext()).specVersion !== specVersion
    if (times >= MAX_SIGNED || !(outdated || RESIGN.has(offered.refused.error))) return offered
  }
}

/** What the pool would say of bytes that it has seen. */
const BANNED = { status: 'refused', code: 1012, error: 'Pool.TemporarilyBanned', retryable: true } as const

const sentOf = ({ hash, lastBlock }: Signed, birth: BlockRef): Sent => ({ hash, birth: birth.number, lastBlock })

/** Signs with the runtime, nonce and birth block of this moment. */
async function prepare(
  { socket, reader, finalized, genesisHash }: SubmitDeps,
  call: Call,
  { signer, eraBlocks, signal }: Pick<SubmitOptions, 'signer' | 'signal'> & { readonly eraBlocks: number },
  choose: (chainNext: number, now: Block) => number,
): Promise<{ signed: Signed; birth: BlockRef; specVersion: number }> {
  const [birth, chainNext, runtime] = await Promise.all([
    finalized(),
    socket.request('system_accountNextIndex', [signer.address], { signal }),
    reader.runtimeOfNext(), // the signature names its version; the block of birth may be of an older one
  ])
  const nonce = choose(Number(chainNext), birth.number)
  const signed = await signCall({ runtime, call, signer, nonce, genesisHash, birth, eraBlocks })
  return { signed, birth, specVersion: runtime.specVersion }
}

/** Hands the extrinsic to the pool; a lost answer leaves it unknown, never sent again. */
async function offer({ socket }: SubmitDeps, signed: Signed, signal: AbortSignal): Promise<Offered | Refused> {
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
    // The pool has these very bytes already: an answer was lost on the way, so look for them.
    if (refused !== null && refused.error !== 'Pool.AlreadyImported') return { refused }
    if (refused === null && error.code !== 'CHAIN_CONNECTION_LOST' && error.code !== 'CHAIN_TIMEOUT') throw error
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
  sent: Sent,
  waitFor: 'included' | 'finalised',
  signal: AbortSignal,
): Promise<Submission> {
  const unseen = { status: 'unseen', hash: sent.hash, error: 'Chain.Unseen' } as const
  const { hash, gaps } = await find(deps, sent, waitFor, signal)
  if (hash === null) return gaps ? unseen : { ...EXPIRED }
  try {
    return (await outcome(deps, sent.hash, hash, waitFor)) ?? unseen
  } catch (error) {
    // The block is there and its state no more, so what the call did is to be seen in the state only.
    if (error instanceof SubnetError && error.code === 'CHAIN_RPC') return unseen
    throw error
  }
}

const EXPIRED = { status: 'refused', code: 0, error: 'InvalidTransaction.Expired', retryable: true } as const

/** Blocks for which one that cannot be read is asked for again: an endpoint that was just turned to may not have the newest yet. */
const CATCH_UP_BLOCKS = 8

/** Finds the block with the extrinsic, once it is there or can come no more; `gaps` when some block could not be read. */
async function find(
  deps: SubmitDeps,
  sent: Sent,
  waitFor: 'included' | 'finalised',
  signal: AbortSignal,
): Promise<{ readonly hash: Hex | null; readonly gaps: boolean }> {
  let next = sent.birth + 1
  let gaps = false
  for await (const head of deps.heads(waitFor === 'finalised' ? 'finalized' : 'best', signal)) {
    for (; next <= Math.min(head.number, sent.lastBlock); next += 1) {
      const hash = await deps.hashOf(next as Block)
      const body = hash === null ? null : await bodyOf(deps, hash, signal)
      if (hash !== null && body?.some((hex) => blake2AsHex(hex) === sent.hash)) return { hash, gaps }
      if (body === null && head.number - next < CATCH_UP_BLOCKS) break
      gaps ||= body === null
    }
    if (next > sent.lastBlock) break
  }
  signal.throwIfAborted()
  return { hash: null, gaps }
}

const bodyOf = async ({ socket }: SubmitDeps, hash: Hex, signal: AbortSignal): Promise<readonly Hex[] | null> => {
  const body = (await socket.request('chain_getBlock', [hash], { signal })) as BlockBody | null
  return body?.block.extrinsics ?? null
}

/** Settles by the finalised blocks what an earlier process sent. */
export const settleSent = (deps: SubmitDeps, sent: Sent, signal: AbortSignal): Promise<Submission> =>
  search(deps, sent, 'finalised', AbortSignal.any([signal, deps.socket.dead]))

type BlockBody = { readonly block: { readonly header: { readonly number: Hex }; readonly extrinsics: readonly Hex[] } }

/** Reads from the block's events what the extrinsic did; null when the block does not hold it. */
async function outcome(
  { socket, reader }: SubmitDeps,
  extrinsic: Hex,
  hash: Hex,
  status: 'included' | 'finalised',
): Promise<Submission | null> {
  const [body, runtime, [records]] = await Promise.all([
    socket.request('chain_getBlock', [hash]) as Promise<BlockBody | null>,
    reader.runtimeAt(hash),
    reader.many([entryOf('System.Events')], hash),
  ])
  if (body === null) return null
  const index = body.block.extrinsics.findIndex((hex) => blake2AsHex(hex) === extrinsic)
  if (index < 0) return null
  const block = { number: Number(body.block.header.number) as Block, hash }
  const events = [...((records ?? []) as unknown as Iterable<EventRecord>)]
    .map((record) => toEvent(runtime, record))
    .filter((event) => event.extrinsic === index)
    .map(({ pallet, name, data }) => ({ pallet, name, data }))
  const failure = findFailure(runtime, events)
  return failure ? { status: 'failed', block, hash: extrinsic, ...failure } : { status, block, hash: extrinsic, events }
}

const badEra = (eraBlocks: number): SubnetError =>
  new SubnetError({
    code: 'CHAIN_ERA',
    message: `eraBlocks ${eraBlocks} is no power of two in 4..4096; use 64 or another one`,
  })
