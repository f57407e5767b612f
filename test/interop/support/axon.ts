import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Ss58 } from '@arbor/shared/units'

/** Bittensor's own axon in a process of its own, on a free port of 127.0.0.1. */
export interface PythonAxon {
  readonly port: number
  readonly hotkey: Ss58
  readonly version: string
  close(): Promise<void>
}

/**
 * Starts the axon of test/interop/python/axon.py, which serves the synapses of the table in docs/bittensor.md.
 * @throws with what Python said when it does not come up
 */
export async function startPythonAxon(of: {
  readonly python: string
  readonly uri?: string
  readonly ip?: string
  /** In place of the URI: a wallet's default hotkey. */
  readonly wallet?: { readonly folder: string; readonly name: string }
}): Promise<PythonAxon> {
  const home = await mkdtemp(join(tmpdir(), 'arbor-axon-'))
  const script = fileURLToPath(new URL('../python/axon.py', import.meta.url))
  const { wallet, uri = '//Bob', ip = '127.0.0.1' } = of
  const keyWords = wallet === undefined ? ['--uri', uri] : ['--wallets', wallet.folder, '--wallet', wallet.name]
  const child = spawn(of.python, ['-u', script, '--ip', ip, ...keyWords], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, BT_LOGGING_INFO: '0', BT_LOGGING_RECORD_LOG: '0', NO_PROXY: '*' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const gone = once(child, 'close')
  const said: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line)
    if (said.length > 50) said.shift()
  })
  child.stdin.on('error', () => {}) // it went by itself; `gone` tells
  const close = async (): Promise<void> => {
    child.stdin.end()
    const kill = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await gone
    clearTimeout(kill)
    await rm(home, { recursive: true, force: true })
  }
  const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  if (done) {
    await close()
    throw new Error(`the Python axon did not come up:\n${said.join('\n')}`)
  }
  const { port, hotkey, version } = JSON.parse(value) as { port: number; hotkey: Ss58; version: string }
  return { port, hotkey, version, close }
}
