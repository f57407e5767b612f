import type { AxonInfo, Metagraph, Neuron } from '@arbor/chain/client/types'
import { FRAME } from '@arbor/shared/dial/frame'
import { createLogger } from '@arbor/shared/log'
import type { Block, Blocks } from '@arbor/shared/units'
import { InvalidArgumentError } from 'commander'
import { afterAll, describe, expect, test } from 'vitest'
import { type Listener, openListener } from '../../src/relay/listener.ts'
import { hostArgument, listenArgument } from '../../src/relay/options.ts'
import {
  ask,
  bob,
  dialAs,
  eve,
  genesisHash,
  headBytes,
  netuid,
  questionAt,
  serveSession,
  startAsking,
  until,
} from './support.ts'

const listeners: Listener[] = []
afterAll(() => Promise.all(listeners.map((listener) => listener.close())))

const metagraphAt = (block: number, axon: AxonInfo | null = null): Metagraph =>
  ({
    netuid,
    block: { number: block as Block, hash: '0x00' },
    tempo: 10 as Blocks,
    neurons: [bob, eve].map(({ address }) => ({ hotkey: address, registeredAt: 3 as Block, axon }) as Neuron),
  }) as unknown as Metagraph

const events: Record<string, unknown>[] = []
const open = async (port = 0): Promise<Listener> => {
  const listener = await openListener({
    place: { host: '127.0.0.1', port },
    names: [],
    genesisHash,
    netuid,
    self: eve.publicKey,
    metagraph: metagraphAt(100),
    log: createLogger({
      name: 'test',
      level: 'info',
      destination: { write: (line) => void events.push(JSON.parse(line)) },
    }),
  })
  listeners.push(listener)
  return listener
}

describe('validator that listens', () => {
  test('routes to miners that are connected, at a port of its own machine', async () => {
    const listener = await open()
    expect(listener.route(bob.address)).toBe(null)
    const miner = await dialAs(listener.port, await serveSession())
    await until(() => listener.route(bob.address) !== null)
    const route = listener.route(bob.address)
    expect(route).toMatchObject({ ip: '127.0.0.1', version: 2, protocol: 4 })
    expect(listener.route(eve.address)).toBe(null)
    const { head } = startAsking(route?.port ?? 0)
    const { id } = await questionAt(miner)
    miner.send(FRAME.head, id, headBytes())
    miner.send(FRAME.end, id)
    expect((await head).statusCode).toBe(200)
    expect((await ask(listener.port)).status).toBe(404)
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'relay.joined', hotkey: bob.address, level: 'info' }),
    )
  })

  test('goes on asking a miner that left, for a tempo, unless it has an axon', async () => {
    const listener = await open()
    const miner = await dialAs(listener.port, await serveSession())
    await until(() => listener.route(bob.address) !== null)
    miner.socket.terminate()
    await until(() => events.some(({ event }) => event === 'relay.left'))
    listener.update(metagraphAt(105, { ip: '192.0.2.1', port: 1, version: 2, protocol: 4 }))
    await until(() => listener.route(bob.address) === null)
    listener.update(metagraphAt(110))
    expect(listener.route(bob.address)).not.toBe(null)
    listener.update(metagraphAt(111))
    expect(listener.route(bob.address)).toBe(null)
    listener.update(metagraphAt(105))
    expect(listener.route(bob.address)).toBe(null) // it is forgotten
  })

  test('sends a miner away whose registration is gone', async () => {
    const listener = await open()
    const miner = await dialAs(listener.port, await serveSession())
    listener.update({ ...metagraphAt(101), neurons: [] })
    expect(Buffer.from((await miner.next()).payload).toString()).toBe('RELAY_UNREGISTERED')
  })

  test('says so when its port is in use', async () => {
    const { port } = await open()
    await expect(open(port)).rejects.toMatchObject({ code: 'RELAY_PORT_IN_USE' })
  })

  test('runs until it is told to stop, and tells its miners', async () => {
    const listener = await open()
    const stop = new AbortController()
    const running = listener.run(stop.signal)
    const miner = await dialAs(listener.port, await serveSession())
    stop.abort()
    await running
    await listener.close()
    expect(Buffer.from((await miner.next()).payload).toString()).toBe('RELAY_CLOSING')
  })

  test('ends its run with a reason when the thread has ended', async () => {
    const listener = await open()
    const running = listener.run(new AbortController().signal)
    await listener.close()
    await expect(running).rejects.toMatchObject({ code: 'LISTENER_ENDED' })
  })
})

describe('--listen and --name', () => {
  test('read a port, and an address with a port', () => {
    expect(listenArgument('8096')).toEqual({ host: '0.0.0.0', port: 8_096 })
    expect(listenArgument('192.0.2.1:8096')).toEqual({ host: '192.0.2.1', port: 8_096 })
    expect(listenArgument('[2001:db8::1]:8096')).toEqual({ host: '2001:db8::1', port: 8_096 })
    expect(hostArgument('Relay.example.org:443', ['a:1'])).toEqual(['a:1', 'relay.example.org:443'])
  })

  test.each(['', 'host:8096', '192.0.2.1', '192.0.2.1:70000', '8096x'])('refuse to listen at "%s"', (text) => {
    expect(() => listenArgument(text)).toThrow(InvalidArgumentError)
  })

  test.each(['', 'relay.example.org', 'a:1/path', 'user@a:1', 'a:1x'])('refuse the name "%s"', (text) => {
    expect(() => hostArgument(text, [])).toThrow(InvalidArgumentError)
  })
})
