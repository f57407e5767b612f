import { SubnetError } from '@arbor/shared/errors'
import type { Hex } from '@arbor/shared/units'
import type { GenericExtrinsic } from '@polkadot/types'
import { encodeCall } from './encode.ts'
import type { Reader } from './reader.ts'
import { asRefusal } from './refusals.ts'
import type { RpcSocket } from './socket-types.ts'
import type { Call, Submission } from './types.ts'

/** Hands an unsigned extrinsic to the pool, for the few calls that prove themselves; it does not wait for a block. */
export async function submitBare(
  { socket, reader }: { readonly socket: RpcSocket; readonly reader: Reader },
  call: Call,
): Promise<{ readonly status: 'accepted'; readonly hash: Hex } | Extract<Submission, { status: 'refused' }>> {
  const runtime = await reader.runtimeOfNext()
  const extrinsic = runtime.registry.createTypeUnsafe<GenericExtrinsic>('Extrinsic', [
    encodeCall(runtime, call),
    { version: 4 },
  ])
  try {
    return { status: 'accepted', hash: (await socket.request('author_submitExtrinsic', [extrinsic.toHex()])) as Hex }
  } catch (error) {
    const refused = error instanceof SubnetError ? asRefusal(error) : null
    if (refused === null) throw error
    return refused
  }
}
