import { setImmediate as turn } from 'node:timers/promises'
import { blake2b256 } from '@arbor/shared/hashing'
import { toHex } from '@arbor/shared/hex'
import type { Block, Hex } from '@arbor/shared/units'
import type { StateView } from '../../embedded/types.ts'
import { createBudget } from '../budget.ts'
import { invalidParams, RPC, RpcError } from '../error.ts'
import type { Method, MethodDeps } from '../method.ts'
import { bytesParam, hashParam, listParam, numberParam } from '../params.ts'

/** Most keys of one page. @source sc-rpc state/mod.rs STORAGE_KEYS_PAGED_MAX_COUNT */
const MAX_PAGE = 1000
/** Most keys of an answer that has no pages. */
const MAX_KEYS = 10_000
/** Most values that one question may have read. */
const MAX_READS = 65_536
/** Keys that are read before others get a turn. */
const KEYS_A_TURN = 2_048
/** Blocks of a range that are looked at before others get a turn. */
const BLOCKS_A_TURN = 32

/** Makes the methods that read state by its keys. */
export const storageMethods = (deps: Pick<MethodDeps, 'chain' | 'reads'>): Record<string, Method> => {
  const { reads } = deps
  const read = (key: unknown, hash: unknown): Uint8Array | undefined =>
    reads.state(hashParam(hash)).get(bytesParam(key, 'key'))

  const getStorage: Method = ([key, hash]) => hexOrNull(read(key, hash))
  const getStorageSize: Method = ([key, hash]) => read(key, hash)?.length ?? null
  const getStorageHash: Method = ([key, hash]) => {
    const value = read(key, hash)
    return value === undefined ? null : toHex(blake2b256(value))
  }
  const queryStorageAt: Method = async ([wanted, hash]) => {
    const keys = keysParam(wanted)
    const block = reads.hash(hashParam(hash))
    const state = reads.state(block)
    const { spend } = createBudget()
    const changes: [unknown, string | null][] = []
    for (const key of keys) {
      changes.push([key, spent(state.get(bytesParam(key, 'key')), spend)])
      if (changes.length % KEYS_A_TURN === 0) await turn()
    }
    return [{ block, changes }]
  }
  const getKeysPaged: Method = ([prefix, size, start, hash]) => {
    const count = numberParam(size, 'count')
    if (count > MAX_PAGE) throw tooManyKeys(`${count}`, MAX_PAGE)
    const startKey = start === undefined || start === null ? undefined : bytesParam(start, 'start key')
    return reads
      .state(hashParam(hash))
      .keys(prefixParam(prefix), startKey === undefined ? { count } : { count, startKey })
      .map(toHex)
  }
  const allKeys = (prefix: unknown, state: StateView): readonly Uint8Array[] => {
    const keys = state.keys(prefixParam(prefix), { count: MAX_KEYS + 1 })
    if (keys.length > MAX_KEYS) throw tooManyKeys(`more than ${MAX_KEYS}`, MAX_KEYS)
    return keys
  }
  const getPairs: Method = ([prefix, hash]) => {
    const state = reads.state(hashParam(hash))
    const { spend } = createBudget()
    return allKeys(prefix, state).map((key) => [toHex(key), spent(state.get(key), spend)])
  }

  const getReadProof: Method = ([wanted, hash]) => {
    const keys = listParam(wanted, 'keys')
    if (keys.length > MAX_PAGE) throw tooManyKeys(`${keys.length}`, MAX_PAGE)
    const at = reads.hash(hashParam(hash))
    const { spend } = createBudget()
    const entries = reads.state(at).proof(keys.map((key) => bytesParam(key, 'key')))
    for (const { length } of entries) spend(length)
    return { at, proof: entries.map(toHex).sort() }
  }

  return {
    state_getKeys: ([prefix, hash]) => allKeys(prefix, reads.state(hashParam(hash))).map(toHex),
    state_getKeysPaged: getKeysPaged,
    state_getKeysPagedAt: getKeysPaged,
    state_getPairs: getPairs,
    state_getReadProof: getReadProof,
    state_getStorage: getStorage,
    state_getStorageAt: getStorage,
    state_getStorageHash: getStorageHash,
    state_getStorageHashAt: getStorageHash,
    state_getStorageSize: getStorageSize,
    state_getStorageSizeAt: getStorageSize,
    state_queryStorage: queryStorage(deps),
    state_queryStorageAt: queryStorageAt,
    ...childStateMethods,
  }
}

/** Tells the values of keys at a block, then what each later block up to another changed. */
const queryStorage =
  ({ chain, reads }: Pick<MethodDeps, 'chain' | 'reads'>): Method =>
  async ([wanted, fromHash, toHash]) => {
    const keys = keysParam(wanted).map((key) => bytesParam(key, 'key'))
    const [from, to] = [hashParam(fromHash, 'from block'), hashParam(toHash, 'to block')]
    const numbers = range(from === null ? null : chain.block(from), to === null ? chain.best() : chain.block(to))
    const blocks = numbers === null ? 0 : numbers.last - numbers.first + 1
    if (numbers === null || blocks < 1) throw badRange(from, to, 'Start block must be an ancestor of the end block')
    if (blocks * keys.length > MAX_READS) throw badRange(from, to, `At most ${MAX_READS} values are read at once`)
    const { spend } = createBudget()
    const last = new Map<string, string | null>()
    const changeSets: { readonly block: Hex; readonly changes: [Hex, string | null][] }[] = []
    for (let number = numbers.first; number <= numbers.last; number += 1) {
      const block = chain.hashAt(number as Block)
      if (block === null) throw badRange(from, to, 'The best chain changed meanwhile')
      const state = reads.state(block)
      const changes = keys.flatMap((bytes): [Hex, string | null][] => {
        const key = toHex(bytes)
        const value = hexOrNull(state.get(bytes))
        if (last.get(key) === value) return []
        last.set(key, value)
        spend((value?.length ?? 0) / 2)
        return [[key, value]]
      })
      if (changes.length > 0) changeSets.push({ block, changes })
      if (number % BLOCKS_A_TURN === 0) await turn()
    }
    return changeSets
  }

type Known = { readonly header: { readonly number: number } } | null

const range = (from: Known, to: Known): { readonly first: number; readonly last: number } | null =>
  from === null || to === null ? null : { first: from.header.number, last: to.header.number }

/** @source sc-rpc-api state/error.rs InvalidBlockRange */
const badRange = (from: Hex | null, to: Hex | null, why: string): RpcError =>
  new RpcError({
    code: RPC.invalidRange,
    message: `Cannot resolve a block range ['${from}' ... '${to}']. ${why}`,
  })

const keysParam = (wanted: unknown): readonly unknown[] => {
  const keys = listParam(wanted, 'keys')
  if (keys.length > MAX_READS) throw invalidParams(`at most ${MAX_READS} keys in one request`)
  return keys
}

const prefixParam = (prefix: unknown): Uint8Array =>
  prefix === undefined || prefix === null ? new Uint8Array() : bytesParam(prefix, 'prefix')

/** The runtime keeps no child tries, so each of these names a trie that is not there. */
const noChildTrie: Method = () => {
  throw new RpcError({ code: RPC.client, message: 'Client error: Invalid child storage key' })
}

const childStateMethods: Record<string, Method> = Object.fromEntries(
  ['getKeys', 'getKeysPaged', 'getStorage', 'getStorageEntries', 'getStorageHash', 'getStorageSize'].map((name) => [
    `childstate_${name}`,
    noChildTrie,
  ]),
)

const spent = (value: Uint8Array | undefined, spend: (bytes: number) => void): string | null => {
  spend(value?.length ?? 0)
  return hexOrNull(value)
}

const hexOrNull = (value: Uint8Array | undefined): string | null => (value === undefined ? null : toHex(value))

const tooManyKeys = (count: string, max: number): RpcError =>
  new RpcError({ code: RPC.countTooLarge, message: `count exceeds maximum value. value: ${count}, max: ${max}` })
