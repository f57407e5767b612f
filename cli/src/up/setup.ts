import { addStake, adminSet, batchAll, burnedRegister, sudo, transferKeepAlive } from '@arbor/chain/client/calls'
import type { Call, ChainClient, Submission } from '@arbor/chain/client/types'
import { SubnetError } from '@arbor/shared/errors'
import type { Keypair } from '@arbor/shared/keypair'
import type { NetUid, Rao, Ss58 } from '@arbor/shared/units'
import type { Member } from './roster.ts'

const tao = (amount: bigint): Rao => (amount * 1_000_000_000n) as Rao

/** What a miner's coldkey is given: registrations and fees. */
const minerFunds = tao(20n)
/** What a validator's coldkey is given, and how much of it is staked: enough for a permit, the same for all. */
const validatorFunds = tao(220n)
const validatorStake = tao(200n)

/** Registrations in a row that stay cheap: each one raises the price of the next by half. */
const cheapRegistrations = 8
/** Registrations that are sent together in a large net; the development chain takes 16 a block. */
const registrationsAtOnce = 8
/** What the price never exceeds (MaxBurn). */
const dearest = tao(100n)

/** A member with the coldkey that pays for it; only the set-up of a dev net ever holds one. */
export interface FundedMember {
  readonly member: Member
  readonly coldkey: Keypair
}

/**
 * Funds, registers and stakes the members in the given order. Whoever is registered already is left alone, so that it can be run again.
 * @param bank a dev account that pays
 * @throws UP_SETUP with the chain's error when a step fails
 */
export async function registerMembers({
  chain,
  netuid,
  members,
  bank,
  signal,
}: {
  readonly chain: ChainClient
  readonly netuid: NetUid
  readonly members: readonly FundedMember[]
  readonly bank: Keypair
  readonly signal: AbortSignal
}): Promise<void> {
  const { neurons } = await chain.metagraph(netuid)
  const registered = new Set<Ss58>(neurons.map(({ hotkey }) => hotkey))
  const missing = members.filter(({ member }) => !registered.has(member.hotkey))
  if (missing.length === 0) return
  const submit = async (what: string, call: Call, signer: Keypair): Promise<void> =>
    mustSucceed(what, await chain.submit(call, { signer, signal, waitFor: 'included' }))
  const price = missing.length > cheapRegistrations ? dearest : tao(0n)
  await submit('funding', batchAll(missing.map((each) => fund(each, price))), bank)
  const register = async ({ member, coldkey }: FundedMember): Promise<void> => {
    const join = [burnedRegister({ netuid, hotkey: member.hotkey })]
    if (member.role === 'validator') join.push(addStake({ hotkey: member.hotkey, netuid, amount: validatorStake }))
    await submit(`registering ${member.name}`, batchAll(join), coldkey)
  }
  // One after another in a small net, whose order its seed decides; many at once in a large one, which a block takes.
  const together = missing.length > cheapRegistrations ? registrationsAtOnce : 1
  for (let start = 0; start < missing.length; start += together)
    await Promise.all(missing.slice(start, start + together).map(register))
}

/** Share of the stake that must see a weight in a zoo, of 65 535: 0.6. At the usual half, each of two equal validators pays alone. */
const zooKappa = Math.round(0.6 * 65_535)

/**
 * Lets a weight count only where more than one of two equal validators holds it.
 * @param root the chain's sudo key
 * @throws UP_SETUP with the chain's error
 */
export async function askForMajority({
  chain,
  netuid,
  root,
  signal,
}: {
  readonly chain: ChainClient
  readonly netuid: NetUid
  readonly root: Keypair
  readonly signal: AbortSignal
}): Promise<void> {
  const call = sudo(adminSet('kappa', { netuid, kappa: zooKappa }))
  mustSucceed('setting kappa', await chain.submit(call, { signer: root, signal, waitFor: 'included' }))
}

const fund = ({ member, coldkey }: FundedMember, price: Rao): Call => {
  const usual = member.role === 'validator' ? validatorFunds : minerFunds
  return transferKeepAlive({ to: coldkey.address, amount: (usual + price) as Rao })
}

function mustSucceed(what: string, submission: Submission): void {
  if (!('error' in submission)) return
  throw new SubnetError({
    code: 'UP_SETUP',
    message: `${what} failed: ${submission.error}; start anew with --fresh if the data folder holds an older net`,
  })
}
