import { describe, expect, test } from 'vitest'
import { hostPort, isLocalChain, refusalOf } from '../src/address.ts'

const allows = (ip: string, privateAllowed: boolean, port = 8091): boolean =>
  refusalOf({ ip, port }, privateAllowed) === null

describe('address policy', () => {
  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::1',
  ])('dials %s of the public internet', (ip) => {
    expect([allows(ip, false), allows(ip, true)]).toEqual([true, true])
  })

  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.1.1',
    '198.18.0.1',
    '203.0.113.9',
    '::1',
    'fe80::1',
    'fd12:3456::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::10.0.0.1',
  ])('dials %s only where private addresses are allowed', (ip) => {
    expect([allows(ip, false), allows(ip, true)]).toEqual([false, true])
  })

  test.each([
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '240.0.0.1',
    '169.254.169.254',
    '100.100.100.200',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    'fd00:ec2::254',
    '::',
    'ff02::1',
    'fe80::1%lo',
    'localhost',
    '1.2.3',
    '',
  ])('never dials %s', (ip) => {
    expect([allows(ip, false), allows(ip, true)]).toEqual([false, false])
  })

  test.each([0, 65_536, 1.5, -1])('never dials port %s', (port) => {
    expect(allows('8.8.8.8', true, port)).toBe(false)
  })

  test.each([
    ['ws://127.0.0.1:9944', true],
    ['ws://[::1]:9944', true],
    ['ws://localhost:9944', true],
    ['ws://chain:9944', true],
    ['ws://10.1.2.3:9944', true],
    ['wss://entrypoint-finney.opentensor.ai:443', false],
    ['ws://8.8.8.8:9944', false],
  ])('takes the chain at %s for a private one: %s', (url, local) => {
    expect(isLocalChain({ url, genesisHash: `0x${'00'.repeat(32)}` })).toBe(local)
  })

  test.each([
    ['finney', '0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03'],
    ['test', '0x8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105'],
  ] as const)("takes Bittensor's network %s for a public one, though its node is our own", (_, genesisHash) => {
    expect(isLocalChain({ url: 'ws://127.0.0.1:9944', genesisHash })).toBe(false)
  })

  test('writes IPv6 in brackets', () => {
    expect([hostPort({ ip: '::1', port: 1 }), hostPort({ ip: '1.2.3.4', port: 2 })]).toEqual(['[::1]:1', '1.2.3.4:2'])
  })
})

describe('a chain with several addresses', () => {
  test.each([
    [['ws://127.0.0.1:9944', 'ws://10.0.0.2:9944'], true],
    [['ws://127.0.0.1:9944', 'wss://chain.example.org'], false],
  ])('%j is local: %s', (urls, local) => {
    expect(isLocalChain({ url: urls[0] ?? '', urls, genesisHash: `0x${'00'.repeat(32)}` })).toBe(local)
  })
})
