import { hostPort } from '@arbor/chain/address'
import { netUid, type Ss58 } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'
import { addressKind, sameAddress } from '../src/doctor/address-kind.ts'
import { diagnose } from '../src/doctor/diagnose.ts'
import type { Dialled, Met } from '../src/doctor/dial.ts'
import { gather, type Known } from '../src/doctor/facts.ts'
import { listenersAt } from '../src/doctor/listeners.ts'
import type { Outside, Seen } from '../src/doctor/outside.ts'

const HERE = '198.51.101.7' // one that can be routed, of this machine
const ROUTER = '198.51.101.1'
const hotkey = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty' as Ss58
const known = (of: Partial<Known> = {}): Known => ({
  netuid: netUid(1),
  hotkey,
  kind: 'miner',
  doors: [],
  axon: { ip: HERE, port: 8091 },
  announced: { ip: HERE, port: 8091 },
  isFromFlags: false,
  isLocalChain: false,
  port: 8091,
  interfaces: ['127.0.0.1', '::1', HERE, '192.168.1.5'],
  listeners: ['0.0.0.0'],
  ...of,
})
const seen = (of: Partial<Seen> = {}): Outside => ({
  from: 'http://relay:1',
  seen: { address: HERE, port: 8091, connected: true, why: null, certificate: 'right', ms: 12, ...of },
})
/** Gathers with a dialler that meets what the test says at each address, and diagnoses it. */
const examine = async (of: Partial<Known>, met: Record<string, Met>, outside: readonly Outside[] = []) => {
  const dialled: string[] = []
  const dial = async (at: { ip: string; port: number }): Promise<Dialled> => {
    dialled.push(hostPort(at))
    return { ...at, met: met[hostPort(at)] ?? 'refused', detail: 'as the test says', ms: 1 }
  }
  const diagnosis = diagnose(await gather(known(of), { dial, outside: async () => outside }))
  const all = diagnosis.findings.map(
    ({ level, step, message, remedies }) => `${level} ${step}: ${message} → ${remedies.join(' | ')}`,
  )
  return { ...diagnosis, dialled, text: all.join('\n') }
}
const right = { '127.0.0.1:8091': 'right', [`${HERE}:8091`]: 'right' } as const

describe('diagnosis of a miner with an address of its own', () => {
  it('is reachable and not proven when only this machine has dialled it', async () => {
    const { reachable, isProven, text, dialled } = await examine({}, right)
    expect({ reachable, isProven }).toEqual({ reachable: true, isProven: false })
    expect(text).toMatch(
      /ok tried from here: .*a firewall does not stop this machine's own packets, so this is no proof → .*--from/,
    )
    expect(dialled).toEqual(['127.0.0.1:8091', `${HERE}:8091`])
  })

  it('is proven when somebody outside has reached it', async () => {
    const { reachable, isProven, text } = await examine({}, right, [seen()])
    expect({ reachable, isProven }).toEqual({ reachable: true, isProven: true })
    expect(text).toContain('it reached the miner of this hotkey at 198.51.101.7:8091 in 12 ms')
  })

  it('names the rules of the usual firewalls when packets from outside are dropped', async () => {
    const { reachable, text } = await examine({}, right, [
      seen({ connected: false, certificate: null, why: 'timeout', ms: null }),
    ])
    expect(reachable).toBe(false)
    for (const rule of [
      'ufw allow 8091/tcp',
      'iptables -I INPUT -p tcp --dport 8091',
      'nft insert rule',
      'security group',
    ])
      expect(text).toContain(rule)
  })

  it('names the flag when nothing listens', async () => {
    const { reachable, text } = await examine({ listeners: [] }, {})
    expect(reachable).toBe(false)
    expect(text).toContain(`arbor miner --ip 0.0.0.0 --port 8091 --external-ip ${HERE}`)
  })

  it('names the flag when it listens on loopback only', async () => {
    const { reachable, text } = await examine({ listeners: ['127.0.0.2'] }, { '127.0.0.2:8091': 'right' })
    expect(reachable).toBe(false)
    expect(text).toMatch(/bad listening here: it listens on 127.0.0.2 only.*--ip 0.0.0.0/)
  })

  it.each([
    'stranger',
    'silent',
  ] as const)('says how to find the program when the port is held by one that is %s', async (met) => {
    const { reachable, text } = await examine({}, { '127.0.0.1:8091': met, [`${HERE}:8091`]: met })
    expect(reachable).toBe(false)
    expect(text).toMatch(/bad listening here: another program holds port 8091 .*ss -ltnp 'sport = :8091' .*--port N/)
  })

  it('says that it is the wrong hotkey when another miner has the port', async () => {
    const { reachable, text } = await examine(
      {},
      { '127.0.0.1:8091': 'other-hotkey', [`${HERE}:8091`]: 'other-hotkey' },
    )
    expect(reachable).toBe(false)
    expect(text).toMatch(/not the miner of this hotkey.*--wallet and --hotkey/)
  })
})

describe('diagnosis of a miner behind a router', () => {
  const behind = { axon: null, announced: { ip: ROUTER, port: 9000 } }

  it('names the forward, the container flag and the way without a port when nobody gets in', async () => {
    const { reachable, text } = await examine(behind, { '127.0.0.1:8091': 'right', [`${ROUTER}:9000`]: 'dropped' })
    expect(reachable).toBe(false)
    for (const fix of [
      "forward TCP 9000 to this machine's port 8091",
      'docker run -p 9000:8091',
      'arbor miner --dial',
      '--from',
    ])
      expect(text).toContain(fix)
  })

  it('believes outside more than inside when the router sends nothing back in', async () => {
    const { reachable, isProven } = await examine(
      behind,
      { '127.0.0.1:8091': 'right', [`${ROUTER}:9000`]: 'dropped' },
      [seen({ address: ROUTER, port: 9000 })],
    )
    expect({ reachable, isProven }).toEqual({ reachable: true, isProven: true })
  })

  it('names the address to announce when packets come from another one', async () => {
    const announced = { axon: null, announced: { ip: '192.168.1.5', port: 8091 } }
    const { reachable, text } = await examine(announced, { '127.0.0.1:8091': 'right', '192.168.1.5:8091': 'right' }, [
      seen({ address: ROUTER }),
    ])
    expect(reachable).toBe(false)
    expect(text).toContain(`--external-ip ${ROUTER}`)
    expect(text).toMatch(/bad announced: 192.168.1.5 is private/)
  })

  it('knows that a forward ends at another program', async () => {
    const { reachable, text } = await examine(behind, { '127.0.0.1:8091': 'right', [`${ROUTER}:9000`]: 'stranger' })
    expect(reachable).toBe(false)
    expect(text).toMatch(/another program answers at 198.51.101.1:9000 .*--external-ip/)
  })
})

describe('diagnosis of what is announced', () => {
  it.each([
    ['127.0.0.2', 'loopback', /--external-ip/],
    ['10.1.2.3', 'private', /--external-ip/],
    ['100.64.9.9', '100.64.0.0/10', /→ do without an open port: arbor miner --dial validators/],
    ['169.254.1.1', 'link-local', /--external-ip/],
    ['fe80::1', 'link-local', /--external-ip/],
    ['fd00::1', 'private', /--external-ip/],
    ['0.0.0.0', 'no address that can be dialled', /--external-ip/],
    ['203.0.113.5', 'reserved', /--external-ip/],
    ['2002:102:304::1', 'is not dialled by validators', /--external-ip/],
  ])('%s is wrong on a real chain, with what mends it', async (ip, what, fix) => {
    const at = { ip, port: 8091 }
    const { reachable, text } = await examine(
      { axon: at, announced: at },
      { '127.0.0.1:8091': 'right', [hostPort(at)]: 'right' },
    )
    expect(reachable).toBe(false)
    const line = text.split('\n').find((one) => one.startsWith('bad announced')) ?? ''
    expect(line).toContain(what)
    expect(line).toMatch(fix)
  })

  it('loopback is enough for a chain on this machine', async () => {
    const at = { ip: '127.0.0.2', port: 8091 }
    const of = { axon: at, announced: at, isLocalChain: true, listeners: ['127.0.0.2'] }
    expect((await examine(of, { '127.0.0.2:8091': 'right' })).reachable).toBe(true)
  })

  it('nothing is named with the flag and the way without a port', async () => {
    const { reachable, text } = await examine({ axon: null, announced: null }, { '127.0.0.1:8091': 'right' })
    expect(reachable).toBe(false)
    expect(text).toMatch(/announces no address.*--external-ip 198.51.101.7 .*--dial/)
  })

  it('IPv6 is wrong on a machine without IPv6', async () => {
    const at = { ip: '2a00::1', port: 8091 }
    const { text } = await examine(
      { axon: at, announced: at },
      { '127.0.0.1:8091': 'right', '[2a00::1]:8091': 'no-route' },
    )
    expect(text).toMatch(/is IPv6, and this machine has no IPv6 address/)
  })

  it('relay is fine, though nothing listens here and the relay dials in vain', async () => {
    const relay = { ip: ROUTER, port: 9100 }
    const back = seen({ address: HERE, port: 9100, connected: false, certificate: null, why: 'ECONNREFUSED', ms: null })
    const { reachable } = await examine(
      { axon: relay, announced: relay, listeners: [] },
      { [`${ROUTER}:9100`]: 'right' },
      [back],
    )
    expect(reachable).toBe(true)
  })

  it.each([
    ['is reachable when they hold its connection', 'right', true],
    ['is not when they hold none', 'other-hotkey', false],
  ] as const)('miner that dials out to validators %s', async (_, met, isReachable) => {
    const doors = [{ ip: ROUTER, port: 8095 }]
    const { reachable, isProven, text } = await examine(
      { axon: null, announced: null, listeners: [], doors },
      { [`${ROUTER}:8095`]: met },
    )
    expect({ reachable, isProven }).toEqual({ reachable: isReachable, isProven: isReachable })
    expect(text).toMatch(
      isReachable ? /1 of 1 validators that listen hold/ : /none of the 1 .*arbor miner --dial validators/,
    )
  })

  it('validator that listens is told its own flags', async () => {
    const of = { kind: 'listener', listeners: [] } as const
    const { reachable, text } = await examine(of, {})
    expect(reachable).toBe(false)
    expect(text).toContain(`arbor validator --listen 0.0.0.0:8091 --external-ip ${HERE}`)
    expect(text).not.toContain('arbor miner')
    const reached = await examine({ kind: 'listener' }, right, [seen({ certificate: 'none' })])
    expect(reached).toMatchObject({ reachable: true, isProven: true })
  })

  it('try that could not be made is a note, and proves nothing', async () => {
    const failed: Outside = { from: 'http://relay:1', seen: null, why: 'it cannot be reached (ECONNREFUSED)' }
    const { reachable, isProven, text } = await examine({}, right, [failed])
    expect({ reachable, isProven }).toEqual({ reachable: true, isProven: false })
    expect(text).toMatch(/warn tried from outside/)
  })
})

describe('addresses', () => {
  it.each([
    ['8.8.8.8', 'global'],
    ['100.63.255.255', 'global'],
    ['100.64.0.0', 'carrier'],
    ['100.127.255.255', 'carrier'],
    ['100.128.0.0', 'global'],
    ['172.15.0.1', 'global'],
    ['172.31.255.255', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['2a00::1', 'global'],
    ['::', 'unspecified'],
    ['255.255.255.255', 'reserved'],
    ['nonsense', 'reserved'],
  ])('%s is %s', (ip, kind) => expect(addressKind(ip)).toBe(kind))

  it('two writings of one address are the same', () => {
    expect(sameAddress('2a00:0::0001', '2a00::1')).toBe(true)
    expect(sameAddress('::ffff:1.2.3.4', '1.2.3.4')).toBe(true)
    expect(sameAddress('1.2.3.4', '1.2.3.5')).toBe(false)
  })

  it("listeners are read from Linux's tables, and unknown where there are none", () => {
    const head = '  sl  local_address rem_address   st tx_queue rx_queue\n'
    const tables: Record<string, string> = {
      '/proc/net/tcp': `${head}   0: 0200007F:1F9B 00000000:0000 0A 0 0\n   1: 00000000:1F9B 00000000:0000 0A 0 0\n   2: 0100007F:1F9B 0100007F:0050 01 0 0\n   3: 0100007F:1F9C 00000000:0000 0A 0 0\n`,
      '/proc/net/tcp6': `${head}   0: 00000000000000000000000001000000:1F9B 00000000000000000000000000000000:0000 0A 0 0\n   1: 0000000000000000FFFF00000300007F:1F9B 00000000000000000000000000000000:0000 0A 0 0\n`,
    }
    const read = (path: string): string => {
      const text = tables[path]
      if (text === undefined) throw new Error('ENOENT')
      return text
    }
    expect(listenersAt(8091, read)).toEqual(['0.0.0.0', '127.0.0.2', '127.0.0.3', '::1'])
    const none = () => {
      throw new Error('ENOENT')
    }
    expect(listenersAt(8091, none)).toBeNull()
  })
})
