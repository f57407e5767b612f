import type { BlockRef, Submission } from '@arbor/chain/client/types'
import { formatAmount } from '@arbor/shared/amount'
import { SubnetError } from '@arbor/shared/errors'
import type { NetUid, Rao } from '@arbor/shared/units'
import { type Included, mustSucceed } from './chain.ts'

/** What a registration takes now. */
export interface Quote {
  readonly priceRao: Rao
  /** Whether the subnet takes registrations. */
  readonly isOpen: boolean
}

export interface RegisterDeps {
  readonly netuid: NetUid
  /** Most that may be paid; the price of the moment and 10 % more when null. */
  readonly maxBurnRao: Rao | null
  /** Blocks for which a price, a closed subnet or a full block is waited out; 0 for none. */
  readonly waitBlocks: number
  readonly quote: () => Promise<Quote>
  /** Uid of the hotkey; null while it has none. */
  readonly uid: () => Promise<number | null>
  readonly submit: (of: { readonly priceRao: Rao; readonly limitRao: Rao }) => Promise<Submission>
  readonly heads: (signal: AbortSignal) => AsyncIterable<BlockRef>
  readonly say: (line: string) => void
}

/** What a later block may take that this one did not. */
const PASSES =
  /^(SubtensorModule\.(TooManyRegistrationsThis(Block|Interval)|RegistrationPriceLimitExceeded|SubNetRegistrationDisabled)|InvalidTransaction\.(ExhaustsResources|Expired)|Pool\.(TemporarilyBanned|PriorityTooLow|Dropped|Full))$/

/**
 * Registers at a price that suits, at once or within so many blocks; whoever the hotkey was registered by, it is registered once.
 * @returns the block that took it, or the uid that the hotkey had got meanwhile
 * @throws REGISTER_CLOSED, REGISTER_TOO_DEAR, CHAIN_CALL_FAILED, CHAIN_CALL_REFUSED
 */
export async function registerWithin(deps: RegisterDeps, signal: AbortSignal): Promise<Included | number> {
  const stop = new AbortController()
  const until = AbortSignal.any([signal, stop.signal])
  let waited = 0
  const next = deps.waitBlocks === 0 ? null : deps.heads(until)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const refusal = await attempt(deps)
      if (!('error' in refusal)) return refusal.done
      if (next === null || waited >= deps.waitBlocks || !refusal.passes) throw refusal.error
      if (waited === 0) deps.say(`${refusal.error.message}; waiting up to ${deps.waitBlocks} blocks\n`)
      // The first head is the block that was looked at.
      if (waited === 0) await next.next()
      await next.next()
      waited += 1
      const uid = await deps.uid()
      if (uid !== null) return uid
    }
  } finally {
    stop.abort()
    await next?.return?.().catch(() => undefined)
  }
}

type Attempt = { readonly done: Included } | { readonly error: SubnetError; readonly passes: boolean }

async function attempt({ netuid, maxBurnRao, quote, submit }: RegisterDeps): Promise<Attempt> {
  const { priceRao, isOpen } = await quote()
  if (!isOpen) {
    const message = `subnet ${netuid} takes no registrations now; ask its owner`
    return { passes: true, error: new SubnetError({ code: 'REGISTER_CLOSED', message }) }
  }
  const limitRao = maxBurnRao ?? ((priceRao + priceRao / 10n) as Rao)
  if (priceRao > limitRao) {
    const error = new SubnetError({
      code: 'REGISTER_TOO_DEAR',
      message: `subnet ${netuid} costs ${formatAmount(priceRao)} TAO, more than --max-burn ${formatAmount(limitRao)}; wait until the price falls (--wait BLOCKS) or raise the limit`,
      details: { priceRao: priceRao.toString() },
    })
    return { passes: true, error }
  }
  const submission = await submit({ priceRao, limitRao })
  try {
    return { done: mustSucceed('the registration', submission) }
  } catch (error) {
    if (!(error instanceof SubnetError)) throw error
    return { error, passes: PASSES.test(String(error.details?.error)) }
  }
}
