import { pieceAt, piecesOf, verifyPiece } from '@arbor/shared/blob'
import { SubnetError } from '@arbor/shared/errors'
import { bytesToFloats } from '@arbor/shared/floats'
import { fromHex } from '@arbor/shared/hex'
import type { Block, Hex, Uid } from '@arbor/shared/units'
import { trainingAttackOf } from '@arbor/subnet-spec/finetune/attacks/list'
import { readState, verifyState } from '@arbor/subnet-spec/finetune/states'
import { decodeUpdate, readUpdate } from '@arbor/subnet-spec/finetune/update'
import { afterEach, describe, expect, test } from 'vitest'
import { serviceOf } from '../../src/training/serving.ts'
import {
  AGAIN_MS,
  checkpointAt,
  folderFor,
  hotkey,
  netuid,
  onChain,
  openHarness,
  other,
  phasesAt,
  quadraticTrainer,
  SIZE,
  terms,
  until,
} from './harness.ts'

const cleanups: (() => void)[] = []
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  for (const cleanup of cleanups.splice(0)) cleanup()
})
const open = (of: Partial<Parameters<typeof openHarness>[0]> = {}): ReturnType<typeof openHarness> => {
  const harness = openHarness({ folder: folderFor(cleanups), ...of })
  let killed = false
  const kill = async (): Promise<void> => {
    if (killed) return
    killed = true
    await harness.kill()
  }
  stops.push(kill)
  return { ...harness, kill }
}
type Harness = ReturnType<typeof open>

const trained = async (miner: Harness, round: number): Promise<void> => {
  await miner.start(round)
  await until(() => miner.committed.some((each) => each.round === round))
}
const fetched = async ({ pieces }: Harness, name: Hex, bytes: number): Promise<Uint8Array> => {
  const parts: Buffer[] = []
  for (let index = 0; index < piecesOf(bytes); index += 1) {
    const answer = await pieces.piece({ name, index })
    const piece = Buffer.from(answer.bytes, 'base64')
    expect(verifyPiece({ name, bytes, index, piece, proof: answer.proof.map((hash) => fromHex(hash)) })).toBe(true)
    parts.push(piece)
  }
  return Buffer.concat(parts)
}

const rejection = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

describe('a training miner', () => {
  test('trains, commits, and serves its update and each state piece by piece when nobody can copy it any more', async () => {
    const miner = open()
    await trained(miner, 7)
    const [commitment] = miner.committed
    if (commitment === undefined) throw new Error('nothing was committed')
    const { name, bytes } = commitment
    const base = checkpointAt(7).hash
    expect(commitment).toEqual({ round: 7, name, bytes, base: base.slice(0, 18), url: '' })
    await expect(miner.pieces.piece({ name, index: 0 })).rejects.toMatchObject({ code: 'MINER_NO_PIECE' })
    await miner.publish(7)
    const file = await fetched(miner, name, bytes)
    const expected = { netuid, round: 7, hotkey, base, optimiser: 'sparseloco', size: SIZE } as const
    const maxBytes = terms.limits.updateBytes
    const { update } = readUpdate({ file, maxBytes, expected, optimiser: miner.deps.optimiser })
    for (let index = 0; index <= 3; index += 1) {
      const row = await miner.pieces.piece({ name: update.head.states, index })
      const raw = Buffer.from(row.bytes, 'base64')
      const proof = row.proof.map((hash) => fromHex(hash))
      const state = verifyState({ root: update.head.states, segments: 3, index, bytes: raw, proof })
      expect(state).toMatchObject({ steps: 2 * index, step: 2 * index })
      const params = bytesToFloats(await fetched(miner, readState(raw)?.params ?? name, 4 * SIZE))
      if (index === 0) expect(params).toEqual(checkpointAt(7).checkpoint.params)
    }
    await expect(miner.pieces.piece({ name: update.head.states, index: 4 })).rejects.toMatchObject({
      code: 'MINER_NO_PIECE',
    })
    expect(miner.events('training.committed')).toMatchObject([
      { round: 7, base, update: name, bytes, steps: 6, tokens: 6 * 2 * 8, loss: expect.any(Number) },
    ])
  })

  test('goes on with the moments and the carried error of its last committed round, and zeros before', async () => {
    const miner = open()
    await trained(miner, 1)
    await miner.publish(1)
    await miner.start(2, true) // too late for this one
    await miner.publish(2)
    await trained(miner, 3)
    const [first, third] = [miner.journal.round(1), miner.journal.round(3)]
    const last = first?.states.at(-1)
    expect(third?.states[0]).toMatchObject({
      first: last?.first,
      second: last?.second,
      carried: first?.update?.carried,
      steps: 6,
    })
    expect(third?.states.at(-1)?.steps).toBe(12)
    const names = miner.journal.names()
    for (const name of names) expect(miner.store.has(name)).toBe(true)
    await trained(miner, 4)
    await trained(miner, 5)
    expect(miner.journal.round(1)).toBeNull()
    expect([...names].filter((name) => miner.store.has(name) && !miner.journal.names().has(name))).toEqual([])
  })

  test('serves the last round beside this one, and no older one', async () => {
    const miner = open()
    for (const round of [1, 2, 3]) {
      await trained(miner, round)
      await miner.publish(round)
    }
    const names = miner.committed.map(({ name }) => name)
    expect(names.map((name) => miner.pieces.find(name)?.of ?? null)).toEqual([null, 'update', 'update'])
  })

  test('comes to the same bytes when it is killed in the middle of a round, and trains what is left only', async () => {
    const calm = open()
    await trained(calm, 5)
    const folder = folderFor(cleanups)
    const gate = Promise.withResolvers<void>()
    const killed = open({
      folder,
      trainer: quadraticTrainer({ beforeStep: (pass) => (pass === 5 ? gate.promise : Promise.resolve()) }),
    })
    await killed.start(5)
    await until(() => killed.progress.step === 5)
    const dying = killed.kill()
    gate.reject(new Error('killed'))
    await dying
    expect(killed.committed).toEqual([])
    let passes = 0
    const again = open({
      folder,
      trainer: quadraticTrainer({
        beforeStep: async () => {
          passes += 1
        },
      }),
    })
    await trained(again, 5)
    expect(again.events('training.round')).toMatchObject([{ resumedAt: 4 }])
    expect(passes).toBe(2)
    expect(again.committed).toEqual(calm.committed)
  })

  test('serves the same bytes again when it is killed after the commitment, whether or not it saw it included', async () => {
    for (const sawIt of [true, false]) {
      const folder = folderFor(cleanups)
      const first = open({ folder, commit: async (_, signal) => (sawIt ? (52 as Block) : rejection(signal)) })
      await trained(first, 5)
      const [commitment] = first.committed
      if (commitment === undefined) throw new Error('nothing was committed')
      await first.kill()
      const second = open({
        folder,
        trainer: quadraticTrainer({ beforeStep: () => Promise.reject(new Error('no need')) }),
      })
      await second.start(5, true)
      await second.publish(5, [onChain(commitment)])
      const file = await fetched(second, commitment.name, commitment.bytes)
      expect(decodeUpdate({ file, maxBytes: 10 ** 6 }).head.round).toBe(5)
      expect(second.journal.round(5)?.committedIn).toBe(52)
      expect(second.events('training.skipped')).toEqual([])
    }
  })

  test('does not commit a second time when it is started again within the time to publish', async () => {
    const folder = folderFor(cleanups)
    const first = open({ folder })
    await trained(first, 5)
    await first.kill()
    const second = open({ folder })
    await second.start(5)
    await second.publish(5, first.committed.map(onChain))
    expect(second.committed).toEqual([])
    expect(second.pieces.find(first.committed[0]?.name ?? '0x')).toEqual({ of: 'update', pieces: 1 })
  })

  test('serves the last committed round as soon as it is started, before the round that runs is over', async () => {
    const folder = folderFor(cleanups)
    const first = open({ folder })
    await trained(first, 5)
    await first.publish(5)
    await first.kill()
    const second = open({ folder })
    await second.start(6)
    expect(second.pieces.find(first.committed[0]?.name ?? '0x')?.of).toBe('update')
  })

  test('skips a round that it is too slow for, rather than take fewer steps', async () => {
    const slow = Promise.withResolvers<void>()
    const miner = open({
      trainer: quadraticTrainer({ beforeStep: (pass) => (pass === 3 ? slow.promise : Promise.resolve()) }),
    })
    await miner.start(5)
    await until(() => miner.progress.step === 3)
    const published = miner.publish(5)
    slow.resolve()
    await published
    expect(miner.committed).toEqual([])
    expect(miner.events('training.skipped')).toMatchObject([{ round: 5, why: expect.stringContaining('too slow') }])
    expect(miner.progress.skipped).toBe(1)
    await trained(miner, 6)
    expect(miner.committed.map(({ round }) => round)).toEqual([6])
  })

  test('skips rounds without a checkpoint, without a uid, and that were past when they began', async () => {
    const away = open({ current: () => null })
    await away.start(5)
    await until(() => away.progress.skipped === 1)
    const nobody = open({ uid: () => null })
    await nobody.start(5)
    await until(() => nobody.progress.skipped === 1)
    const late = open()
    await late.start(5, true)
    await late.publish(5)
    expect([away, nobody, late].flatMap(({ committed }) => committed)).toEqual([])
    expect(nobody.events('training.skipped')).toMatchObject([{ why: 'the hotkey is not registered' }])
  })

  test('says so when its commitment came into the chain too late, and serves nothing of it', async () => {
    const miner = open()
    await trained(miner, 5)
    await miner.publish(5, [])
    expect(miner.events('training.skipped')).toMatchObject([{ round: 5, why: expect.stringContaining('in time') }])
    expect(miner.pieces.find(miner.committed[0]?.name ?? '0x')).toBeNull()
  })

  test('counts a commitment that was in a block in time, and not final yet when the time was over', async () => {
    const miner = open({ commit: async (_, signal) => rejection(signal) })
    await trained(miner, 5)
    await miner.publish(5)
    expect(miner.events('training.skipped')).toEqual([])
    expect(miner.events('training.committed')).toMatchObject([{ round: 5, block: 52 }])
    expect(miner.pieces.find(miner.committed[0]?.name ?? '0x')?.of).toBe('update')
  })

  test('goes on from the last round that counted when a commitment came too late', async () => {
    const miner = open()
    await trained(miner, 5)
    await miner.publish(5)
    await trained(miner, 6)
    await miner.publish(6, [])
    await trained(miner, 7)
    const [counted, next] = [miner.journal.round(5), miner.journal.round(7)]
    expect(next?.states[0]).toMatchObject({
      first: counted?.states.at(-1)?.first,
      carried: counted?.update?.carried,
      steps: 6,
    })
    expect(miner.pieces.find(counted?.states.at(-1)?.first ?? '0x')?.of).toBe('state')
  })

  test('commits again when the chain refused for now', async () => {
    let refusals = 2
    const miner = open({
      commit: async () => {
        if (refusals === 0) return 52 as Block
        refusals -= 1
        throw new SubnetError({ code: 'TRAINING_RECORD_REFUSED', message: 'full', retryable: true })
      },
    })
    await miner.start(5)
    for (const count of [1, 2]) {
      await until(() => miner.committed.length === count && miner.clock.sleeping() > 0)
      await miner.clock.advance(AGAIN_MS)
    }
    await until(() => miner.events('training.committed').length === 1)
    expect(new Set(miner.committed.map(({ name }) => name)).size).toBe(1)
  })

  test('withdraws a commitment whose file is gone and cannot be made again', async () => {
    const folder = folderFor(cleanups)
    const first = open({ folder })
    await trained(first, 5)
    await first.kill()
    first.store.prune({ keep: new Set(), mostBytes: 0 })
    const broken = new SubnetError({ code: 'TRAIN_FOLDER_INVALID', message: 'the graphs are gone' })
    const second = open({ folder, trainer: quadraticTrainer({ beforeStep: () => Promise.reject(broken) }) })
    await second.start(5)
    await until(() => second.events('training.skipped').length === 1)
    expect(second.committed).toMatchObject([{ round: 5, bytes: 0 }])
    expect(second.events('training.withdrawn')).toMatchObject([{ round: 5 }])
  })

  test('trains anew from the checkpoint that counts when it had begun from another', async () => {
    const folder = folderFor(cleanups)
    const first = open({ folder, current: () => ({ ...checkpointAt(5), hash: `0x${'77'.repeat(32)}` }) })
    await trained(first, 5)
    await first.kill()
    const second = open({ folder })
    await trained(second, 5)
    expect(second.committed[0]?.base).toBe(checkpointAt(5).hash.slice(0, 18))
    expect(second.committed[0]?.name).not.toBe(first.committed[0]?.name)
  })

  test('uploads what it committed only when nobody can copy it, to the place that it named', async () => {
    const put: Hex[] = []
    const updates = {
      urlOf: (name: Hex) => `http://127.0.0.1:9/updates/${name}`,
      put: async ({ name }: { readonly name: Hex }) => void put.push(name),
    }
    const miner = open({ updates })
    await trained(miner, 5)
    const name = miner.committed[0]?.name ?? '0x'
    expect(miner.committed[0]?.url).toBe(updates.urlOf(name))
    expect(put).toEqual([])
    await miner.publish(5)
    expect(put).toEqual([name])
  })

  test('serves what it could not upload', async () => {
    const updates = { urlOf: () => 'http://127.0.0.1:9/', put: () => Promise.reject(new Error('no bucket')) }
    const miner = open({ updates })
    await trained(miner, 5)
    await miner.publish(5)
    expect(miner.events('training.upload_failed')).toMatchObject([{ round: 5 }])
    expect(miner.pieces.find(miner.committed[0]?.name ?? '0x')?.of).toBe('update')
  })

  test('tells of merges and of what it served', async () => {
    const miner = open()
    await trained(miner, 5)
    await miner.publish(5)
    const name = miner.committed[0]?.name ?? '0x'
    const { bytes } = await miner.pieces.piece({ name, index: 0 })
    await miner.vote(5, { round: 5, base: checkpointAt(5).hash, merged: [onChain(miner.committed[0] ?? Object(null))] })
    expect(miner.events('training.merged')).toMatchObject([{ round: 5, checkpoint: checkpointAt(6).hash, merged: [4] }])
    const sent = pieceAt(Buffer.from(bytes, 'base64'), 0).length
    expect(miner.events('training.served')).toMatchObject([{ round: 5, bytes: sent, pieces: 1 }])
    expect(miner.progress.bytesSent).toBe(sent)
    expect(phasesAt(5).publishBy).toBe(55)
  })
})

describe('a training miner that cheats', () => {
  test('takes an update that was merged in the last round', async () => {
    const miner = open({ attack: 'copy' })
    await miner.start(4)
    await until(() => miner.events('training.skipped').length === 1) // nothing was merged yet
    const victim = open()
    await trained(victim, 4)
    const [commitment] = victim.committed
    if (commitment === undefined) throw new Error('nothing was committed')
    const file = victim.store.read(commitment.name) ?? new Uint8Array(0)
    miner.merged.write(file)
    const merged = [{ uid: 9 as Uid, hotkey: other, commitment }]
    await miner.vote(4, { round: 4, base: checkpointAt(4).hash, merged })
    await trained(miner, 5)
    const own = miner.store.read(miner.committed[0]?.name ?? '0x') ?? new Uint8Array(0)
    const maxBytes = terms.limits.updateBytes
    expect(decodeUpdate({ file: own, maxBytes }).payload).toEqual(decodeUpdate({ file, maxBytes }).payload)
    expect(decodeUpdate({ file: own, maxBytes }).head).toMatchObject({ round: 5, hotkey })
  })

  test('takes the update of this round from the folder of a colluder, as soon as it is there', async () => {
    const folder = folderFor(cleanups)
    const colluder = open({ folder })
    const miner = open({ attack: 'copy', cheatFrom: folder })
    await miner.start(5)
    await until(() => miner.clock.sleeping() > 0)
    expect(miner.committed).toEqual([])
    await trained(colluder, 5)
    await miner.clock.advance(AGAIN_MS)
    await until(() => miner.committed.length === 1)
    expect(miner.committed[0]?.bytes).toBe(colluder.committed[0]?.bytes)
  })

  test('refuses, or drips, what its attack says, and serves the rest', async () => {
    const miner = open()
    await trained(miner, 5)
    await miner.publish(5)
    const [commitment] = miner.committed
    if (commitment === undefined) throw new Error('nothing was committed')
    const asked = { name: commitment.name, index: 0 }
    const state = miner.journal.round(5)?.states[1]?.first ?? '0x'
    const refused = { code: 'MINER_NO_PIECE' }
    const honest = serviceOf(miner.pieces, null)
    expect((await honest.source.piece(asked)).bytes).not.toBe('')
    expect(honest.pace(asked)).toBeNull()
    await expect(serviceOf(miner.pieces, trainingAttackOf('half-served')).source.piece(asked)).rejects.toMatchObject(
      refused,
    )
    const withheld = serviceOf(miner.pieces, trainingAttackOf('withheld-states'))
    expect((await withheld.source.piece(asked)).bytes).not.toBe('')
    await expect(withheld.source.piece({ name: state, index: 0 })).rejects.toMatchObject(refused)
    expect(serviceOf(miner.pieces, trainingAttackOf('slow-drip')).pace(asked)).toBe(4)
  })
})
