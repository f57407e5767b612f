import { fileURLToPath } from 'node:url'
import { serveAxon } from '@arbor/chain/client/calls'
import { openHotkey } from '@arbor/chain/wallet/open'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Net, netuid, startNet } from '../e2e/support/net.ts'
import { type PythonAxon, startPythonAxon } from './support/axon.ts'
import { describeWith } from './support/pythons.ts'

/** The chain takes no 127.0.0.1. */
const ip = '127.0.0.2'

type Verdicts = readonly { readonly hotkey: string; readonly reason: string; readonly value: number }[]

const spec = fileURLToPath(new URL('./support/python-spec.ts', import.meta.url))

describeWith('bittensor-10.5', '`arbor validator --bittensor` on a chain with a Python miner', ({ python }) => {
  let net: Net
  let axon: PythonAxon
  beforeAll(async () => {
    net = await startNet({ honest: 0, validators: 1, address: 181, others: ['python'] })
    axon = await startPythonAxon({ python, ip, wallet: { folder: net.wallets, name: 'python' } })
    const signer = await openHotkey({ wallets: net.wallets, wallet: 'python', hotkey: 'default' })
    const call = serveAxon({ netuid, axon: { ip, port: axon.port, version: 10_005_000, protocol: 4 } })
    const announced = await net.client.submit(call, { signer, signal: net.signal })
    expect(announced.status).toBe('included')
  }, 120_000)
  afterAll(async () => {
    await axon?.close()
    await net?.close()
  })

  it('asks it, judges its answers, and sets its weight', async () => {
    const { hotkey } = net.member('python')
    expect(axon.hotkey).toBe(hotkey)
    const validator = net.start('validator-1', '--spec', spec, '--bittensor')
    const asked = await validator.event('round.done', (said) => (said.verdicts as Verdicts).length > 0)
    expect(asked.verdicts).toEqual([expect.objectContaining({ hotkey, reason: 'ok', value: 1 })])
    const paid = await net.until(async (metagraph) => {
      const { uid } = net.neuron(net.member('validator-1').hotkey, metagraph)
      const row = await net.client.weights(netuid, uid, metagraph.block.hash)
      return row.length > 0 ? row.map(([of]) => metagraph.neurons.find((each) => each.uid === of)?.hotkey) : undefined
    })
    expect(paid).toEqual([hotkey])
  })
})
