import { SubnetError } from '@arbor/shared/errors'
import { toHex } from '@arbor/shared/hex'
import type { Hex } from '@arbor/shared/units'
import type { EmbeddedChain, StateView } from '../embedded/types.ts'
import { RPC, RpcError } from './error.ts'
import { createMetadataCache } from './metadata-cache.ts'

/** Reads of the chain that fail with Substrate's errors. */
export interface ChainReads {
  /** Finds the block that an optional hash means; null means the best one. */
  hash(wanted: Hex | null): Hex
  state(wanted: Hex | null): StateView
  call(method: string, args: Uint8Array, wanted: Hex | null): Uint8Array
}

/** Makes the reads of a chain. */
export const createReads = (chain: EmbeddedChain): ChainReads => {
  const metadata = createMetadataCache()
  const hash = (wanted: Hex | null): Hex => {
    if (wanted === null) return chain.best().hash
    if (chain.numberOf(wanted) !== null) return wanted
    throw clientError(`UnknownBlock: Header was not found in the database: ${wanted}`)
  }
  return {
    hash,
    state: (wanted) => {
      const at = hash(wanted)
      return translated({ at }, () => chain.state(at))
    },
    call: (method, args, wanted) => {
      const at = hash(wanted)
      const call = (): Uint8Array => chain.call(method, args, at)
      return translated({ at, method }, () =>
        method.startsWith('Metadata_') ? metadata(chain.state(at), `${method} ${toHex(args)}`, call) : call(),
      )
    },
  }
}

const translated = <Result>(of: { readonly at: Hex; readonly method?: string }, read: () => Result): Result => {
  try {
    return read()
  } catch (error) {
    const text = error instanceof SubnetError ? clientText(error, of) : null
    throw text === null ? error : clientError(text, error)
  }
}

/** Clients match on these words. @source sp-blockchain error.rs, sc-executor error.rs */
const clientText = (error: SubnetError, of: { readonly at: Hex; readonly method?: string }): string | null => {
  switch (error.code) {
    case 'CHAIN_STATE_PRUNED':
      return `Api called for an unknown Block: State already discarded for ${of.at}`
    case 'CHAIN_NO_METHOD':
      return `Execution failed: Other: Exported method ${of.method} is not found`
    case 'CHAIN_RUNTIME_TRAP':
    case 'CHAIN_RUNTIME_HEAP':
    case 'CHAIN_HOST_REFUSED':
      return `Execution failed: Execution aborted due to panic: ${error.message}`
    default:
      return null
  }
}

const clientError = (text: string, cause?: unknown): RpcError =>
  new RpcError({ code: RPC.client, message: `Client error: ${text}`, cause })
