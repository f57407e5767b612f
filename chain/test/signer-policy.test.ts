import { readFileSync } from 'node:fs'
import { fromHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import { createManualClock } from '@arbor/shared/manual-clock'
import { certificateBytes, type SessionPurpose } from '@arbor/shared/protocol/certificate'
import { type TreeHead, treeHeadBytes } from '@arbor/shared/tree-head'
import type { Block, Hex, NetUid, Rao, Ss58, Uid, UnixMs } from '@arbor/shared/units'
import { describe, expect, it } from 'vitest'
import vectors from '../../test/vectors/chain/extrinsics.json' with { type: 'json' }
import signatures from '../../test/vectors/wire/signatures.json' with { type: 'json' }
import {
  addStake,
  batchAll,
  burnedRegister,
  commitWeights,
  registerLimit,
  serveAxon,
  setCommitment,
  setWeights,
  sudo,
  transferKeepAlive,
} from '../src/client/calls.ts'
import type { Call } from '../src/client/types.ts'
import type { Judge, Judgement } from '../src/signer/judge.ts'
import { type Policy, parsePolicy, policyFor, readPolicy } from '../src/signer/policy.ts'
import { createRate } from '../src/signer/rate.ts'
import { RULES } from '../src/signer/rules.ts'
import { openSpendBook } from '../src/signer/spend.ts'
import { fixtures, runtimeOf } from './support/fixtures.ts'
import { alice, codeOf, GENESIS, judgeBy, NOW, never, payloadOf, rao } from './support/signing.ts'

const bob = keypairFromUri('//Bob')
const netuid = 1 as NetUid
const row = [
  [0 as Uid, 1],
  [3 as Uid, 65_535],
] as const
const axon = { ip: '203.0.113.7', port: 8091, version: 2, protocol: 4 }
const sealed = { netuid, mechanism: 0, row, salt: [1, 2], version: 1n, hotkey: alice.address }
const forRole = (role: 'miner' | 'validator'): Policy => policyFor(role, { netuids: [1, 7], speaksBittensor: false })
const spending = parsePolicy({
  netuids: [1],
  extrinsics: {
    calls: ['SubtensorModule.add_stake', 'SubtensorModule.register_limit', 'Balances.transfer_keep_alive'],
    spend: { rao: '1000', windowMs: 3_600_000 },
  },
})
/** Null when it was signed. */
const ruleOf = (judged: Judgement): string | null => (judged.ok ? null : judged.rule)

const pay = transferKeepAlive({ to: bob.address, amount: rao(1n) })
const raw = (name: string): Call => {
  const found = vectors.cases.find(({ pallet, call }) => `${pallet}.${call}` === name)
  if (found === undefined) throw new Error(`no vector of ${name}`)
  return { pallet: found.pallet, call: found.call, args: found.args as Call['args'] }
}

describe.each(fixtures)("policies on calls by spec $spec's metadata", ({ file, spec }) => {
  const runtime = runtimeOf(file, spec)
  const cases: readonly (readonly [role: 'miner' | 'validator', what: string, call: Call, rule: string | null])[] = [
    ['miner', 'serve_axon', serveAxon({ netuid, axon }), null],
    ['miner', 'serve_axon of its other subnet', serveAxon({ netuid: 7 as NetUid, axon }), null],
    ['miner', 'serve_axon of a third', serveAxon({ netuid: 2 as NetUid, axon }), 'netuid'],
    ['miner', 'serve_prometheus', raw('SubtensorModule.serve_prometheus'), null],
    ['miner', 'set_commitment', setCommitment({ netuid, bytes: new Uint8Array(40) }), null],
    ['miner', 'set_weights', setWeights({ netuid, row, version: 1 }), 'call'],
    ['miner', 'a transfer', pay, 'call'],
    ['validator', 'set_weights', setWeights({ netuid, row, version: 1 }), null],
    ['validator', 'commit_weights', commitWeights(sealed), null],
    ['validator', 'serve_axon', serveAxon({ netuid, axon }), null],
    ['validator', 'set_weights elsewhere', setWeights({ netuid: 2 as NetUid, row, version: 1 }), 'netuid'],
    ['validator', 'add_stake', addStake({ hotkey: bob.address, netuid, amount: rao(1n) }), 'call'],
    ['validator', 'burned_register', burnedRegister({ netuid, hotkey: bob.address }), 'call'],
    ['validator', 'transfer_all', raw('Balances.transfer_all'), 'call'],
    ['validator', 'transfer_stake', raw('SubtensorModule.transfer_stake'), 'call'],
    ['validator', 'a batch of what is allowed', batchAll([setWeights({ netuid, row, version: 1 })]), 'nested'],
    ['validator', 'sudo', sudo(setWeights({ netuid, row, version: 1 })), 'nested'],
    ['validator', 'a remark', raw('System.remark'), 'call'],
  ]
  it.each(cases)('%s and %s', async (role, _, call, rule) => {
    const { payload, message } = await payloadOf(runtime, call)
    const judged = await judgeBy({ policy: forRole(role), runtime })(
      { kind: 'extrinsic', hotkey: alice.address, bytes: payload },
      never,
    )
    expect(ruleOf(judged)).toBe(rule)
    expect(judged.about).toMatchObject({ call: `${call.pallet}.${call.call}` })
    if (judged.ok) expect(judged.message).toEqual(message)
  })
})

describe('extrinsics around an allowed call', () => {
  const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)
  const call = setWeights({ netuid, row, version: 1 })
  const judged = async (payload: Uint8Array, by = judgeBy({ policy: forRole('validator'), runtime })) =>
    by({ kind: 'extrinsic', hotkey: alice.address, bytes: payload }, never)

  it('a long payload is signed by its hash, which the signer takes itself', async () => {
    const long = Array.from({ length: 100 }, (_, uid) => [uid as Uid, uid] as const)
    const { payload, message } = await payloadOf(runtime, setWeights({ netuid, row: long, version: 1 }))
    expect([payload.length > 256, message.length]).toEqual([true, 32])
    expect(await judged(payload)).toMatchObject({ ok: true, message })
    expect(ruleOf(await judged(message))).toBe('bytes')
  })

  it('another chain, a longer era, an immortal era and a tip are refused', async () => {
    const other = await payloadOf(runtime, call, { genesisHash: `0x${'11'.repeat(32)}` as Hex })
    expect(ruleOf(await judged(other.payload))).toBe('chain')
    const old = await payloadOf(runtime, call, { eraBlocks: 512 })
    expect(ruleOf(await judged(old.payload))).toBe('era')
    const { payload } = await payloadOf(runtime, call)
    // era (2 bytes), nonce 7 (1), tip 0 (1), mode 0 (1), then what is signed alone: 4 + 4 + 32 + 32 + 1
    const at = payload.length - 73 - 5
    expect([...payload.subarray(at + 2, at + 5)]).toEqual([28, 0, 0])
    const tipped = payload.slice()
    tipped[at + 3] = 4 // one rao
    expect(ruleOf(await judged(tipped))).toBe('tip')
    const immortal = Buffer.concat([payload.subarray(0, at), Buffer.of(0), payload.subarray(at + 2)])
    expect(ruleOf(await judged(immortal))).toBe('era')
    const hashed = payload.slice()
    hashed[at + 4] = 1 // a hash of the metadata, which the signer does not make
    expect(ruleOf(await judged(hashed))).toBe('bytes')
  })

  it('a payload of another version of the code is refused, and signed once the chain runs it', async () => {
    const next = runtimeOf('subtensor-spec424.v16.scale.gz', 425)
    const { payload } = await payloadOf(next, call)
    let running = runtime
    const code = { ...codeOf(runtime), runtime: async () => running }
    const by = judgeBy({ policy: forRole('validator'), runtime, code })
    expect(ruleOf(await judged(payload, by))).toBe('version')
    running = next
    expect(ruleOf(await judged(payload, by))).toBe(null)
  })

  it('a payload that says something else under other metadata is refused there', async () => {
    for (const { file, spec } of fixtures.filter((each) => each.spec !== 424)) {
      const { payload } = await payloadOf(runtimeOf(file, spec), serveAxon({ netuid, axon }))
      // The other runtime states the version that the chain runs: only its names and types differ.
      expect(ruleOf(await judged(payload))).not.toBe(null)
    }
  })

  it('a chain that does not answer is a refusal that may pass', async () => {
    const { payload } = await payloadOf(runtime, call)
    const { unreachable } = await import('../src/client/errors.ts')
    const code = {
      ...codeOf(runtime),
      runtime: () => Promise.reject(unreachable(1_000, [{ url: 'ws://x', cause: '' }])),
    }
    expect(ruleOf(await judged(payload, judgeBy({ policy: forRole('validator'), runtime, code })))).toBe('metadata')
  })

  it('as many as the policy says are judged in a minute, bad ones too', async () => {
    const clock = createManualClock(NOW)
    const policy = parsePolicy({ netuids: [1], extrinsics: { calls: ['SubtensorModule.set_weights'] } })
    const by = judgeBy({ policy, runtime, clock })
    const { payload } = await payloadOf(runtime, call)
    for (let index = 0; index < 6; index += 1) {
      expect(ruleOf(await judged(payload, by))).toBe(null)
      expect(ruleOf(await judged(payload.subarray(1), by))).not.toBe(null)
    }
    expect(ruleOf(await judged(payload, by))).toBe('rate')
    await clock.advance(60_000)
    expect(ruleOf(await judged(payload, by))).toBe(null)
  })
})

describe('spending', () => {
  const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)

  it('what is spent within the window is summed over all calls, and a free signer forgets it later', async () => {
    const clock = createManualClock(NOW)
    const book = openSpendBook({ file: ':memory:', limit: 1_000n as Rao, windowMs: 3_600_000, clock })
    const judge = judgeBy({ policy: spending, runtime, spending: book, clock })
    const ask = async (call: Call) => {
      const { payload } = await payloadOf(runtime, call)
      return judge({ kind: 'extrinsic', hotkey: alice.address, bytes: payload }, never)
    }
    const stake = (amount: bigint) => addStake({ hotkey: alice.address, netuid, amount: rao(amount) })
    expect(await ask(stake(600n))).toMatchObject({ ok: true, about: { rao: '600', netuids: [1] } })
    expect(ruleOf(await ask(stake(401n)))).toBe('spend')
    expect(ruleOf(await ask(registerLimit({ netuid, hotkey: alice.address, limitRao: rao(400n) })))).toBe(null)
    expect(ruleOf(await ask(pay))).toBe('spend')
    expect(book.spent(alice.address)).toBe(1_000n)
    expect(book.spent(bob.address)).toBe(0n)
    await clock.advance(3_600_001)
    expect(ruleOf(await ask(pay))).toBe(null)
    book.close()
  })

  it('without a limit nothing is spent', async () => {
    const free = parsePolicy({ netuids: [1], extrinsics: { calls: ['Balances.transfer_keep_alive'] } })
    const { payload } = await payloadOf(runtime, pay)
    const judged = await judgeBy({ policy: free, runtime })(
      { kind: 'extrinsic', hotkey: alice.address, bytes: payload },
      never,
    )
    expect(ruleOf(judged)).toBe('spend')
  })
})

describe('certificates', () => {
  const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)
  const bytes = (of: {
    purpose?: SessionPurpose
    netuid?: number
    hotkey?: Uint8Array
    genesis?: Hex
    issuedAt?: number
    lifetimeMs?: number
  }) => {
    const issuedAt = of.issuedAt ?? NOW
    return certificateBytes({
      genesisHash: fromHex(of.genesis ?? GENESIS),
      netuid: (of.netuid ?? 1) as NetUid,
      purpose: of.purpose ?? 'serve',
      hotkey: of.hotkey ?? alice.publicKey,
      registeredAt: 12 as Block,
      audience: null,
      signKey: new Uint8Array(32).fill(3),
      sealKey: new Uint8Array(32).fill(4),
      issuedAt: issuedAt as UnixMs,
      expiresAt: (issuedAt + (of.lifetimeMs ?? 3_600_000)) as UnixMs,
    })
  }
  it.each([
    ['of an hour to serve', {}, null],
    ['to ask', { purpose: 'ask' }, 'purpose'],
    ['of another subnet', { netuid: 2 }, 'netuid'],
    ['of another hotkey', { hotkey: bob.publicKey }, 'hotkey'],
    ['of another chain', { genesis: `0x${'11'.repeat(32)}` }, 'chain'],
    ['that lives longer', { lifetimeMs: 3_600_001 }, 'lifetime'],
    ['that no reader takes', { lifetimeMs: 86_400_001 }, 'bytes'],
    ['of the far future', { issuedAt: NOW + 30_001 }, 'time'],
    ['of the past', { issuedAt: NOW - 30_001 }, 'time'],
  ] as const)('a miner gets one %s: %#', async (_, of, rule) => {
    const judge = judgeBy({ policy: forRole('miner'), runtime })
    const message = bytes(of)
    const judged = await judge({ kind: 'certificate', hotkey: alice.address, bytes: message }, never)
    expect(ruleOf(judged)).toBe(rule)
    if (judged.ok) expect(judged.message).toEqual(message)
    // The same bytes are no extrinsic and no request, whatever they are called.
    const policy = policyFor('miner', { netuids: [1], speaksBittensor: true })
    for (const kind of ['extrinsic', 'synapse'] as const)
      expect(ruleOf(await judgeBy({ policy, runtime })({ kind, hotkey: alice.address, bytes: message }, never))).toBe(
        'bytes',
      )
  })
})

describe("requests on Bittensor's wire", () => {
  const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)
  const policy = policyFor('validator', { netuids: [1], speaksBittensor: true })
  const text = (of: { nonce?: string; dendrite?: string; hash?: string; end?: string }) =>
    new TextEncoder().encode(
      `${of.nonce ?? `${NOW}000000`}.${of.dendrite ?? alice.address}.${bob.address}.5f0e2f0a-c6f1-11f0-8a6e-0242ac110002.${of.hash ?? 'ab'.repeat(32)}${of.end ?? ''}`,
    )
  it.each([
    ['as it should be', {}, null],
    ['of another hotkey', { dendrite: bob.address }, 'hotkey'],
    ['of the far future', { nonce: `${NOW + 30_001}000000` }, 'time'],
    ['of a nonce in seconds', { nonce: `${NOW}` }, 'bytes'],
    ['with a short hash', { hash: 'ab'.repeat(31) }, 'bytes'],
    ['with something behind', { end: '\n' }, 'bytes'],
  ] as const)('one %s: %#', async (_, of, rule) => {
    const judge = judgeBy({ policy, runtime })
    expect(ruleOf(await judge({ kind: 'synapse', hotkey: alice.address, bytes: text(of) }, never))).toBe(rule)
  })

  it('none is signed unless the policy speaks of them', async () => {
    const judge = judgeBy({ policy: forRole('validator'), runtime })
    expect(ruleOf(await judge({ kind: 'synapse', hotkey: alice.address, bytes: text({}) }, never))).toBe('purpose')
  })

  it("a text of Bittensor's own client is signed at its time, and no text of another shape", async () => {
    const mine = signatures.cases.filter(({ address, message }) => message.split('.')[1] === address)
    const rules = new Map<string, string | null>()
    for (const { message, address } of mine) {
      const clock = createManualClock(Number(BigInt(message.split('.')[0] ?? '0') / 1_000_000n))
      const judge = judgeBy({ policy, runtime, clock })
      const bytes = new TextEncoder().encode(message)
      rules.set(message, ruleOf(await judge({ kind: 'synapse', hotkey: address as Ss58, bytes }, never)))
    }
    const isWhole = (message: string): boolean => /^\d{19}\..*\.[0-9a-f]{64}$/.test(message)
    expect(rules.size).toBeGreaterThan(2)
    for (const [message, rule] of rules) expect([message, rule]).toEqual([message, isWhole(message) ? null : 'bytes'])
  })
})

describe('heads of a log of receipts', () => {
  const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)
  const policy = forRole('validator')
  const root = (byte: string): Hex => `0x${byte.repeat(32)}`
  const head = (of: Partial<TreeHead> = {}): TreeHead => ({
    genesisHash: GENESIS,
    netuid,
    hotkey: alice.address,
    size: 100,
    root: root('a1'),
    block: 40 as Block,
    ...of,
  })
  const ask = async (judge: Judge, of: Partial<TreeHead>): Promise<string | null> =>
    ruleOf(await judge({ kind: 'head', hotkey: alice.address, bytes: treeHeadBytes(head(of)) }, never))

  it.each([
    ['as it should be', {}, null],
    ['of its other subnet', { netuid: 7 as NetUid }, null],
    ['of a third', { netuid: 2 as NetUid }, 'netuid'],
    ['of another chain', { genesisHash: root('11') }, 'chain'],
    ['of another hotkey', { hotkey: bob.address }, 'hotkey'],
  ] as const)('a validator gets one %s: %#', async (_, of, rule) => {
    expect(await ask(judgeBy({ policy, runtime }), of)).toBe(rule)
    const bytes = treeHeadBytes(head(of))
    const bittensor = policyFor('validator', { netuids: [1], speaksBittensor: true })
    for (const kind of ['extrinsic', 'synapse', 'certificate'] as const)
      expect(ruleOf(await judgeBy({ policy: bittensor, runtime })({ kind, hotkey: alice.address, bytes }, never))).toBe(
        'bytes',
      )
    for (const other of [bytes.subarray(1), Buffer.concat([bytes, Uint8Array.of(0)]), new Uint8Array(0)])
      expect(
        ruleOf(await judgeBy({ policy, runtime })({ kind: 'head', hotkey: alice.address, bytes: other }, never)),
      ).toBe('bytes')
  })

  it('a miner gets none', async () => {
    expect(await ask(judgeBy({ policy: forRole('miner'), runtime }), {})).toBe('purpose')
  })

  it('two histories of one log are never signed, and what was refused counts for none', async () => {
    const judge = judgeBy({ policy, runtime })
    const asked: readonly (readonly [of: Partial<TreeHead>, rule: string | null])[] = [
      [{}, null],
      [{ block: 41 as Block }, null],
      [{ root: root('b2') }, 'history'],
      [{ size: 99, root: root('b2') }, 'history'],
      [{ size: 99, root: root('b2'), netuid: 7 as NetUid }, null],
      [{ size: 120, root: root('c3'), netuid: 2 as NetUid }, 'netuid'],
      [{ size: 101, root: root('c3') }, null],
      [{}, 'history'],
    ]
    for (const [of, rule] of asked) expect([of, await ask(judge, of)]).toEqual([of, rule])
  })

  it('one is not signed that is out of reach of those before, so that no single one stops a log', async () => {
    const judge = judgeBy({ policy, runtime })
    const asked: readonly (readonly [of: Partial<TreeHead>, rule: string | null])[] = [
      [{ size: 2 ** 32 + 1 }, 'history'],
      [{}, null],
      [{ size: 2 ** 32, root: root('b2') }, 'history'],
      [{ size: 100 + 2 ** 20 + 1, root: root('b2') }, 'history'],
      [{ size: 101, root: root('c3') }, null],
      [{ size: 101 + 2 ** 20, root: root('d4') }, null],
      [{ size: 2 ** 32, netuid: 7 as NetUid }, null], // another log's first
    ]
    for (const [of, rule] of asked) expect([of, await ask(judge, of)]).toEqual([of, rule])
  })

  it('as many as the policy says are signed in a minute, and one that was not is none of the history', async () => {
    const judge = judgeBy({ policy: parsePolicy({ netuids: [1], heads: { perMinute: 2 } }), runtime })
    expect(await ask(judge, {})).toBe(null)
    expect(await ask(judge, { size: 101 })).toBe(null)
    expect(await ask(judge, { size: 500, root: root('d4') })).toBe('rate')
    expect(await ask(judge, { size: 102 })).toBe('rate')
  })
})

describe('a policy file', () => {
  it('fails with an unknown key, an unknown call, and what is out of range', () => {
    const read = (file: object) => () => readPolicy(JSON.stringify(file), 'policy.json')
    expect(read({ netuids: [1], certificate: {} })).toThrow(/did you mean "certificates"/)
    expect(read({ netuids: [1], extrinsics: { calls: ['Sudo.sudo'] } })).toThrow(
      expect.objectContaining({ code: 'SIGNER_POLICY' }),
    )
    expect(read({ netuids: [1], extrinsics: { calls: ['SubtensorModule.burned_register'] } })).toThrow(/register_limit/)
    expect(read({ netuids: [1], extrinsics: { calls: ['toString'] } })).toThrow(/cannot allow/)
    expect(read({ netuids: [65_536] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(read({ netuids: [1], extrinsics: { calls: ['SubtensorModule.add_stake'], spend: { rao: 1 } } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
    expect(() => readPolicy('[]', 'policy.json')).toThrow(expect.objectContaining({ code: 'CONFIG_NOT_JSON' }))
  })

  it('is as docs/keys.md shows it, which names every rule', () => {
    const page = readFileSync(new URL('../../docs/keys.md', import.meta.url), 'utf8')
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? []
    expect(readPolicy(example, 'docs/keys.md')).toEqual(JSON.parse(example))
    const [, table = ''] = /\| rule \| what it met \|\n\|---\|---\|\n([\s\S]*?)\n\n/.exec(page) ?? []
    const named = table.split('\n').flatMap((line) => (line.split('|')[1] ?? '').trim().split(', '))
    expect(named.sort()).toEqual(Object.keys(RULES).sort())
  })

  it('names subnets alone and then signs nothing', async () => {
    const runtime = runtimeOf('subtensor-spec424.v16.scale.gz', 424)
    const judge = judgeBy({ policy: parsePolicy({ netuids: [1] }), runtime })
    for (const kind of ['certificate', 'extrinsic', 'synapse', 'head'] as const)
      expect(ruleOf(await judge({ kind, hotkey: alice.address, bytes: new Uint8Array(9) }, never))).toBe('purpose')
  })
})

it('a rate lets exactly as many through as it says in any minute', async () => {
  const clock = createManualClock(NOW)
  const rate = createRate({ perMinute: 3, clock })
  const taken: boolean[] = []
  for (const pause of [0, 20_000, 20_000, 0, 19_999, 1, 0, 20_000]) {
    await clock.advance(pause)
    taken.push(rate.take())
  }
  expect(taken).toEqual([true, true, true, false, false, true, false, true])
})
