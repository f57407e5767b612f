import { SubnetError } from '@arbor/shared/errors'
import { fromHex, toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Hex, NetUid, Rao, Ss58, Uid } from '@arbor/shared/units'
import { verifySignature } from '@arbor/shared/verify-signature'
import { describe, expect, it } from 'vitest'
import vectors from '../../test/vectors/chain/extrinsics.json' with { type: 'json' }
import {
  addStake,
  batchAll,
  burnedRegister,
  ipNumber,
  ipText,
  serveAxon,
  setCommitment,
  setWeights,
  sudo,
  transferKeepAlive,
} from '../src/client/calls.ts'
import { encodeCall } from '../src/client/encode.ts'
import { findFailure } from '../src/client/events.ts'
import { toPlain } from '../src/client/plain.ts'
import { decodeStorage, findRuntimeApi, storageItem, storageKey } from '../src/client/runtime.ts'
import { signCall } from '../src/client/sign.ts'
import { fixtures, runtimeOf } from './support/fixtures.ts'

const BOB = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty' as Ss58
const ALICE = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' as Ss58
const netuid = 1 as NetUid

/** JSON keeps u64 as numbers; 2^63 and its like must not pass through a double. */
const exact = (value: unknown): unknown => {
  if (typeof value === 'number') return BigInt(value)
  if (Array.isArray(value)) return value.map(exact)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, exact(field)]))
  return value
}

describe.runIf(fixtures.some(({ spec }) => spec === 343))('extrinsics of bittensor 10.5.0 on metadata 343', () => {
  const runtime = runtimeOf('subtensor-spec343.v15.scale.gz', vectors.spec_version)

  // The reference writes set_commitment's list in a shape of its own; our call value is compared with its bytes below.
  const plain = vectors.cases.filter(({ call }) => call !== 'set_commitment')
  it.each(
    plain.map((entry) => [`${entry.pallet}.${entry.call}`, entry] as const),
  )('%s encodes to the same bytes', (_, entry) => {
    const call = encodeCall(runtime, {
      pallet: entry.pallet,
      call: entry.call,
      args: exact(entry.args) as Record<string, unknown>,
    })
    expect(call.toHex()).toBe(entry.call_data)
  })

  it.each(
    vectors.cases
      .filter((entry) => entry.signed_extrinsic_mortal)
      .map((entry) => [`${entry.pallet}.${entry.call}`, entry] as const),
  )('%s is signed over the same payload and framed alike', async (_, entry) => {
    const theirs = fromHex(entry.signed_extrinsic_mortal ?? '')
    const alice = keypairFromUri('//Alice')
    const at = Buffer.from(theirs).indexOf(Buffer.from(alice.publicKey)) + 33
    const signature = theirs.slice(at, at + 64)
    const payloads: Uint8Array[] = []
    const signed = await signCall({
      runtime,
      call: { pallet: entry.pallet, call: entry.call, args: exact(entry.args) as Record<string, unknown> },
      signer: {
        ...alice,
        sign: (message) => {
          payloads.push(message)
          return signature
        },
      },
      nonce: 3,
      genesisHash: vectors.genesis_hash as Hex,
      birth: { number: 510 as Block, hash: vectors.birth_block_hash_mortal as Hex },
      eraBlocks: 128,
    })
    expect(verifySignature(alice.publicKey, payloads[0] ?? new Uint8Array(), signature)).toBe(true)
    expect(signed).toEqual({ hex: entry.signed_extrinsic_mortal, hash: entry.extrinsic_hash_mortal, lastBlock: 638 })
  })

  it('our call values encode to the same bytes as the reference', () => {
    const byName = (name: string) => vectors.cases.find(({ pallet, call }) => `${pallet}.${call}` === name)?.call_data
    const row = [
      [0 as Uid, 32_767],
      [1 as Uid, 65_535],
    ] as const
    expect(encodeCall(runtime, setWeights({ netuid, row, version: 10_005_000n })).toHex()).toBe(
      byName('SubtensorModule.set_weights'),
    )
    const axon = { ip: '127.0.0.1', port: 8091, version: 10_005_000, protocol: 4 }
    expect(encodeCall(runtime, serveAxon({ netuid, axon })).toHex()).toBe(byName('SubtensorModule.serve_axon'))
    expect(encodeCall(runtime, burnedRegister({ netuid, hotkey: BOB })).toHex()).toBe(
      byName('SubtensorModule.burned_register'),
    )
    expect(encodeCall(runtime, addStake({ netuid, hotkey: BOB, amount: 1_000_000_000n as Rao })).toHex()).toBe(
      byName('SubtensorModule.add_stake'),
    )
    expect(encodeCall(runtime, transferKeepAlive({ to: BOB, amount: 1_000_000_000n as Rao })).toHex()).toBe(
      byName('Balances.transfer_keep_alive'),
    )
    expect(encodeCall(runtime, setCommitment({ netuid, bytes: new TextEncoder().encode('hello') })).toHex()).toBe(
      byName('Commitments.set_commitment'),
    )
  })

  it('storage keys are those that the SDK asks for', () => {
    const key = (item: string, keys: unknown[]) => storageKey(storageItem(runtime, 'SubtensorModule', item), keys)
    expect(key('Uids', [1, ALICE])).toMatch(
      /^0x658faa385070e074c85bf6b568cf0555aab1b4e78e1ea8305462ee53b3686dc80100de1e86a9a8c739864cf3cc5ec2bea59fd43593c7/,
    )
    expect(key('NetworksAdded', [1])).toMatch(/^0x658faa385070e074c85bf6b568cf0555[0-9a-f]{32}0100$/)
  })
})

describe.each(fixtures)('metadata of spec version $spec', ({ spec, file }) => {
  const runtime = runtimeOf(file, spec)

  it('default of every storage item decodes and encodes back', () => {
    const wrong: string[] = []
    let items = 0
    for (const section of Object.values(runtime.decorated.query)) {
      for (const entry of Object.values(section)) {
        if (entry.meta.modifier.isOptional || !('type' in entry.meta) || entry.meta.fallback.length === 0) continue
        items += 1
        const bytes = entry.meta.fallback.toU8a(true)
        const value = decodeStorage(runtime, entry, null)
        toPlain(value)
        if (Buffer.compare(Buffer.from(value?.toU8a() ?? []), Buffer.from(bytes)) !== 0)
          wrong.push(`${entry.prefix}.${entry.method}`)
      }
    }
    expect(items).toBeGreaterThan(100)
    expect(wrong).toEqual([])
  })

  it('netuid is a number to us whether it is a u16 or a type of its own', () => {
    const call = encodeCall(runtime, burnedRegister({ netuid: 513 as NetUid, hotkey: BOB }))
    expect(call.toHex()).toBe(`0x07070102${Buffer.from(keypairFromUri('//Bob').publicKey).toString('hex')}`)
    expect(storageKey(storageItem(runtime, 'SubtensorModule', 'Tempo'), [513])).toMatch(/0102$/)
    const api = findRuntimeApi(runtime, 'SubnetInfoRuntimeApi', 'get_subnet_state')
    expect(api === null).toBe(false)
    expect(
      toPlain(decodeStorage(runtime, storageItem(runtime, 'SubtensorModule', 'Weights'), '0x080000ffff0100ff7f')),
    ).toEqual([
      [0n, 65_535n],
      [1n, 32_767n],
    ])
  })

  it('error of a dispatch is named with its documentation, in sudo and batches as well', () => {
    const pallet = runtime.metadata.asLatest.pallets.find((entry) => entry.name.eq('SubtensorModule'))
    const variant = runtime.decorated.errors.subtensorModule?.NotEnoughStakeToSetWeights?.meta.index.toNumber() ?? 0
    const error = {
      Module: { index: BigInt(pallet?.index.toNumber() ?? 0), error: toHex(Uint8Array.of(variant, 0, 0, 0)) },
    }
    const named = { error: 'SubtensorModule.NotEnoughStakeToSetWeights', docs: expect.stringMatching(/stake/i) }
    const ok = { pallet: 'System', name: 'ExtrinsicSuccess', data: {} }
    expect(
      findFailure(runtime, [{ pallet: 'System', name: 'ExtrinsicFailed', data: { dispatch_error: error } }]),
    ).toEqual(named)
    expect(
      findFailure(runtime, [{ pallet: 'Sudo', name: 'Sudid', data: { sudo_result: { Err: error } } }, ok]),
    ).toEqual(named)
    expect(
      findFailure(runtime, [{ pallet: 'Utility', name: 'BatchInterrupted', data: { index: 1n, error } }, ok]),
    ).toEqual(named)
    expect(findFailure(runtime, [{ pallet: 'Sudo', name: 'Sudid', data: { sudo_result: 'Ok' } }, ok])).toBeNull()
    expect(
      findFailure(runtime, [{ pallet: 'System', name: 'ExtrinsicFailed', data: { dispatch_error: 'BadOrigin' } }])
        ?.error,
    ).toBe('BadOrigin')
  })

  it('nested calls encode and wrong arguments are refused by name', () => {
    const inner = burnedRegister({ netuid, hotkey: BOB })
    const bytes = encodeCall(runtime, inner).toHex().slice(2)
    expect(encodeCall(runtime, sudo(inner)).toHex()).toBe(`0x0c00${bytes}`)
    expect(encodeCall(runtime, batchAll([inner, inner])).toHex()).toBe(`0x0b0208${bytes}${bytes}`)
    const refused = (args: Record<string, unknown>, call = 'burned_register') => {
      try {
        encodeCall(runtime, { pallet: 'SubtensorModule', call, args })
      } catch (error) {
        return error instanceof SubnetError ? `${error.code} ${error.message}` : String(error)
      }
      return 'accepted'
    }
    expect(refused({ netuid: 1 })).toMatch(/^CHAIN_CALL_ARGUMENT argument hotkey .* is missing/)
    expect(refused({ netuid: 1, hotkey: BOB, hotKey: BOB })).toMatch(
      /^CHAIN_CALL_ARGUMENT argument hotKey .* is unknown/,
    )
    expect(refused({ netuid: 70_000, hotkey: BOB })).toMatch(/^CHAIN_CALL_ARGUMENT .*burned_register/)
    expect(refused({ netuid: 1, hotkey: 'nobody' })).toMatch(/^CHAIN_CALL_ARGUMENT/)
    expect(refused({}, 'no_such_call')).toMatch(/^CHAIN_NO_ITEM .*SubtensorModule.no_such_call/)
  })
})

describe('addresses of axons', () => {
  it.each([
    ['127.0.0.2', 4, 0x7f000002n],
    ['255.255.255.255', 4, 0xffffffffn],
    ['0:0:0:0:0:0:0:1', 6, 1n],
    ['2001:db8:0:0:0:0:0:5', 6, 0x20010db8000000000000000000000005n],
  ])('%s is the same after a trip through the chain', (ip, type, value) => {
    expect(ipNumber(ip)).toEqual({ value, type })
    expect(ipText(value, type)).toBe(ip)
  })

  it('short IPv6 text is read', () => {
    expect(ipNumber('2001:db8::5').value).toBe(0x20010db8000000000000000000000005n)
  })
})
