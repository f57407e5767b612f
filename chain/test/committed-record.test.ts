import { toHex } from '@arbor/shared/hex'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Hex, NetUid } from '@arbor/shared/units'
import { beforeEach, describe, expect, test } from 'vitest'
import { createRecordKeeper, type RecordKeeper, readRecord, recordOf } from '../src/client/committed-record.ts'
import { noItem } from '../src/client/errors.ts'
import type { Call, ChainClient, Submission, SubmitOptions } from '../src/client/types.ts'

const netuid = 1 as NetUid
const hotkey = { ...keypairFromUri('//Alice'), kind: 'sr25519' } as unknown as Parameters<
  typeof createRecordKeeper
>[0]['hotkey']
const never = new AbortController().signal
const hash: Hex = `0x${'11'.repeat(32)}`
const bytes = (text: string): Uint8Array => Buffer.from(text)
const raw = (text: string) => ({ [`Raw${text.length}`]: toHex(bytes(text)) })
const isA = (field: Uint8Array): boolean => field[0] === 97

/** A chain that holds one record; a test says when what was sent gets into a block. */
const createChain = () => {
  const state = {
    held: null as { block: bigint; info: { fields: readonly unknown[] } } | null,
    epoch: 4n as bigint | null,
    used: null as { last_epoch: bigint; used_space: bigint } | null,
    refuse: null as string | null,
    sent: [] as { fields: readonly unknown[]; include: () => void; finalise: () => void }[],
    isAutomatic: true,
  }
  const chain: Pick<ChainClient, 'read' | 'submit'> = {
    read: async (_, item) => {
      if (item === 'MaxSpace') return 400n
      if (item === 'UsedSpaceOf') return state.used
      if (item !== 'SubnetEpochIndex') return state.held
      if (state.epoch === null) throw noItem('storage item', item, 1)
      return state.epoch
    },
    submit: (call: Call, { onIncluded, waitFor }: SubmitOptions) => {
      const { promise, resolve } = Promise.withResolvers<Submission>()
      const { fields } = call.args.info as { readonly fields: readonly unknown[] }
      const block = { number: 9 as Block, hash }
      const include = (): void => {
        state.held = { block: 9n, info: { fields } }
        onIncluded?.(block)
      }
      const finalise = (): void => resolve({ status: 'finalised', block, hash, events: [] })
      state.sent.push({ fields, include, finalise })
      expect(waitFor).toBe('finalised')
      if (state.refuse !== null) resolve({ status: 'refused', code: 1010, error: state.refuse, retryable: true })
      else if (state.isAutomatic) {
        include()
        finalise()
      }
      return promise
    },
  }
  return { chain, state }
}

let world: ReturnType<typeof createChain>
let keeper: RecordKeeper
beforeEach(() => {
  world = createChain()
  keeper = createRecordKeeper({ chain: world.chain, netuid, hotkey })
})
const set = (...fields: readonly string[]) => keeper.set({ isOwn: isA, fields: fields.map(bytes), signal: never })
const held = (...fields: readonly unknown[]): void => {
  world.state.held = { block: 3n, info: { fields } }
}
const fieldsOf = (): readonly unknown[] => world.state.held?.info.fields ?? []

describe('the keeper of a record', () => {
  test('puts fields in the place of its own, and leaves those of others behind them', async () => {
    held(raw('b1'), raw('a0'), { Sha256: hash })
    expect(await set('a1')).toEqual({ kind: 'set', block: { number: 9, hash }, displaced: 0 })
    expect(fieldsOf()).toEqual([raw('a1'), raw('b1'), { Sha256: hash }])
    await set()
    expect(fieldsOf()).toEqual([raw('b1'), { Sha256: hash }])
  })

  test('says how many fields there was no room for', async () => {
    held(raw('b1'), raw('b2'), raw('b3'))
    expect(await set('a1', 'a2')).toMatchObject({ kind: 'set', displaced: 2 })
    expect(fieldsOf()).toEqual([raw('a1'), raw('a2'), raw('b1')])
  })

  test('keeps nothing that would do something again', async () => {
    held('ResetBondsFlag', { TimelockEncrypted: { encrypted: '0x00', reveal_round: 1n } }, 'None')
    await set('a1')
    expect(fieldsOf()).toEqual([raw('a1')])
  })

  test('lets nobody write over what another one of the process has just set', async () => {
    world.state.isAutomatic = false
    const one = set('a1')
    const other = keeper.set({ isOwn: (field) => field[0] === 98, fields: [bytes('b1')], signal: never })
    await until(() => world.state.sent.length === 1)
    world.state.sent[0]?.include()
    await until(() => world.state.sent.length === 2) // as soon as the first is in a block, and before it is final
    expect(world.state.sent[1]?.fields).toEqual([raw('b1'), raw('a1')])
    world.state.sent[1]?.include()
    for (const { finalise } of world.state.sent) finalise()
    expect([(await one).kind, (await other).kind]).toEqual(['set', 'set'])
    expect(fieldsOf()).toEqual([raw('b1'), raw('a1')])
  })

  test('goes on after one that was refused, failed or given up', async () => {
    world.state.refuse = 'InvalidTransaction.Payment'
    expect(await set('a1')).toEqual({ kind: 'refused', error: 'InvalidTransaction.Payment' })
    world.state.refuse = null
    const stopped = AbortSignal.abort(new Error('too late'))
    await expect(keeper.set({ isOwn: isA, fields: [bytes('a2')], signal: stopped })).rejects.toThrow('too late')
    expect((await set('a3')).kind).toBe('set')
    expect(fieldsOf()).toEqual([raw('a3')])
  })

  test("sends nothing that the chain's space for the epoch does not take", async () => {
    held(raw('b'.repeat(120)))
    world.state.used = { last_epoch: 4n, used_space: 160n }
    expect(await set('a'.repeat(121))).toEqual({ kind: 'no-space' })
    expect(world.state.sent).toEqual([])
    expect((await set('a'.repeat(120))).kind).toBe('set')
    world.state.used = { last_epoch: 3n, used_space: 400n }
    expect((await set('a1')).kind).toBe('set')
    world.state.used = { last_epoch: 4n, used_space: 301n }
    expect((await set('a1')).kind).toBe('no-space') // each record counts for 100 bytes at least
    const of = { isOwn: isA, fields: [bytes('a1')], signal: never }
    expect((await keeper.set({ ...of, epochIndex: 5 })).kind).toBe('set')
    world.state.epoch = null
    expect((await set('a1')).kind).toBe('set')
  })

  test.each([
    ['four fields', ['a', 'a', 'a', 'a']],
    ['a field of 129 bytes', ['a'.repeat(129)]],
  ])('refuses %s', async (_, fields) => {
    await expect(set(...fields)).rejects.toMatchObject({ code: 'CHAIN_RECORD' })
  })

  test('takes no more than so many callers at once', async () => {
    world.state.isAutomatic = false
    const all = Array.from({ length: 16 }, () => set('a1').catch(() => null))
    await expect(set('a1')).rejects.toMatchObject({ code: 'CHAIN_RECORD' })
    for (let index = 0; index < all.length; index += 1) {
      await until(() => world.state.sent.length > index)
      world.state.sent[index]?.include()
      world.state.sent[index]?.finalise()
    }
    await Promise.all(all)
    expect(world.state.sent).toHaveLength(16)
  })
})

describe('a record', () => {
  test('is null where nothing was committed, and holds the plain bytes among its fields', async () => {
    expect(await readRecord({ chain: world.chain, netuid, hotkey: hotkey.address })).toBeNull()
    held(raw('b1'), 'None', { Sha256: hash }, raw(''))
    expect(await readRecord({ chain: world.chain, netuid, hotkey: hotkey.address })).toMatchObject({
      block: 3,
      raw: [Uint8Array.from(bytes('b1')), new Uint8Array()],
    })
    for (const odd of [undefined, 7, 'x', {}, { info: null }, { info: { fields: 'x' } }])
      expect(recordOf(odd)?.raw ?? []).toEqual([])
  })
})

/** Lets promises go on until a check holds. */
async function until(check: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !check(); turn += 1) await Promise.resolve()
  expect(check()).toBe(true)
}
