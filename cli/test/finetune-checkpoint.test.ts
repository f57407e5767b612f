import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Metagraph, Neuron } from '@arbor/chain/client/types'
import { blobName } from '@arbor/shared/blob'
import type { Alpha, Hex, Uid } from '@arbor/shared/units'
import { encodeCheckpoint } from '@arbor/subnet-spec/finetune/checkpoint'
import type { NeuronRecord } from '@arbor/training/records'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newestCheckpoint } from '../src/finetune/checkpoint.ts'
import { confirmedBases } from '../src/finetune/confirm.ts'
import type { TrainingHistory } from '../src/finetune/history.ts'

const spec = { name: 'finetune-tiny', version: 1 }
const SIZE = 6

let data = ''
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'arbor-export-test-'))
  mkdirSync(join(data, 'blobs'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const fileOf = (round: number): Uint8Array =>
  encodeCheckpoint({ round, spec, params: new Float32Array(SIZE).fill(round), outer: new Float32Array(SIZE) })
const nameOf = (round: number): Hex => blobName(fileOf(round))
/** Puts a round's model where a validator keeps it. */
const keep = (round: number, file = fileOf(round)): void =>
  writeFileSync(join(data, 'blobs', nameOf(round).slice(2)), file)

/** A history of rounds that led to models 1, 2 and 3. */
const history: TrainingHistory = {
  spec,
  rounds: [0, 1, 2].map((round) => ({
    ...{ round, before: nameOf(round), checkpoint: nameOf(round + 1) },
    ...{ merged: [], heldOut: null, tokens: 0, verdicts: [] },
  })),
}
const newest = () =>
  newestCheckpoint({ source: { data }, history, spec, size: SIZE, cwd: '/', signal: new AbortController().signal })

describe('newestCheckpoint', () => {
  test('takes the newest model that its validator still has', async () => {
    keep(1)
    keep(2)
    const { name, checkpoint } = await newest()
    expect(name).toBe(nameOf(2))
    expect(checkpoint.round).toBe(2)
    expect([...checkpoint.params]).toEqual(Array(SIZE).fill(2))
  })

  test('refuses a file that is not what its name says, rather than fall back to an older one', async () => {
    keep(2)
    keep(3, fileOf(2))
    await expect(newest()).rejects.toMatchObject({ code: 'CHECKPOINT_NAME' })
  })

  test('refuses a model of another spec or size', async () => {
    keep(3)
    const of = { source: { data }, history, cwd: '/', signal: new AbortController().signal }
    await expect(newestCheckpoint({ ...of, spec: { ...spec, version: 2 }, size: SIZE })).rejects.toMatchObject({
      code: 'CHECKPOINT_SPEC',
    })
    await expect(newestCheckpoint({ ...of, spec, size: SIZE + 1 })).rejects.toMatchObject({ code: 'CHECKPOINT_SHAPE' })
  })

  test('says so when there is none', async () => {
    await expect(newest()).rejects.toMatchObject({ code: 'FINETUNE_NO_CHECKPOINT' })
  })
})

describe('confirmedBases', () => {
  const neuron = (uid: number, stake: bigint, validatorPermit = true): Neuron =>
    ({ uid: uid as Uid, totalStake: stake as Alpha, validatorPermit }) as Neuron
  const vote = (of: Neuron, base: Hex): NeuronRecord =>
    ({ neuron: of, vote: { round: 1, base, accepted: [] } }) as unknown as NeuronRecord
  const confirmed = (neurons: readonly Neuron[], records: readonly NeuronRecord[]): readonly Hex[] => [
    ...confirmedBases({ metagraph: { neurons } as unknown as Metagraph, records }),
  ]
  const [a, b, c, miner] = [neuron(0, 40n), neuron(1, 40n), neuron(2, 30n), neuron(3, 900n, false)]

  test('are those with more than half of the stake that has a permit', () => {
    const all = [a, b, c, miner]
    expect(confirmed(all, [vote(a, nameOf(1)), vote(b, nameOf(1)), vote(c, nameOf(2))])).toEqual([nameOf(1)])
    expect(confirmed(all, [vote(a, nameOf(1)), vote(b, nameOf(2)), vote(c, nameOf(3))])).toEqual([])
  })

  test('count nobody without a permit, and silence against all', () => {
    expect(confirmed([a, b, c, miner], [vote(miner, nameOf(1)), vote(a, nameOf(1))])).toEqual([])
    expect(confirmed([a, b], [vote(a, nameOf(1))])).toEqual([]) // a half is no majority
  })
})
