import type { Keypair } from '@arbor/shared/keypair'
import { keypairFromUri } from '@arbor/shared/keys'
import { reader } from '../../chain/src/embedded/scale.ts'
import { BOB } from '../../chain/test/support/embedded.ts'
import type { Arm, Cost, Sign } from './chain-measure.ts'

const NETUID = 1
const NEURONS = 256
const VALIDATORS = 64
/** 20 TAO each: more than the dust that an epoch leaves out, less than Bob holds. */
const STAKE_RAO = 20_000_000_000n
const EPOCHS = 3

/** What a subnet grows to, and the tools of whoever measures it. */
interface Subnet {
  readonly arm: Arm
  readonly sign: Sign
  /** Makes a block and fails unless it holds all of these. */
  blockOf(extrinsics: readonly Uint8Array[]): Promise<void>
  cost(run: () => Promise<unknown>): Promise<Cost>
  add(what: string, cost: Cost): void
}

/** Fills subnet 1 in one block, has 64 validators give 255 weights each, and measures the blocks with an epoch. */
export async function measureSubnet({ arm, sign, blockOf, cost, add }: Subnet): Promise<void> {
  const hotkeys = Array.from({ length: NEURONS }, (_, index) => keypairFromUri(`//bench//${index}`))
  // The subnet holds its owner's neuron already, so the last registration takes over the uid of the first.
  const validators = hotkeys.slice(1, 1 + VALIDATORS)
  let nonce = 0
  const registrations = hotkeys.map(({ address }) =>
    sign(BOB, nonce++, 'subtensorModule', 'burnedRegister', NETUID, address),
  )
  add(`block with ${NEURONS} registrations`, await cost(() => blockOf(registrations)))
  await blockOf(
    validators.map(({ address }) => sign(BOB, nonce++, 'subtensorModule', 'addStake', address, NETUID, STAKE_RAO)),
  )
  await untilEpoch(arm, () => blockOf([])) // it gives the permits
  await blockOf(validators.map((validator, row) => weights(sign, validator, row)))
  const spent: Cost[] = []
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    let last: Cost = { cpuMs: 0, wallMs: 0 }
    await untilEpoch(arm, async () => {
      last = await cost(() => blockOf([]))
    })
    spent.push(last)
  }
  await mustPay(arm)
  add(`block with an epoch of ${NEURONS} uids, ${VALIDATORS} full rows of weights`, mean(spent))
}

const weights = (sign: Sign, validator: Keypair, row: number): Uint8Array => {
  const uids = Array.from({ length: NEURONS }, (_, uid) => uid).filter((uid) => uid !== row + 2)
  const values = uids.map((uid) => 1 + ((uid * 7_919 + row * 104_729) % 65_535))
  return sign(validator, 0, 'subtensorModule', 'setWeights', NETUID, uids, values, 0)
}

/** Makes blocks until one of them had the subnet's epoch. */
async function untilEpoch(arm: Arm, block: () => Promise<void>): Promise<void> {
  const due = await nextEpoch(arm)
  for (let made = 0; made < 100; made += 1) {
    await block()
    if ((await nextEpoch(arm)) !== due) return
  }
  throw new Error(`no epoch within 100 blocks, though block ${due} is due`)
}

const nextEpoch = async (arm: Arm): Promise<number> => {
  const answer = reader(await arm.call('SubnetInfoRuntimeApi_get_next_epoch_start_block', Uint8Array.of(NETUID, 0)))
  if (answer.u8() !== 1) throw new Error('the subnet has no epochs')
  return Number(answer.u64())
}

/** An epoch over rows that were not accepted would be quick and mean nothing. */
async function mustPay(arm: Arm): Promise<void> {
  const { length } = await arm.call('NeuronInfoRuntimeApi_get_neurons', Uint8Array.of(NETUID, 0))
  if (length < NEURONS * VALIDATORS * 8)
    throw new Error(`the neurons take ${length} bytes, so their weights are not there`)
}

const mean = (costs: readonly Cost[]): Cost => ({
  cpuMs: costs.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / costs.length,
  wallMs: costs.reduce((sum, { wallMs }) => sum + wallMs, 0) / costs.length,
})
