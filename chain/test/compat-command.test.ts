import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@arbor/shared/hex'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { readRuntime } from '../src/client/read-runtime.ts'
import { showCompat } from '../src/compat.ts'
import { createExecutor } from '../src/embedded/runtime/executor.ts'
import { blob } from './support/blob.ts'
import { fixtures, metadataBytes } from './support/fixtures.ts'

const folder = mkdtempSync(join(tmpdir(), 'arbor-compat-'))
const compat = async (bytes: Uint8Array | string, options: { json?: boolean } = {}) => {
  writeFileSync(join(folder, 'metadata'), bytes)
  const said: string[] = []
  const output = { write: (text: string) => said.push(text) }
  const { signal } = new AbortController()
  const context = { signal, env: {}, stdout: output, stderr: output, cwd: folder, homedir: folder }
  const code = await showCompat(context, { metadata: 'metadata', ...options }).then(
    () => 'ok',
    (error) => error.code,
  )
  return { code, out: said.join('') }
}

describe.runIf(fixtures.length === 4)('arbor chain compat on a file', () => {
  const newest = fixtures.length === 4 ? metadataBytes('subtensor-spec424.v16.scale.gz') : new Uint8Array()

  it('reads bytes, hex, quoted hex, and what RPC answers put before them', async () => {
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, newest.length * 4 + 2, true)
    const answer = Buffer.concat([Uint8Array.of(1), length, newest])
    for (const form of [newest, toHex(newest), `"${toHex(newest)}"\n`, answer.subarray(1), answer, toHex(answer)]) {
      const { code, out } = await compat(form)
      expect(code).toBe('ok')
      expect(out).toMatch(/^node-subtensor, spec version 424, metadata V16/)
    }
  })

  it('prints a report that a machine can read', async () => {
    const { out } = await compat(newest, { json: true })
    const report = JSON.parse(out)
    expect(report).toMatchObject({ specName: 'node-subtensor', specVersion: 424, ok: true, broken: [] })
    expect(report.findings).toContainEqual(
      expect.objectContaining({ kind: 'call', name: 'SubtensorModule.serve_axon', status: 'present' }),
    )
  })

  it.each([
    ['nothing', ''],
    ['text', 'hello, world'],
    ['hex of something else', '0xdeadbeef'],
    ['hex with an end that is none', `${toHex(newest.slice(0, 64))}zz`],
    [
      'a number of bytes that its prefix denies',
      newest.length > 0 ? Buffer.from([2, 0, 9, 0, ...newest.slice(0, 99)]) : '',
    ],
    ['another version', Uint8Array.of(0x6d, 0x65, 0x74, 0x61, 13, 0, 0)],
    ['the magic word alone', Uint8Array.of(0x6d, 0x65, 0x74, 0x61)],
  ])('refuses %s and prints no report', async (_, bytes) => {
    expect(await compat(bytes)).toEqual({ code: 'CHAIN_METADATA', out: '' })
  })

  it('refuses a file that is not there', async () => {
    const { signal } = new AbortController()
    const output = { write: () => {} }
    const context = { signal, env: {}, stdout: output, stderr: output, cwd: folder, homedir: folder }
    await expect(showCompat(context, { metadata: 'absent' })).rejects.toMatchObject({ code: 'CHAIN_METADATA' })
  })

  it('refuses metadata that is cut anywhere, and never fails otherwise', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: newest.length - 1 }), (end) => {
        expect(() => readRuntime(newest.slice(0, end), null)).toThrowError(
          expect.objectContaining({ code: 'CHAIN_METADATA' }),
        )
      }),
      { numRuns: 12, seed: 1 },
    )
  })
})

describe('arbor chain compat on V14', () => {
  let old: Uint8Array
  beforeAll(async () => {
    old = (await createExecutor({ wasm: blob() })).call('Metadata_metadata', new Uint8Array())
  })

  it('names the runtime APIs that metadata of that age does not tell', async () => {
    const { code, out } = await compat(old)
    expect(out).toMatch(/^arbor, spec version \d+, metadata V14/)
    expect(out).toContain('absent  api SubnetInfoRuntimeApi.get_subnet_state: stake weights are computed from storage')
    expect(out).toContain('missing api StakeInfoRuntimeApi.get_stake_info_for_hotkey_coldkey_netuid')
    expect(code).toBe('CHAIN_INCOMPATIBLE')
  })
})
