import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@arbor/shared/hex'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ALICE, BOB, createSigner, WASM } from './support/embedded.ts'
import { extrinsicHash, startRpcChain } from './support/rpc.ts'
import { upgradedBlob } from './support/upgraded-blob.ts'

/** The same runtime with one call under another name: other code, other metadata, the same version. */
const renamed = (): Uint8Array => {
  const bytes = Buffer.from(WASM)
  const [from, to] = ['remark_with_event', 'remork_with_event']
  let found = bytes.indexOf(from)
  expect(found).toBeGreaterThan(0)
  for (; found >= 0; found = bytes.indexOf(from, found + 1)) bytes.write(to, found, 'latin1')
  return new Uint8Array(bytes)
}
const hex = (text: string): string => Buffer.from(text).toString('hex')
const [OLD, NEW] = [hex('remark_with_event'), hex('remork_with_event')]
const V15 = '0x0f000000'

type Rpc = Awaited<ReturnType<typeof startRpcChain>>

/** Puts code on the chain as //Alice, who is sudo there. */
const setCode = (rpc: Rpc, nonce: number, method: 'setCode' | 'setCodeWithoutChecks', code: Uint8Array): string => {
  const { tx } = createSigner(rpc.chain)
  return toHex(rpc.signer.sign(ALICE, nonce, 'sudo', 'sudo', tx['system']?.[method]?.(toHex(code))))
}

const namesAt = async (rpc: Rpc, hash: string | null): Promise<[string, string]> => {
  const name = (metadata: unknown): string => {
    const text = String(metadata)
    return [text.includes(OLD) ? 'old' : '', text.includes(NEW) ? 'new' : ''].join('')
  }
  return [
    name(await rpc.get('state_getMetadata', hash)),
    name(await rpc.get('state_call', 'Metadata_metadata_at_version', V15, hash)),
  ]
}

describe('a runtime upgrade', () => {
  let data: string
  let rpc: Rpc
  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'arbor-upgrade-'))
    rpc = await startRpcChain({ data })
  })
  afterEach(async () => {
    await rpc.chain.close()
    rmSync(data, { recursive: true })
  })

  test('new code answers from its block on, old code for the blocks before it, also after a restart', async () => {
    const before = await rpc.chain.produce()
    expect(await namesAt(rpc, null)).toEqual(['old', 'old'])
    await rpc.get('author_submitExtrinsic', setCode(rpc, 0, 'setCodeWithoutChecks', renamed()))
    const swap = await rpc.chain.produce()
    const after = await rpc.chain.produce()
    const judge = async (): Promise<void> => {
      expect(await namesAt(rpc, rpc.chain.genesisHash)).toEqual(['old', 'old'])
      expect(await namesAt(rpc, before.hash)).toEqual(['old', 'old'])
      for (const hash of [swap.hash, after.hash, null]) expect(await namesAt(rpc, hash)).toEqual(['new', 'new'])
    }
    await judge()
    await rpc.chain.close()
    rpc = await startRpcChain({ data })
    await judge()
    expect(rpc.chain.best().hash).toBe(after.hash)
    await rpc.get('author_submitExtrinsic', rpc.transfer(ALICE, 1))
    const { extrinsics } = await rpc.chain.produce()
    expect(extrinsics.length).toBe(2)
    expect(await namesAt(rpc, null)).toEqual(['new', 'new'])
  })

  test('a new version is told to who listens, and what was signed for the old one is invalid from then on', async () => {
    const told = await rpc.get('state_subscribeRuntimeVersion')
    const before = (await rpc.get('state_getRuntimeVersion')) as { specVersion: number }
    const specVersion = before.specVersion + 1
    const waiting = await rpc.get('author_submitAndWatchExtrinsic', rpc.transfer(BOB, 1))
    await rpc.get('author_submitExtrinsic', setCode(rpc, 0, 'setCode', upgradedBlob({ specVersion })))
    await rpc.chain.produce()
    const after = { ...before, specVersion }
    expect(rpc.heard(told)).toEqual([before, after])
    expect(await rpc.get('state_getRuntimeVersion')).toEqual(after)
    expect(await rpc.get('state_getRuntimeVersion', rpc.chain.genesisHash)).toEqual(before)
    expect(rpc.heard(waiting)).toEqual(['future', 'invalid'])
    expect((await rpc.ask('author_submitExtrinsic', rpc.transfer(ALICE, 1))).error).toMatchObject({
      code: 1010,
      data: 'Transaction has a bad signature',
    })
    const resigned = createSigner(rpc.chain).sign(ALICE, 1, 'balances', 'transferKeepAlive', BOB.address, 5n)
    await rpc.get('author_submitExtrinsic', toHex(resigned))
    expect((await rpc.chain.produce()).extrinsics.map(toHex)).toContain(toHex(resigned))
    await rpc.chain.produce()
    expect(rpc.heard(told).length).toBe(2)
  })

  test('an upgrade that a reorganisation takes back is taken back', async () => {
    const open = await startRpcChain({ finality: 'manual' })
    const hexOfUpgrade = setCode(open, 0, 'setCodeWithoutChecks', renamed())
    const id = await open.get('author_submitAndWatchExtrinsic', hexOfUpgrade)
    const swap = await open.chain.produce()
    expect(await namesAt(open, null)).toEqual(['new', 'new'])
    open.chain.reorg(1)
    expect(open.heard(id)).toEqual(['ready', { inBlock: swap.hash }, { retracted: swap.hash }, 'ready'])
    expect(await namesAt(open, null)).toEqual(['old', 'old'])
    expect(await open.get('author_pendingExtrinsics')).toEqual([hexOfUpgrade])
    const again = await open.chain.produce()
    expect(open.heard(id).at(-1)).toEqual({ inBlock: again.hash })
    expect(again.extrinsics.some((bytes) => extrinsicHash(toHex(bytes)) === extrinsicHash(hexOfUpgrade))).toBe(true)
    expect(await namesAt(open, null)).toEqual(['new', 'new'])
    expect(await namesAt(open, swap.hash)).toEqual(['new', 'new'])
    await open.chain.close()
  })

  test('code that cannot run is refused, and the chain goes on', async () => {
    const wrong = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)
    await rpc.get('author_submitExtrinsic', setCode(rpc, 0, 'setCode', wrong))
    const before = await rpc.get('state_getStorageHash', '0x3a636f6465')
    await rpc.chain.produce()
    expect(await rpc.get('state_getStorageHash', '0x3a636f6465')).toBe(before)
    expect((await rpc.chain.produce()).header.number).toBe(2)
  })
})
