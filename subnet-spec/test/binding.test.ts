import type { Hex, NetUid, Ss58 } from '@arbor/shared/units'
import { expect, test } from 'vitest'
import { bindingOf, bittensorBindingOf } from '../src/binding.ts'

/** Alice, whose public key is d43593c7…. */
const hotkey = '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY' as Ss58
const of = { genesisHash: `0x${'9e'.repeat(32)}` as Hex, netuid: 7 as NetUid, hotkey }
const requestHash = new Uint8Array(32).fill(0xab)
const signedText = `1700000000000000000.5Asker.${hotkey}.uuid.hash`

test('a binding is what hashlib.blake2b(tag + genesis + netuid + public key + request hash, digest_size=32) gives in Python', () => {
  expect(bindingOf({ ...of, requestHash })).toBe('0x8896e2929357f354835355199ebfb055f3d35a35aefb652e80b8ea2d5e66de14')
})

test("a binding on Bittensor's wire is the same over the signed text, under another tag", () => {
  expect(bittensorBindingOf({ ...of, signedText })).toBe(
    '0x897f351c3a3df9ff159989313c312ed8b2392343f9e216bc7014f6b3729449c2',
  )
})

test('a binding differs by chain, subnet, miner and request', () => {
  const bob = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty' as Ss58
  const bindings = [
    { ...of, requestHash },
    { ...of, requestHash, genesisHash: `0x${'9f'.repeat(32)}` as Hex },
    { ...of, requestHash, netuid: 8 as NetUid },
    { ...of, requestHash, hotkey: bob },
    { ...of, requestHash: new Uint8Array(32).fill(0xac) },
  ].map(bindingOf)
  expect(new Set(bindings).size).toBe(bindings.length)
})
