// The arm "the runtime" of bench/reveal.ts: pulses and sealed rows in blocks of the shipped blob.
import { keypairFromUri } from '@arbor/shared/keys'
import { developmentSecret } from '../../chain/src/beacon/key.ts'
import { slotOf } from '../../chain/src/embedded/header.ts'
import { reader } from '../../chain/src/embedded/scale.ts'
import { type Pulse, publicKeyOf, signRound } from '../../chain/src/timelock/drand.ts'
import { seal } from '../../chain/src/timelock/seal.ts'
import { ALICE, BOB, createSigner, eventsOf, startTestChain } from '../../chain/test/support/embedded.ts'
import { GENESIS_PATCH } from './chain-genesis.ts'
import { cpuMs } from './history-report.ts'
import { fullRow, randomnessOf } from './reveal-rows.ts'

const NETUID = 1
const NEURONS = 255
/** As many as a block of one second may try to open. */
const COMMITS = 10
/** As many as one call may hold. */
const PULSES = 16
const BLOCKS = 40

const [subnet] = GENESIS_PATCH.subtensorModule.subnets
// Its clock stands still, so that a busy machine does not end a block early; each block is a slot of a second.
const { chain, source } = await startTestChain({
  patch: {
    blockTime: { slotDurationMs: 1_000 },
    subtensorModule: { subnets: [{ ...subnet, commitRevealEnabled: true, tempo: 20 }] },
  },
})
const { sign, tx, registry } = createSigner(chain)
const secret = developmentSecret()
const hotkeys = Array.from({ length: NEURONS }, (_, index) => keypairFromUri(`//bench//${index}`))

/** Makes a block of these extrinsics and tells what it cost. */
const block = async (extrinsics: readonly Uint8Array[] = []): Promise<number> => {
  for (const extrinsic of extrinsics) source.offer(extrinsic)
  const before = cpuMs()
  const { extrinsics: held } = await chain.produce()
  const spent = cpuMs() - before
  if (held.length !== extrinsics.length + 1) throw new Error(`a block holds ${held.length - 1} of ${extrinsics.length}`)
  return spent
}
/** The development beacon has a round a second, and round n is due at second n − 1. */
const roundNow = (): bigint => BigInt(slotOf(chain.best().header) ?? 0) + 1n
const pulsesCall = (pulses: readonly Pulse[]): Uint8Array => {
  const payload = {
    blockNumber: 0,
    pulses: pulses.map(({ round, randomness, signature }) => ({
      round,
      randomness: `0x${Buffer.from(randomness).toString('hex')}`,
      signature: `0x${Buffer.from(signature).toString('hex')}`,
    })),
    public: { Sr25519: ALICE.publicKey },
  }
  const call = tx['drand']?.['writePulse']?.(payload, null)
  return registry.createType('Extrinsic', call, { version: 4 }).toU8a()
}

let nonce = 0
await block(hotkeys.map(({ address }) => sign(BOB, nonce++, 'subtensorModule', 'burnedRegister', NETUID, address)))
const validators = hotkeys.slice(0, COMMITS)
await block(
  validators.map(({ address }) => sign(BOB, nonce++, 'subtensorModule', 'addStake', address, NETUID, 20_000_000_000n)),
)
for (let made = 0; made < BLOCKS; made += 1) await block() // the first epoch gives the permits
/** The first block of the subnet's next epoch. */
const nextEpoch = (): number => {
  const answer = chain.call(
    'SubnetInfoRuntimeApi_get_next_epoch_start_block',
    Uint8Array.of(NETUID, 0),
    chain.best().hash,
  )
  return Number(reader(answer.subarray(1)).u64())
}
// Just after an epoch, so that the commits' pulse comes well before the next one, which opens them.
for (const due = nextEpoch(); nextEpoch() === due; ) await block()
const round = roundNow() + 5n
const sealed = validators.map(({ publicKey }, index) =>
  seal({ publicKey: publicKeyOf(secret) }, round, fullRow(publicKey, NEURONS, index), randomnessOf(index)),
)
await block(
  sealed.map((bytes, index) =>
    sign(
      validators[index] ?? ALICE,
      0,
      'subtensorModule',
      'commitTimelockedWeights',
      NETUID,
      `0x${Buffer.from(bytes).toString('hex')}`,
      round,
      4,
    ),
  ),
)
while (roundNow() < round) await block()
const empty: number[] = []
for (let made = 0; made < 5; made += 1) empty.push(await block())
const one = await block([pulsesCall([signRound(secret, round)])])
let opening: number | null = null
for (let made = 0; made < 2 * BLOCKS && opening === null; made += 1) {
  const spent = await block()
  const opened = eventsOf(chain).filter((name) => name === 'subtensorModule.TimelockedWeightsRevealed').length
  if (opened === COMMITS) opening = spent
  else if (opened > 0) throw new Error(`a block opened ${opened} of ${COMMITS} commits`)
}
if (opening === null) throw new Error('no block opened the commits')
const newest = roundNow()
const later = Array.from({ length: PULSES }, (_, index) => signRound(secret, newest + 1n + BigInt(index)))
while (roundNow() < newest + BigInt(PULSES)) empty.push(await block())
const many = await block([pulsesCall(later)])
await chain.close()
const sorted = empty.sort((a, b) => a - b)
console.log(
  JSON.stringify([
    { what: 'empty block', unit: 'CPU ms', value: sorted[sorted.length >> 1] ?? 0 },
    { what: 'block with a call of 1 pulse', unit: 'CPU ms', value: one },
    { what: `block with a call of ${PULSES} pulses`, unit: 'CPU ms', value: many },
    { what: `block that opens ${COMMITS} rows of ${NEURONS} weights`, unit: 'CPU ms', value: opening },
  ]),
)
