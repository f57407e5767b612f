import { SubnetError } from '@arbor/shared/errors'
import { fromHex, isHex } from '@arbor/shared/hex'
import type { Signer } from '@arbor/shared/signer'
import type { Block, Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { rawField, setRecord } from './calls.ts'
import { entryOf, type Reader } from './reader.ts'
import type { BlockRef, ChainClient, CommittedRecord } from './types.ts'

/** Most fields of a record. @source chain/runtime/src/configs.rs MaxCommitmentFields */
export const MOST_FIELDS = 3
/** Most bytes of a field of plain bytes. @source chain/pallets/commitments/src/types.rs MAX_RAW_BYTES */
export const MOST_FIELD_BYTES = 128
/** Least bytes that a record counts for. @source chain/pallets/commitments/src/lib.rs MIN_COUNTED_BYTES */
const MIN_COUNTED = 100

/** Reads a record as the chain's entry has it; null where nothing was committed. */
export const recordOf = (held: unknown): CommittedRecord | null => {
  if (typeof held !== 'object' || held === null) return null
  const { block, info } = held as { readonly block?: unknown; readonly info?: { readonly fields?: unknown } }
  const fields = Array.isArray(info?.fields) ? (info.fields as readonly unknown[]) : []
  return { block: Number(block) as Block, fields, raw: fields.map(rawOf).filter((raw) => raw !== null) }
}

/** Takes the bytes of a field of plain bytes, which is called by their number: Raw0 to Raw128; null for another kind. */
const rawOf = (field: unknown): Uint8Array | null => {
  const [[name, value] = ['', null]] = Object.entries(typeof field === 'object' && field !== null ? field : {})
  return /^Raw\d{1,3}$/.test(name) && typeof value === 'string' && isHex(value) ? fromHex(value) : null
}

/** Reads what one hotkey has committed in a subnet; at the best block where none is named. */
export const readRecord = async (of: {
  readonly chain: Pick<ChainClient, 'read'>
  readonly netuid: NetUid
  readonly hotkey: Ss58
  readonly at?: Hex | undefined
}): Promise<CommittedRecord | null> =>
  recordOf(await of.chain.read('Commitments', 'CommitmentOf', [of.netuid, of.hotkey], of.at))

/** Reads the records of many hotkeys in one round trip, in their order. */
export const readRecords = async (
  reader: Reader,
  netuid: NetUid,
  hotkeys: readonly Ss58[],
  at: Hex,
): Promise<readonly (CommittedRecord | null)[]> => {
  const held = await reader.plain(
    hotkeys.map((hotkey) => entryOf('Commitments.CommitmentOf', netuid, hotkey)),
    at,
  )
  return held.map(recordOf)
}

/** What setting fields came to. `refused` says the chain's reason; of `no-space` nothing was sent, as the epoch's bytes are used up. */
export type RecordOutcome =
  | { readonly kind: 'set'; readonly block: BlockRef; readonly displaced: number }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'no-space' }

/** Keeps the one record that a hotkey has in a subnet, for all in this process who have a field in it. */
export interface RecordKeeper {
  /**
   * Puts fields in the place of the caller's own, and waits until that is final. What others have stays behind them; `displaced` counts
   * fields that there was no room for. One call after the other, each as soon as the one before is in a block.
   * @param of.isOwn tells the caller's own fields
   * @param of.epochIndex epoch whose space counts; the chain's where it is absent
   * @throws CHAIN_RECORD when there are too many fields or one is too long
   */
  set(of: {
    readonly isOwn: (raw: Uint8Array) => boolean
    readonly fields: readonly Uint8Array[]
    readonly epochIndex?: number
    readonly signal: AbortSignal
  }): Promise<RecordOutcome>
}

/** Sets that may wait for one another; more callers than a process has. */
const MOST_WAITING = 16

/** Creates the keeper of a hotkey's record. One process has one. */
export function createRecordKeeper(deps: {
  readonly chain: Pick<ChainClient, 'read' | 'submit'>
  readonly netuid: NetUid
  readonly hotkey: Signer
}): RecordKeeper {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return {
    set: async (of) => {
      mustFit(of.fields)
      if (waiting >= MOST_WAITING) throw badRecord(`${waiting} changes of it wait already`, 'wait for them')
      const included = Promise.withResolvers<void>()
      const before = last
      last = included.promise
      waiting += 1
      try {
        await before
        of.signal.throwIfAborted()
        return await setNow(deps, of, included.resolve)
      } finally {
        waiting -= 1
        included.resolve()
      }
    },
  }
}

async function setNow(
  { chain, netuid, hotkey }: Parameters<typeof createRecordKeeper>[0],
  { isOwn, fields, epochIndex, signal }: Parameters<RecordKeeper['set']>[0],
  onIncluded: () => void,
): Promise<RecordOutcome> {
  const held = await readRecord({ chain, netuid, hotkey: hotkey.address })
  const others = (held?.fields ?? []).filter((field): field is object => {
    const raw = rawOf(field)
    return raw === null ? isHash(field) : !isOwn(raw)
  })
  const next = [...fields.map(rawField), ...others].slice(0, MOST_FIELDS)
  if (!(await hasSpace({ chain, netuid, hotkey: hotkey.address, fields: next, epochIndex })))
    return { kind: 'no-space' }
  const call = setRecord({ netuid, fields: next })
  const outcome = await chain.submit(call, { signer: hotkey, waitFor: 'finalised', onIncluded, signal })
  if ('error' in outcome) return { kind: 'refused', error: outcome.error }
  return { kind: 'set', block: outcome.block, displaced: fields.length + others.length - next.length }
}

/** Tells a hash, which is kept as it is; whatever does something when it is set again is not. */
const isHash = (field: unknown): boolean =>
  typeof field === 'object' && field !== null && /^(BlakeTwo|Sha|Keccak|ShaThree)256$/.test(Object.keys(field).join())

/** Tells whether the chain lets a hotkey write a record in this epoch: a refused one would make its weights wait. */
async function hasSpace(of: {
  readonly chain: Pick<ChainClient, 'read'>
  readonly netuid: NetUid
  readonly hotkey: Ss58
  readonly fields: readonly object[]
  readonly epochIndex: number | undefined
}): Promise<boolean> {
  const { chain, netuid, hotkey } = of
  const [most, used, epoch] = await Promise.all([
    chain.read('Commitments', 'MaxSpace', []),
    chain.read('Commitments', 'UsedSpaceOf', [netuid, hotkey]),
    of.epochIndex ?? chain.read('SubtensorModule', 'SubnetEpochIndex', [netuid]).catch(unknownEpoch),
  ])
  const { last_epoch, used_space } = (used ?? {}) as { readonly last_epoch?: bigint; readonly used_space?: bigint }
  const spent = epoch !== null && Number(last_epoch ?? -1n) === Number(epoch) ? Number(used_space ?? 0n) : 0
  const bytes = of.fields.reduce((sum, field) => sum + lengthOf(field), 0)
  return spent + Math.max(bytes, MIN_COUNTED) <= Number(most ?? Number.MAX_SAFE_INTEGER)
}

/** Chains that count no epochs tell nobody how much is left: they are asked by the record itself. */
const unknownEpoch = (error: unknown): null => {
  if (error instanceof SubnetError && error.code === 'CHAIN_NO_ITEM') return null
  throw error
}

const lengthOf = (field: object): number => {
  const [value] = Object.values(field)
  return typeof value === 'string' ? (value.length - 2) / 2 : 0
}

function mustFit(fields: readonly Uint8Array[]): void {
  if (fields.length > MOST_FIELDS)
    throw badRecord(`it would have ${fields.length} fields`, `set at most ${MOST_FIELDS}`)
  const long = fields.find(({ length }) => length > MOST_FIELD_BYTES)
  if (long !== undefined)
    throw badRecord(`a field would have ${long.length} bytes`, `the chain takes ${MOST_FIELD_BYTES}: shorten it`)
}

const badRecord = (what: string, todo: string): SubnetError =>
  new SubnetError({ code: 'CHAIN_RECORD', message: `the hotkey's record on the chain is not set: ${what}; ${todo}` })
