import type { ChainConnection } from '@arbor/chain/client/connect'
import type { Submission } from '@arbor/chain/client/types'
import { formatAmount } from '@arbor/shared/amount'
import { systemClock } from '@arbor/shared/clock'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import type { Rao, Ss58 } from '@arbor/shared/units'

/** A person waits: a chain that does not answer for this long is reported. */
const GIVE_UP_MS = 5_000

/** Runs work on a connection that is closed afterwards. @throws CHAIN_UNREACHABLE */
export async function withChain<T>(
  { signal }: CommandContext,
  network: string | readonly string[],
  work: (chain: ChainConnection) => Promise<T>,
): Promise<T> {
  const { connectChain } = await import('@arbor/chain/client/connect')
  const chain = await connectChain({ url: network, signal, clock: systemClock, limits: { giveUpMs: GIVE_UP_MS } })
  try {
    return await work(chain)
  } finally {
    await chain.close()
  }
}

/** A submission that took effect. */
export type Included = Extract<Submission, { status: 'included' | 'finalised' }>

/**
 * Expects a submission to have taken effect.
 * @throws CHAIN_CALL_FAILED, CHAIN_CALL_REFUSED with the chain's own error; CHAIN_CALL_UNSEEN when nobody can tell
 */
export function mustSucceed(what: string, submission: Submission): Included {
  if (submission.status === 'failed') {
    throw new SubnetError({
      code: 'CHAIN_CALL_FAILED',
      message: `${what} failed in block ${submission.block.number}: ${submission.error}${submission.docs === '' ? '' : ` (${submission.docs})`}; nothing but the fee was taken`,
      details: { error: submission.error, block: submission.block.number },
    })
  }
  if (submission.status === 'refused') {
    throw new SubnetError({
      code: 'CHAIN_CALL_REFUSED',
      message: `${what} was refused: ${submission.error}; ${hint(submission)}`,
      details: { error: submission.error, rpcCode: submission.code },
      retryable: submission.retryable,
    })
  }
  if (submission.status === 'unseen') {
    throw new SubnetError({
      code: 'CHAIN_CALL_UNSEEN',
      message: `what became of ${what} is not known: the chain node does not give the blocks that may hold ${submission.hash}; look whether it took effect before you repeat it`,
      details: { error: submission.error, hash: submission.hash },
    })
  }
  return submission
}

const hint = ({ error, retryable }: Extract<Submission, { status: 'refused' }>): string => {
  if (error === 'InvalidTransaction.Payment')
    return 'the account cannot pay the fee; see arbor wallet show and arbor faucet'
  return retryable ? 'try again' : 'check the arguments'
}

/** Fee that is kept back when a balance is checked beforehand; real fees are far below. */
const FEE_RESERVE = 10_000_000n // 0.01 TAO

/**
 * Checks before anything is sent that an account can pay.
 * @throws BALANCE_TOO_LOW with the numbers and the command that mends it
 */
export async function mustAfford(
  chain: ChainConnection,
  of: { readonly account: Ss58; readonly price: Rao; readonly what: string; readonly wallet: string },
): Promise<void> {
  const [free, existential] = await Promise.all([
    chain.balance(of.account),
    chain.constant('Balances', 'ExistentialDeposit'),
  ])
  const needed = of.price + FEE_RESERVE + (typeof existential === 'bigint' ? existential : 0n)
  if (free >= needed) return
  const missing = needed - free
  throw new SubnetError({
    code: 'BALANCE_TOO_LOW',
    message: `${of.what} takes ${formatAmount(of.price)} TAO (${formatAmount(needed)} with fee reserve), coldkey ${of.account} has ${formatAmount(free)}; send it ${formatAmount(missing)} TAO more (on a dev chain: arbor faucet --wallet ${of.wallet} --amount ${formatAmount(missing)})`,
    details: { account: of.account, freeRao: free.toString(), neededRao: needed.toString() },
  })
}
