import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import { compactFromU8a, hexToU8a } from '@polkadot/util'
import { readRuntime } from './read-runtime.ts'
import type { Runtime } from './runtime.ts'
import type { RpcSocket } from './socket-types.ts'

/** 15 is what all of Bittensor's clients read; 16 adds nothing that we use; 14 lacks the runtime APIs. */
const PREFERRED = [15, 16, 14]

/**
 * Asks a chain for the code that a block's state holds, which executes the block after it.
 * @throws CHAIN_METADATA when the answer is no metadata
 */
export async function fetchRuntime(request: RpcSocket['request'], at: Hex | null): Promise<Runtime> {
  const params = at === null ? [] : [at]
  const [version, metadata] = await Promise.all([
    request('state_getRuntimeVersion', params),
    fetchMetadata(request, params),
  ])
  return readRuntime(metadata, version as object)
}

async function fetchMetadata(request: RpcSocket['request'], params: readonly Hex[]): Promise<Uint8Array> {
  const ask = (method: string, args: string): Promise<unknown> => request('state_call', [method, args, ...params])
  const offered = await refusedAs(null, ask('Metadata_metadata_versions', '0x'))
  const versions = offered === null ? [15] : u32s(hexToU8a(offered as Hex))
  for (const version of PREFERRED.filter((entry) => entry !== 14 && versions.includes(entry))) {
    const answer = await refusedAs(null, ask('Metadata_metadata_at_version', `0x${version.toString(16)}000000`))
    const bytes = answer === null ? new Uint8Array() : hexToU8a(answer as Hex)
    if (bytes[0] === 1) return withoutLength(bytes.subarray(1))
  }
  return hexToU8a((await request('state_getMetadata', params)) as Hex)
}

/** Chain nodes answer a runtime API that their code lacks with an error. */
const refusedAs = async <T>(value: T, answer: Promise<unknown>): Promise<unknown | T> => {
  try {
    return await answer
  } catch (error) {
    if (error instanceof SubnetError && error.code === 'CHAIN_RPC') return value
    throw error
  }
}

const withoutLength = (bytes: Uint8Array): Uint8Array => bytes.subarray(compactFromU8a(bytes)[0])

const u32s = (bytes: Uint8Array): number[] => {
  const [offset, length] = compactFromU8a(bytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset)
  return Array.from({ length: Math.min(length.toNumber(), view.byteLength >> 2) }, (_, index) =>
    view.getUint32(index * 4, true),
  )
}
