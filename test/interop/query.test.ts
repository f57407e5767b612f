import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { keypairFromUri } from '@arbor/shared/keys'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type PythonAxon, startPythonAxon } from './support/axon.ts'
import { basics, refusals } from './support/checks.ts'
import { describeWith } from './support/pythons.ts'

/** Runs query.ts as a user does. */
async function query(words: readonly string[]): Promise<{ readonly lines: readonly string[]; readonly code: number }> {
  const script = fileURLToPath(new URL('query.ts', import.meta.url))
  const child = spawn(process.execPath, [script, ...words], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { lines: out.trimEnd().split('\n'), code: code as number }
}

describeWith('bittensor-10.5', 'an axon of bittensor 10.5.0', ({ python }) => {
  let axon: PythonAxon
  beforeAll(async () => {
    axon = await startPythonAxon({ python })
  })
  afterAll(async () => axon?.close())

  it('answers every question of query.ts', async () => {
    expect(axon).toMatchObject({ version: '10.5.0', hotkey: keypairFromUri('//Bob').address })
    const { lines, code } = await query(['127.0.0.1', String(axon.port), axon.hotkey])
    const count = basics.length + refusals.length + 1
    expect(lines.filter((line) => !line.startsWith('PASS '))).toEqual([`${count} passed, 0 failed`])
    expect({ lines: lines.length, code }).toEqual({ lines: count + 1, code: 0 })
  })

  it('verifies nothing that is signed for another hotkey, and query.ts fails', async () => {
    const words = ['127.0.0.1', String(axon.port), keypairFromUri('//Charlie').address, '--only', 'basics']
    const { lines, code } = await query(words)
    expect(lines.at(-1)).toBe(`0 passed, ${basics.length} failed`)
    expect(lines[0]).toContain('401 Not Verified with error: Signature mismatch')
    expect(code).toBe(1)
  })
})

describeWith('bittensor-10.2', 'an axon of bittensor 10.2.0', ({ python }) => {
  let axon: PythonAxon
  beforeAll(async () => {
    axon = await startPythonAxon({ python })
  })
  afterAll(async () => axon?.close())

  it('answers the basic questions of query.ts', async () => {
    expect(axon.version).toBe('10.2.0')
    const { lines, code } = await query(['127.0.0.1', String(axon.port), axon.hotkey, '--only', 'basics'])
    expect(lines.filter((line) => !line.startsWith('PASS '))).toEqual([`${basics.length} passed, 0 failed`])
    expect(code).toBe(0)
  })
})
