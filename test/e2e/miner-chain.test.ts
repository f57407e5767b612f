import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { burnedRegister, transferKeepAlive } from '@arbor/chain/client/calls'
import { connectChain } from '@arbor/chain/client/connect'
import { createWallet } from '@arbor/chain/wallet/create'
import { openColdkey } from '@arbor/chain/wallet/open'
import { systemClock } from '@arbor/shared/clock'
import { generateMnemonic, keypairFromUri } from '@arbor/shared/keys'
import { decodeSs58 } from '@arbor/shared/ss58'
import type { Ms, NetUid, Rao } from '@arbor/shared/units'
import { loadSpec } from '@arbor/subnet-spec/load'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requestOf } from '../../miner/test/net.ts'
import { ask, codeOf, meet } from './support/asker.ts'

const netuid = 1 as NetUid
const main = (name: string): string => fileURLToPath(new URL(`../../${name}/src/main.ts`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'arbor-miner-chain-'))
const stop = new AbortController()
const children: ChildProcess[] = []
let url = ''

interface Started {
  readonly child: ChildProcess
  /** Waits for the line with this event; rejects with what was said when the process ends before. */
  readonly event: (name: string) => Promise<Record<string, unknown>>
}

const start = (name: string, args: readonly string[]): Started => {
  const child = spawn(process.execPath, [main(name), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  const lines: string[] = []
  const waiters = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const wake of waiters) wake()
    })
  }
  const event = (wanted: string): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find((line) => line.startsWith('{') && JSON.parse(line).event === wanted)
        if (found !== undefined) resolve(JSON.parse(found))
      }
      waiters.add(look)
      child.once('close', () => reject(new Error(`${name} ended before ${wanted}: ${lines.join('\n')}`)))
      look()
    })
  return { child, event }
}

beforeAll(async () => {
  const ready = await start('chain', ['run', '--dev', '--json', '--port', '0', '--block-time', '500ms']).event(
    'chain.ready',
  )
  url = String(ready.url)
})
afterAll(async () => {
  stop.abort()
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null)
  for (const child of running) child.kill('SIGTERM')
  await Promise.all(running.map((child) => once(child, 'exit')))
  rmSync(folder, { recursive: true, force: true })
})

describe('miner beside a chain process', () => {
  const denied = join(folder, 'denied')
  const args = () => [
    '--network',
    url,
    '--netuid',
    '1',
    '--wallets',
    folder,
    '--wallet',
    'w',
    '--port',
    '0',
    '--spec',
    'inference-tiny',
    '--data',
    join(folder, 'data'),
    '--require-seal',
    '--deny',
    denied,
    '--json',
  ]

  test('says how to register, and once registered serves until it is told to stop', async () => {
    writeFileSync(denied, '')
    const { hotkey } = createWallet({ wallets: folder, wallet: 'w', hotkey: 'default', generateMnemonic })
    await expect(start('miner', args()).event('miner.ready')).rejects.toThrow(
      /MINER_UNREGISTERED: .*arbor register .*--wallet w/,
    )

    const chain = await connectChain({ url, signal: stop.signal, clock: systemClock })
    const coldkey = await openColdkey({ wallets: folder, wallet: 'w' })
    const funds = transferKeepAlive({ to: coldkey.address, amount: 10_000_000_000n as Rao })
    const { signal } = stop
    expect((await chain.submit(funds, { signer: keypairFromUri('//Alice'), signal })).status).toBe('included')
    expect((await chain.submit(burnedRegister({ netuid, hotkey }), { signer: coldkey, signal })).status).toBe(
      'included',
    )

    const signer = keypairFromUri('//Alice//default') // the owner's hotkey, whose first epoch gives it stake and a permit
    const isPermitted = async () =>
      (await chain.metagraph(netuid)).neurons.some((one) => one.hotkey === signer.address && one.validatorPermit)
    while (!(await isPermitted())) await systemClock.sleep(100 as Ms, signal)

    const miner = start('miner', args())
    const ready = await miner.event('miner.ready')
    const { neurons } = await chain.metagraph(netuid)
    const own = neurons.find((neuron) => neuron.hotkey === hotkey)
    expect([ready.uid, ready.url]).toEqual([own?.uid, `http://${own?.axon?.ip}:${own?.axon?.port}`])

    const body = requestOf(await loadSpec('inference-tiny'))
    const asker = await meet(String(ready.url), {
      signer,
      receiver: { address: hotkey, publicKey: decodeSs58(hotkey) },
      genesis: chain.genesisHash,
      registeredAt: neurons.find((neuron) => neuron.hotkey === signer.address)?.registeredAt ?? -1,
    })
    expect(asker.certificate.registeredAt).toBe(own?.registeredAt)
    const reply = await ask(String(ready.url), asker, { body })
    expect([reply.status, reply.isSigned ? null : codeOf(reply)]).toEqual([200, null])
    expect(JSON.parse(reply.text).finish).toBe('length')
    const open = await ask(String(ready.url), asker, { body, isSealed: false })
    expect([open.status, codeOf(open), open.isSigned]).toEqual([426, 'WIRE_SEAL_REQUIRED', true])
    writeFileSync(denied, `${signer.address} # for now\n`)
    await miner.event('miner.list')
    expect(codeOf(await ask(String(ready.url), asker, { body }))).toBe('MINER_DENIED')

    miner.child.kill('SIGTERM')
    const [code] = await once(miner.child, 'exit')
    expect(code).toBe(0)
    await chain.close()
  }, 90_000)
})
