import { SubnetError } from '@arbor/shared/errors'
import { CHILD_PREFIX, type Key, keyBytes } from '../../key.ts'
import { optionVec, reader, u32le } from '../../scale.ts'
import type { StateVersion } from '../../trie/node.ts'
import type { Span } from '../memory.ts'
import type { HostContext, HostFunctions } from './context.ts'

/** Reads and writes of the main trie. @source sp_io::storage */
export const storageFunctions = (context: HostContext): HostFunctions => {
  const { memory } = context
  const clearPrefix = (prefix: Key, limit: number): Uint8Array => {
    const { visited, more } = context.storage.clearPrefix(prefix, limit)
    return Uint8Array.of(Number(more), ...u32le(visited))
  }
  return {
    ext_storage_get_version_1: (key: Span) => memory.write(optionVec(context.storage.get(memory.key(key)))),
    ext_storage_set_version_1: (key: Span, value: Span) =>
      context.storage.set(writable(memory.key(key)), memory.copy(value)),
    ext_storage_clear_version_1: (key: Span) => context.storage.set(writable(memory.key(key)), undefined),
    ext_storage_exists_version_1: (key: Span) => Number(context.storage.get(memory.key(key)) !== undefined),
    ext_storage_append_version_1: (key: Span, item: Span) =>
      context.storage.append(writable(memory.key(key)), memory.view(item)),
    ext_storage_read_version_1: (key: Span, out: Span, offset: number) =>
      memory.write(readInto(context.storage.get(memory.key(key)), memory.view(out), offset >>> 0)),
    ext_storage_next_key_version_1: (key: Span) => {
      const next = context.storage.next(memory.key(key))
      return memory.write(optionVec(next === undefined ? undefined : keyBytes(next)))
    },
    ext_storage_clear_prefix_version_1: (prefix: Span) => void clearPrefix(writable(memory.key(prefix)), Infinity),
    ext_storage_clear_prefix_version_2: (prefix: Span, limit: Span) =>
      memory.write(clearPrefix(writable(memory.key(prefix)), readLimit(memory.view(limit)))),
    ext_storage_root_version_1: () => memory.write(context.storage.root(0)),
    ext_storage_root_version_2: (version: number) => memory.write(context.storage.root(stateVersion(version))),
    ext_storage_start_transaction_version_1: () => context.storage.begin(),
    ext_storage_commit_transaction_version_1: () => context.storage.commit(),
    ext_storage_rollback_transaction_version_1: () => context.storage.rollback(),
  }
}

/** @throws CHAIN_HOST_REFUSED for another state version than 0 and 1 */
export const stateVersion = (version: number): StateVersion => {
  if (version === 0 || version === 1) return version
  throw new SubnetError({
    code: 'CHAIN_HOST_REFUSED',
    message: `The runtime asks for state version ${version}; this host knows 0 and 1`,
  })
}

/** Copies the value from `offset` on and says how many bytes there were. */
const readInto = (value: Uint8Array | undefined, out: Uint8Array, offset: number): Uint8Array => {
  if (value === undefined) return Uint8Array.of(0)
  const rest = value.subarray(Math.min(offset, value.length))
  out.set(rest.subarray(0, out.length))
  return Uint8Array.of(1, ...u32le(rest.length))
}

const readLimit = (encoded: Uint8Array): number => {
  const source = reader(encoded)
  return source.u8() === 0 ? Infinity : source.u32()
}

/** Roots of child tries belong to the host. */
const writable = (key: Key): Key => {
  if (!key.startsWith(CHILD_PREFIX)) return key
  throw new SubnetError({
    code: 'CHAIN_HOST_REFUSED',
    message: 'The runtime writes below :child_storage:default: directly; that is for child storage functions only',
  })
}
