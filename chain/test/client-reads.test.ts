import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Alpha, Block, Hex, NetUid, Uid } from '@arbor/shared/units'
import { compactToU8a } from '@polkadot/util'
import { describe, expect, it } from 'vitest'
import vectors from '../../test/vectors/chain/extrinsics.json' with { type: 'json' }
import module424 from '../../test/vectors/metadata/subtensor-module-424.json' with { type: 'json' }
import { checkCompat } from '../src/client/compat.ts'
import { reportText } from '../src/client/compat-text.ts'
import { encodeCall } from '../src/client/encode.ts'
import { findFailure } from '../src/client/events.ts'
import { readMetagraph } from '../src/client/metagraph.ts'
import { readHyperparameters, readStake, readWeights } from '../src/client/subnet.ts'
import { fixtures, runtimeOf } from './support/fixtures.ts'
import { blake, keyOf, le, readerOf } from './support/reader.ts'

const alice = keypairFromUri('//Alice')
const bob = keypairFromUri('//Bob')
const netuid = 7 as NetUid
const at: Hex = `0x${'00'.repeat(32)}`

/** SCALE of a list. */
const list = (...items: Uint8Array[]): Uint8Array => Buffer.concat([compactToU8a(items.length), ...items])
const compacts = (...values: (bigint | number)[]): Uint8Array => list(...values.map((value) => compactToU8a(value)))
const u16s = (...values: number[]): Uint8Array => list(...values.map((value) => le(value, 2)))
const u64s = (...values: number[]): Uint8Array => list(...values.map((value) => le(value, 8)))
const flags = (...values: number[]): Uint8Array => list(...values.map((value) => Uint8Array.of(value)))

/** A subnet of two neurons, as the bytes that a chain of the given version would hold. */
function subnetOf(spec: number): Map<Hex, Hex> {
  const state = new Map<Hex, Hex>()
  const put = (name: string, value: Uint8Array, ...keys: Uint8Array[]): void =>
    void state.set(keyOf(`SubtensorModule.${name}`, ...keys), toHex(value))
  const own = (name: string, value: Uint8Array): void => put(name, value, le(netuid, 2))
  own('NetworksAdded', Uint8Array.of(1))
  own('SubnetworkN', le(2, 2))
  own('Tempo', le(360, 2))
  own('MaxAllowedUids', le(256, 2))
  own('SubnetOwnerHotkey', alice.publicKey)
  own('Active', flags(1, 0))
  own('LastUpdate', u64s(5, 9))
  own('ValidatorPermit', flags(1, 0))
  own('Incentive', u16s(0, 65_535))
  own('Dividends', u16s(65_535, 0))
  own('Consensus', u16s(0, 32_767))
  own('ValidatorTrust', u16s(65_535, 0))
  own('Emission', u64s(41, 42))
  own('LastMechansimStepBlock', le(11, 8))
  if (spec >= 424) own('LastEpochBlock', le(12, 8))
  if (spec >= 424) own('SubnetEpochIndex', le(3, 8))
  own('WeightsSetRateLimit', le(101, 8))
  own('WeightsVersionKey', le(10_005_000, 8))
  own('MinAllowedWeights', le(3, 2))
  own('MaxAllowedValidators', le(64, 2))
  own('ImmunityPeriod', le(5_000, 2))
  own('CommitRevealWeightsEnabled', Uint8Array.of(1))
  own('NetworkRegistrationAllowed', Uint8Array.of(0))
  own('ServingRateLimit', le(50, 8))
  own('Kappa', le(32_767, 2))
  put('StakeThreshold', le(1_000_000_000_000, 8))
  own('ActivityCutoff', le(5_000, 2))
  own('ActivityCutoffFactorMilli', le(13_889, 4))
  put(
    'Weights',
    list(Buffer.concat([le(0, 2), le(65_535, 2)]), Buffer.concat([le(1, 2), le(9, 2)])),
    le(netuid, 2),
    le(1, 2),
  )
  for (const [uid, { publicKey }] of [alice, bob].entries()) {
    put('Keys', publicKey, le(netuid, 2), le(uid, 2))
    put('BlockAtRegistration', le(uid + 1, 8), le(netuid, 2), le(uid, 2))
    put('Owner', alice.publicKey, blake(publicKey))
    put('TotalHotkeyAlpha', le(1_000 * (uid + 1), 8), blake(publicKey), le(netuid, 2))
  }
  const axon = [le(4, 8), le(6, 4), le(0x7f000002, 16), le(8091, 2), Uint8Array.of(4, 4, 0, 0)]
  put('Axons', Buffer.concat(axon), le(netuid, 2), blake(bob.publicKey))
  return state
}

/** SubnetState as its layout says: netuid, keys, flags, seven lists of compacts, registrations, stakes, history. */
const subnetState = toHex(
  Buffer.concat([
    Uint8Array.of(1),
    compactToU8a(netuid),
    list(alice.publicKey, bob.publicKey),
    list(alice.publicKey, alice.publicKey),
    flags(1, 0),
    flags(1, 0),
    compacts(0, 0), // pruning score
    compacts(5, 9), // last update
    compacts(41, 42), // emission
    compacts(65_535, 0), // dividends
    compacts(0, 65_535), // incentives
    compacts(0, 32_767), // consensus
    compacts(0, 0), // trust
    compacts(0, 0), // rank
    compacts(1, 2), // block at registration
    compacts(1_000, 2_000), // alpha stake
    compacts(0, 0), // tao stake
    compacts(1_500, 2_000), // total stake
    list(compacts(1), compacts(2)), // emission history
  ]),
)
const stakeInfo = toHex(
  Buffer.concat([
    Uint8Array.of(1),
    bob.publicKey,
    alice.publicKey,
    ...[netuid, 77n, 0, 0, 0].map((value) => compactToU8a(value)),
    Uint8Array.of(1),
  ]),
)

describe.each(fixtures)('a subnet read through metadata $spec', ({ spec, file }) => {
  const runtime = runtimeOf(file, spec)
  const reader = readerOf(runtime, subnetOf(spec), {
    SubnetInfoRuntimeApi_get_subnet_state: subnetState,
    StakeInfoRuntimeApi_get_stake_info_for_hotkey_coldkey_netuid: stakeInfo,
  })

  it('metagraph holds every neuron with axon, stakes and shares', async () => {
    const { neurons, ...rest } = await readMetagraph(reader, netuid, { number: 1_000 as Block, hash: at })
    expect(rest).toMatchObject({
      tempo: 360,
      maxUids: 256,
      ownerHotkey: alice.address,
      lastEpochBlock: spec >= 424 ? 12 : 11,
      epochIndex: spec >= 424 ? 3 : 2,
    })
    expect(neurons).toEqual([
      {
        uid: 0,
        hotkey: alice.address,
        coldkey: alice.address,
        registeredAt: 1,
        lastUpdate: 5,
        active: true,
        validatorPermit: true,
        axon: null,
        alphaStake: 1_000n,
        totalStake: 1_500n,
        incentive: 0,
        dividends: 1,
        consensus: 0,
        validatorTrust: 1,
        emission: 41n,
      },
      {
        uid: 1,
        hotkey: bob.address,
        coldkey: alice.address,
        registeredAt: 2,
        lastUpdate: 9,
        active: false,
        validatorPermit: false,
        axon: { ip: '127.0.0.2', port: 8091, version: 6, protocol: 4 },
        alphaStake: 2_000n,
        totalStake: 2_000n,
        incentive: 1,
        dividends: 0,
        consensus: 32_767 / 65_535,
        validatorTrust: 0,
        emission: 42n,
      },
    ])
  })

  it('hyperparameters, weights and stake have their values', async () => {
    expect(await readHyperparameters(reader, netuid, at)).toEqual({
      tempo: 360,
      weightsRateLimit: 101,
      weightsVersion: 10_005_000n,
      minAllowedWeights: 3,
      maxValidators: 64,
      immunityPeriod: 5_000,
      activityCutoff: 5_000,
      commitRevealEnabled: true,
      registrationAllowed: false,
      servingRateLimit: 50,
      kappa: 32_767,
      stakeThreshold: 1_000_000_000_000n,
    })
    expect(await readWeights(reader, { netuid, mechanism: 0, uid: 1 as Uid }, at)).toEqual([
      [0, 65_535],
      [1, 9],
    ])
    const of = { hotkey: bob.address, coldkey: alice.address, netuid }
    expect(await readStake(reader, of, at)).toBe(77n as Alpha)
  })

  it('subnet that does not exist is told from one without neurons', async () => {
    await expect(readHyperparameters(reader, 8 as NetUid, at)).rejects.toMatchObject({ code: 'CHAIN_NO_SUBNET' })
    const block = { number: 1 as Block, hash: at }
    await expect(readMetagraph(reader, 8 as NetUid, block)).rejects.toMatchObject({ code: 'CHAIN_NO_SUBNET' })
  })

  it('calls that have the arguments of the recorded ones encode to the recorded bytes', () => {
    const exact = (value: unknown): unknown =>
      typeof value === 'number'
        ? BigInt(value)
        : Array.isArray(value)
          ? value.map(exact)
          : typeof value === 'object' && value !== null
            ? Object.fromEntries(Object.entries(value).map(([name, field]) => [name, exact(field)]))
            : value
    const same: string[] = []
    for (const { pallet, call, args, call_data } of vectors.cases) {
      if (call === 'set_commitment') continue
      let hex: string
      try {
        hex = encodeCall(runtime, { pallet, call, args: exact(args) as Record<string, unknown> }).toHex()
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^CHAIN_(NO_ITEM|CALL_ARGUMENT)$/) })
        continue
      }
      expect(hex, `${pallet}.${call}`).toBe(call_data)
      same.push(call)
    }
    const always = ['set_weights', 'commit_weights', 'reveal_weights', 'serve_axon', 'burned_register', 'add_stake']
    expect(same).toEqual(expect.arrayContaining([...always, 'remove_stake', 'register_network', 'transfer_keep_alive']))
    if (spec >= 343) {
      const newer = ['set_mechanism_weights', 'commit_timelocked_weights', 'reveal_mechanism_weights', 'start_call']
      expect(same).toEqual(expect.arrayContaining(newer))
    }
  })
})

describe.runIf(fixtures.length === 4)('errors by version', () => {
  const named = (spec: number, index: number): string | undefined => {
    const file = fixtures.find((entry) => entry.spec === spec)?.file ?? ''
    const error = { Module: { index: 7n, error: toHex(Uint8Array.of(index, 0, 0, 0)) } }
    return findFailure(runtimes.get(spec) ?? remember(spec, file), [
      { pallet: 'System', name: 'ExtrinsicFailed', data: { dispatch_error: error } },
    ])?.error
  }
  const runtimes = new Map<number, ReturnType<typeof runtimeOf>>()
  const remember = (spec: number, file: string) => {
    const runtime = runtimeOf(file, spec)
    runtimes.set(spec, runtime)
    return runtime
  }

  it.each([
    ['NotEnoughStakeToSetWeights', 10, 10],
    ['MaxWeightExceeded', 26, 27],
    ['SettingWeightsTooFast', 28, 29],
    ['NoWeightsCommitFound', 50, 51],
    ['CommitRevealEnabled', 52, 53],
    ['RevealTooEarly', 76, 79],
    ['IncorrectCommitRevealVersion', 109, 110],
  ])('%s is %i in spec 343 and %i in 424', (name, in343, in424) => {
    expect(named(343, in343)).toBe(`SubtensorModule.${name}`)
    expect(named(424, in424)).toBe(`SubtensorModule.${name}`)
  })

  it('all of spec 424 are named', () => {
    expect(module424.errors.length).toBeGreaterThan(140)
    for (const { index, name } of module424.errors) expect(named(424, index)).toBe(`SubtensorModule.${name}`)
  })
})

describe.runIf(fixtures.length === 4)('compatibility by version', () => {
  const of = (spec: number) => {
    const runtime = runtimeOf(fixtures.find((entry) => entry.spec === spec)?.file ?? '', spec)
    return checkCompat(runtime)
  }

  it.each([
    [240, ['timelocked', 'mechanisms', 'subnet']],
    [343, []],
    [393, []],
    [424, []],
  ] as const)('spec %i lets a miner and a validator work, and breaks %j', (spec, broken) => {
    const report = of(spec)
    expect(report.broken).toEqual(broken)
    expect(report.ok).toBe(true)
    const text = reportText(report, { all: false })
    expect(text).toContain(`spec version ${spec}`)
    expect(text).toContain('A miner and a validator have all they need.')
  })

  it('report names what is missing, what is done without it, and what to do', () => {
    const text = reportText(of(240), { all: true })
    expect(text).toMatch(/broken {2}timelocked commits of weights: join subnets without/)
    expect(text).toMatch(/missing call SubtensorModule.commit_timelocked_weights\(netuid: u16, commit: bytes/)
    expect(text).toMatch(/absent {2}storage SubtensorModule.LastEpochBlock: LastMechansimStepBlock is read/)
    expect(text).toMatch(/there {3}call SubtensorModule.set_weights\(netuid: u16, dests: Vec<u16>/)
  })
})
