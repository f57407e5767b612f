import type { AxonInfo, Metagraph, Neuron } from '@arbor/chain/client/types'
import { systemClock } from '@arbor/shared/clock'
import { FRAME } from '@arbor/shared/dial/frame'
import type { Alpha, Ss58 } from '@arbor/shared/units'
import { afterEach, describe, expect, test } from 'vitest'
import { createDialling, type DialTargets } from '../../src/dial/dial.ts'
import { type DialLimits, defaultDialLimits } from '../../src/dial/limits.ts'
import { dialArgument } from '../../src/dial/targets.ts'
import { announced } from '../../src/follow.ts'
import type { MinerSettings } from '../../src/miner.ts'
import { bob, depsOf, type PlayedRelay, playRelay } from './support.ts'

let stop = new AbortController()
afterEach(() => {
  stop.abort()
  stop = new AbortController()
})

const quick: DialLimits = { ...defaultDialLimits, firstPauseMs: 10, longestPauseMs: 40, lookMs: 5, replacedMs: 20 }

const dialling = async (
  targets: DialTargets,
  of: {
    readonly neurons?: () => readonly Neuron[]
    readonly validators?: number
    readonly privateAllowed?: boolean
  } = {},
) => {
  const welcomes: (() => void)[] = []
  const created = createDialling({
    ...(await depsOf()),
    targets,
    hotkey: bob.address,
    metagraph: () => ({ neurons: of.neurons?.() ?? [] }) as Metagraph,
    privateAllowed: of.privateAllowed ?? true,
    random: () => 0.5,
    limits: { ...quick, validators: of.validators ?? quick.validators },
    onConnected: () => welcomes.shift()?.(),
  })
  const running = created.run(stop.signal)
  return { created, running, welcomed: () => new Promise<void>((resolve) => welcomes.push(resolve)) }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await systemClock.sleep(2 as never, stop.signal)
}

const listener = (relay: PlayedRelay, of: Partial<Neuron> = {}): Neuron =>
  ({
    hotkey: `5${relay.host}` as Ss58,
    validatorPermit: true,
    totalStake: 1n as Alpha,
    axon: { ip: '127.0.0.1', port: Number(relay.url.port), version: 2, protocol: 5 } satisfies AxonInfo,
    ...of,
  }) as Neuron

describe('miner that dials relays', () => {
  test('announces the first that is connected, and the next when that one is lost', async () => {
    const [first, second] = [await playRelay(), await playRelay()]
    const { created, welcomed } = await dialling([first.url, second.url])
    expect(created.endpoint()).toBe(null)
    const one = welcomed()
    await (await first.dialled()).welcome()
    await one
    const two = welcomed()
    await (await second.dialled()).welcome()
    await two
    const at = (relay: PlayedRelay) => ({ ip: '127.0.0.1', port: Number(relay.url.port) })
    expect([created.connected, created.endpoint()]).toEqual([2, at(first)])
    first.close()
    await until(() => created.connected === 1)
    expect(created.endpoint()).toEqual(at(second))
    second.close()
    await until(() => created.connected === 0)
    expect(created.endpoint()).toEqual(at(second)) // what stands on the chain stays until there is another
  })

  test('announces no relay through which only its validator asks', async () => {
    const relay = await playRelay()
    const { created, welcomed } = await dialling([relay.url])
    const once = welcomed()
    await (await relay.dialled()).welcome({ relays: false })
    await once
    expect([created.connected, created.endpoint()]).toEqual([1, null])
  })

  test('dials again when a relay is lost, refuses it, or is not there yet', async () => {
    const relay = await playRelay()
    const { created } = await dialling([relay.url])
    ;(await relay.dialled()).socket.terminate()
    const refused = await relay.dialled()
    refused.send(FRAME.refused, 0, Buffer.from('RELAY_REPLACED'))
    const again = await relay.dialled()
    relay.close()
    await again.closed
    const back = await playRelay({ port: Number(relay.url.port) })
    await (await back.dialled()).welcome()
    await until(() => created.connected === 1)
  })

  test('ends with its signal', async () => {
    const relay = await playRelay()
    const { running } = await dialling([relay.url])
    const seen = await relay.dialled()
    await seen.welcome()
    stop.abort()
    await running
    await seen.closed
  })
})

describe('miner that dials validators', () => {
  test('follows who listens and holds a permit, the most stake first, and announces nothing', async () => {
    const [rich, poor, late] = [await playRelay(), await playRelay(), await playRelay()]
    const asked: AxonInfo = { ip: '127.0.0.1', port: 1, version: 2, protocol: 4 }
    let neurons: readonly Neuron[] = [
      listener(poor, { totalStake: 5n as Alpha }),
      listener(rich, { totalStake: 9n as Alpha }),
      listener(late, { validatorPermit: false, totalStake: 99n as Alpha }),
      listener(late, { axon: asked, totalStake: 99n as Alpha }),
      listener(late, { axon: null, totalStake: 99n as Alpha }),
      listener(late, { hotkey: bob.address, totalStake: 99n as Alpha }),
    ]
    const { created } = await dialling('validators', { neurons: () => neurons, validators: 2 })
    const held = [await rich.dialled(), await poor.dialled()]
    for (const each of held) await each.welcome()
    await until(() => created.connected === 2)
    expect(created.endpoint()).toBe(null)
    neurons = [...neurons, listener(late, { totalStake: 7n as Alpha })]
    await (await late.dialled()).welcome()
    await held[1]?.closed
    await until(() => created.connected === 2)
  })

  test('dials no private address of a public chain', async () => {
    const relay = await playRelay()
    let looked = 0
    const neurons = () => {
      looked += 1
      return [listener(relay)]
    }
    const { created } = await dialling('validators', { neurons, privateAllowed: false })
    await until(() => looked > 2)
    expect(created.connected).toBe(0)
    const dialled = await Promise.race([relay.dialled(), until(() => looked > 6)])
    expect(dialled).toBe(undefined)
  })
})

describe('what a miner announces', () => {
  test('is where it is reached, but for what its operator says', () => {
    const settings = { externalIp: null, externalPort: null } as MinerSettings
    const at = { ip: '192.0.2.1', port: 8_095 }
    expect(announced(settings, at)).toEqual(at)
    expect(announced({ ...settings, externalPort: 80 }, at)).toEqual({ ip: '192.0.2.1', port: 80 })
    expect(announced({ ...settings, externalIp: '192.0.2.9' }, at)).toEqual({ ip: '192.0.2.9', port: 8_095 })
    expect(announced({ ...settings, externalIp: '192.0.2.9' }, null)).toBe(null)
  })
})

describe('--dial', () => {
  test('reads validators, and URLs with commas between', () => {
    expect(dialArgument('validators')).toBe('validators')
    expect(dialArgument('ws://a:1, wss://b')).toEqual([new URL('ws://a:1'), new URL('wss://b')])
  })

  test.each([
    '',
    'http://a',
    'ws://a/path',
    'ws://user@a',
    'ws://a?x=1',
    'a:1',
    Array.from({ length: 17 }, () => 'ws://a').join(),
  ])('refuses "%s"', (text) => expect(() => dialArgument(text)).toThrow(/relay/))
})
