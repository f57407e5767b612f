import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { QUICKNET } from '@arbor/chain/timelock/drand'
import { decodePayload, encodePayload } from '@arbor/chain/timelock/payload'
import { drawSealRandomness } from '@arbor/chain/timelock/randomness'
import { seal, unseal } from '@arbor/chain/timelock/seal'
import { concatBytes } from '@arbor/shared/bytes'
import { fromHex, toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Uid } from '@arbor/shared/units'
import { compactToU8a } from '@polkadot/util'
import { expect, it } from 'vitest'
import vectors from '../vectors/chain/timelock.json' with { type: 'json' }
import { describeWith } from './support/pythons.ts'

const run = promisify(execFile)
const { signature } = vectors.drand
const alice = keypairFromUri('//Alice')
const payload = {
  hotkey: alice.publicKey,
  row: [
    [0 as Uid, 65_535],
    [3 as Uid, 12],
  ],
  version: 10_005_000n,
} as const

describeWith('bittensor-10.5', 'timelock encryption beside bittensor-drand', ({ python }) => {
  const ask = async (code: string, ...words: string[]): Promise<string> =>
    (await run(python, ['-c', `import sys, bittensor_drand as d\n${code}`, ...words])).stdout.trim()

  it('reads what we seal', async () => {
    const random = drawSealRandomness((length) =>
      Uint8Array.from({ length }, (_, index) => (index * 37 + length) & 255),
    )
    const sealed = seal(QUICKNET, 1000n, encodePayload(payload), random)
    const data = concatBytes(compactToU8a(sealed.length), sealed, Uint8Array.of(0xe8, 3, 0, 0, 0, 0, 0, 0))
    const code = 'print(bytes(d.decrypt_with_signature(bytes.fromhex(sys.argv[1]), sys.argv[2])).hex())'
    expect(await ask(code, toHex(data).slice(2), signature)).toBe(toHex(encodePayload(payload)).slice(2))
  })

  it('seals what we read', async () => {
    const plain = toHex(encodePayload(payload)).slice(2)
    const hex = await ask('print(bytes(d.encrypt_at_round(bytes.fromhex(sys.argv[1]), 1000)[0]).hex())', plain)
    const data = fromHex(`0x${hex}`)
    const offset = [1, 2, 4][(data[0] ?? 0) & 3] ?? 0
    const { plain: opened } = unseal(data.slice(offset, -8), { signature: fromHex(`0x${signature}`) })
    expect(decodePayload(opened)).toEqual(payload)
  })
})
