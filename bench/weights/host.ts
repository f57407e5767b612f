import { concatBytes } from '@arbor/shared/bytes'
import { toKey } from '../../chain/src/embedded/key.ts'
import type { HostContext, HostFunctions } from '../../chain/src/embedded/runtime/host/context.ts'
import type { Span } from '../../chain/src/embedded/runtime/memory.ts'
import { type Reader, reader, u32le, u64le } from '../../chain/src/embedded/scale.ts'
import type { BenchDatabase } from './database.ts'

/**
 * The host functions of a runtime that measures itself.
 * @param nowNs a clock in nanoseconds
 * @source frame_benchmarking::benchmarking
 */
export const benchmarkFunctions =
  (database: BenchDatabase, nowNs: () => bigint) =>
  ({ memory }: HostContext): HostFunctions => {
    let whitelist: readonly Uint8Array[] = []
    const setWhitelist = (items: readonly Uint8Array[]): void => {
      whitelist = items
      database.setWhitelist(items.map((item) => toKey(reader(item).vec())))
    }
    const keyOf = (item: Uint8Array): string => toKey(reader(item).vec())
    return {
      ext_benchmarking_current_time_version_1: () => memory.writeFixed(concatBytes(u64le(nowNs()), u64le(0))),
      ext_benchmarking_wipe_db_version_1: () => database.wipe(),
      ext_benchmarking_commit_db_version_1: () => database.commit(),
      ext_benchmarking_read_write_count_version_1: () => {
        const { reads, repeatReads, writes, repeatWrites } = database.counts()
        return memory.write(concatBytes(...[reads, repeatReads, writes, repeatWrites].map(u32le)))
      },
      ext_benchmarking_reset_read_write_count_version_1: () => database.resetCounts(),
      ext_benchmarking_get_whitelist_version_1: () => memory.write(list(whitelist)),
      ext_benchmarking_set_whitelist_version_1: (keys: Span) => setWhitelist(readWhitelist(memory.copy(keys))),
      ext_benchmarking_add_to_whitelist_version_1: (item: Span) => setWhitelist([...whitelist, memory.copy(item)]),
      ext_benchmarking_remove_from_whitelist_version_1: (key: Span) => {
        const gone = memory.key(key)
        setWhitelist(whitelist.filter((item) => keyOf(item) !== gone))
      },
      // Keys and proofs are of use to parachains alone.
      ext_benchmarking_get_read_and_written_keys_version_1: () => memory.write(Uint8Array.of(0)),
      ext_benchmarking_proof_size_version_1: () => memory.write(Uint8Array.of(0)),
    }
  }

const list = (items: readonly Uint8Array[]): Uint8Array => concatBytes(compactLength(items.length), ...items)

/** Encodes a length below 2^14. */
const compactLength = (length: number): Uint8Array =>
  length < 64 ? Uint8Array.of(length << 2) : Uint8Array.of(((length << 2) | 1) & 255, length >> 6)

/** Cuts a list of TrackedStorageKey into its items. @source sp_storage::TrackedStorageKey */
const readWhitelist = (encoded: Uint8Array): readonly Uint8Array[] => {
  const source = reader(encoded)
  return Array.from({ length: source.compact() }, () => {
    const start = source.offset
    skipKey(source)
    return encoded.slice(start, source.offset)
  })
}

const skipKey = (source: Reader): void => {
  source.vec() // key
  source.bytes(4 + 4 + 1) // reads, writes, whitelisted
  if (source.u8() === 1) source.vec() // child trie
}
