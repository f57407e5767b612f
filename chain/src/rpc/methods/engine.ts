import { invalidParams, RpcError } from '../error.ts'
import type { BlockMaker, Method } from '../method.ts'
import { flagParam, hashParam } from '../params.ts'
import { ownRefusal } from './arbor.ts'

/** @source sc-consensus-manual-seal error.rs */
const EMPTY_POOL = 12_000
const BLOCK_NOT_FOUND = 13_000

/** What manual seal tells about an import; ours never differs. */
const AUX = {
  header_only: false,
  clear_justification_requests: false,
  needs_justification: false,
  bad_justification: false,
  is_new_best: true,
} as const

/** Makes the methods that make blocks, under the names of Substrate's manual seal. */
export const engineMethods = (maker: BlockMaker): Record<string, Method> => ({
  engine_createBlock: async ([empty, finalize, parent]) => {
    if (hashParam(parent, 'parent') !== null) throw invalidParams('parent must be null: blocks go on the best one')
    const wanted = { empty: flagParam(empty, 'create_empty'), finalize: flagParam(finalize, 'finalize') }
    const made = await maker.create(wanted).catch((error: unknown) => {
      throw ownRefusal(error)
    })
    if (made !== null) return { hash: made.hash, aux: AUX }
    throw new RpcError({
      code: EMPTY_POOL,
      message: 'Transaction pool is empty, set create_empty to true, if you want to create empty blocks',
    })
  },
  engine_finalizeBlock: ([hash]) => {
    const wanted = hashParam(hash)
    if (wanted === null) throw invalidParams('hash must be 32 bytes of hexadecimal')
    if (maker.finalize(wanted)) return true
    throw new RpcError({ code: BLOCK_NOT_FOUND, message: `Block with hash ${wanted} not found` })
  },
})
