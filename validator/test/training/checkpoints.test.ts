import { SubnetError } from '@arbor/shared/errors'
import type { Block, Hex } from '@arbor/shared/units'
import { checkpointName, encodeCheckpoint, nextCheckpoint } from '@arbor/subnet-spec/finetune/checkpoint'
import type { Checkpoint, MergePlan } from '@arbor/subnet-spec/finetune/types'
import { readUpdate } from '@arbor/subnet-spec/finetune/update'
import type { BlobSource } from '@arbor/training/types'
import { describe, expect, test } from 'vitest'
import { type MergeAt, mergedOf, openCheckpoints } from '../../src/auditor/check-checkpoint.ts'
import { checkUpdateBody } from '../../src/auditor/check-update-body.ts'
import { openLedger } from '../../src/ledger.ts'
import type { CheckpointEntry } from '../../src/log/entry.ts'
import { readEntry } from '../../src/log/read-entry.ts'
import { verdictEntry } from '../../src/rounds/verdict-row.ts'
import { heldOutBatches } from '../../src/training/held-out.ts'
import { onPublished } from '../../src/training/on-published.ts'
import { onVoted } from '../../src/training/on-voted.ts'
import { readTrainingReceipt } from '../../src/training/receipt.ts'
import { replayHistory } from '../../src/training/replay-history.ts'
import { verdictsOf } from '../../src/training/verdicts.ts'
import {
  base,
  checkpoint,
  createEngine,
  genesisHash,
  hashOf,
  held,
  netuid,
  never,
  optimiser,
  phases,
  play,
  published,
  ROUND,
  SIZE,
  self,
  serve,
  setUp,
  spec,
  terms,
} from './support.ts'

const honest = await Promise.all([1, 2, 3].map((uid) => play(uid)))
const merged = honest.map(({ committed: { uid, hotkey, commitment } }) => ({ uid, hotkey, commitment }))
const plan: MergePlan = { round: ROUND, base, merged }
const vectors = honest.map(({ file, committed: { hotkey } }) => {
  const expected = { netuid, round: ROUND, hotkey, base, optimiser: optimiser.kind, size: SIZE }
  return readUpdate({ file, maxBytes: terms.limits.updateBytes, expected, optimiser }).vector
})
const next = nextCheckpoint({ checkpoint, optimiser, updates: vectors })
const voted = {
  kind: 'voted' as const,
  phases,
  block: { number: phases.voteBy, hash: hashOf(phases.voteBy) },
  plan,
  voters: [],
  isPast: false,
}
const entry: CheckpointEntry = {
  kind: 'checkpoint',
  round: ROUND,
  votedAt: phases.voteBy,
  base,
  merged: mergedOf(plan),
  checkpoint: checkpointName(next),
}

describe('a merge', () => {
  test('is told to the log and to everybody once, whoever hears of it twice', async () => {
    const { deps, ledger, store, told } = setUp()
    for (const { file } of honest) store.write(file)
    store.write(encodeCheckpoint(next))
    const event = { event: voted, merged: { plan, before: base, checkpoint: next, hash: entry.checkpoint } }
    await onVoted({ ...deps, store }, event, never)
    await onVoted({ ...deps, store }, event, never)
    expect(ledger.merges(9)).toHaveLength(1)
    expect(ledger.log.extent().size).toBe(1)
    const { kind: _, ...said } = entry
    expect(ledger.lastMerge()).toMatchObject({ ...said, before: base, tokens: 3 * 8 * 2 * 4 })
    expect(
      ledger
        .publicFiles()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['checkpoint', 'update', 'update', 'update'])
    const [line, ...more] = told.filter((one) => one.event === 'training.merged')
    expect(more).toEqual([])
    expect(line).toMatchObject({ round: ROUND, checkpoint: entry.checkpoint, before: base, merged: [1, 2, 3] })
    const { heldOut } = line as { heldOut: number }
    const batches = heldOutBatches({ tokens: createEngine().tokens.heldOut, local: terms.local })
    const losses = await createEngine().losses({ params: next.params, batches }, never)
    expect(heldOut).toBe(losses.reduce((sum, loss) => sum + loss, 0) / losses.length)
  })

  test('that was missed is told by nobody', async () => {
    const { deps, ledger } = setUp()
    await onVoted(deps, { event: voted, merged: null }, never)
    expect(ledger.lastMerge()).toBeNull()
  })

  test('is withdrawn from those that are served when its file is gone', async () => {
    const { deps, ledger, store } = setUp()
    ledger.publishFiles([{ name: hashOf(1), kind: 'update', round: 1, bytes: 9 }])
    store.write(encodeCheckpoint(next))
    await onVoted(
      { ...deps, store },
      { event: voted, merged: { plan, before: base, checkpoint: next, hash: entry.checkpoint } },
      never,
    )
    expect(ledger.publicFiles().map(({ name }) => name)).toEqual([entry.checkpoint])
  })
})

describe('the entry of a checkpoint', () => {
  const placed = (over: Partial<CheckpointEntry> = {}, position = 0) => ({ position, entry: { ...entry, ...over } })
  const says = (at: MergeAt | null) => openCheckpoints(async () => at)

  test('reads back in its only spelling', () => {
    const text = JSON.stringify(entry, Object.keys(entry).concat('uid', 'hotkey', 'name', 'bytes').sort())
    expect(readEntry(text)).toEqual(entry)
  })

  test('holds when it names what the chain merges', async () => {
    expect(await says({ votedAt: phases.voteBy, plan }).check(placed())).toBeNull()
  })

  test.each([
    ['another base', { base: hashOf(5) }],
    ['an update too few', { merged: entry.merged.slice(1) }],
    ['an update by another name', { merged: entry.merged.map((one) => ({ ...one, name: hashOf(6) })) }],
  ])('is refused when it names %s', async (_, over) => {
    expect(await says({ votedAt: phases.voteBy, plan }).check(placed(over))).toMatchObject({
      what: "what the chain's votes merge",
    })
  })

  test('is refused when its votes counted at another block, and in a subnet that trains nothing', async () => {
    const { check } = says({ votedAt: (phases.voteBy + 1) as Block, plan })
    expect(await check(placed())).toMatchObject({ expected: phases.voteBy + 1 })
    expect(await openCheckpoints(undefined).check(placed())).toMatchObject({ what: 'a subnet that trains a model' })
  })

  test('is the log’s word where the chain has no state of then', async () => {
    const checks = says({ votedAt: phases.voteBy, plan: 'pruned' })
    expect(await checks.check(placed())).toBeNull()
    expect(checks.byWord()).toBe(1)
  })

  test('has to begin where the round before ended, unless that one was missed', async () => {
    const pruned = async (_: number, votedAt: Block): Promise<MergeAt> => ({ votedAt, plan: 'pruned' })
    const after = (round: number, from: Hex | null) => placed({ round, base: from })
    const open = async () => {
      const checks = openCheckpoints(pruned)
      await checks.check(placed())
      return checks
    }
    expect(await (await open()).check(after(ROUND + 1, entry.checkpoint))).toBeNull()
    expect(await (await open()).check(after(ROUND + 1, null))).toBeNull()
    expect(await (await open()).check(after(ROUND + 2, hashOf(8)))).toBeNull()
    expect(await (await open()).check(after(ROUND + 1, hashOf(8)))).toMatchObject({ found: hashOf(8) })
    expect(await (await open()).check(after(ROUND, entry.checkpoint))).toMatchObject({
      what: 'a merge of a later round',
    })
  })
})

describe('the body of a training verdict', () => {
  const judgedBody = async () => {
    const scene = setUp({ files: serve(honest) })
    await onPublished(scene.deps, { event: published(honest.map(({ committed }) => committed)), held }, never)
    const [receipt] = scene.receipts
    if (receipt === undefined) throw new Error('there is a receipt')
    const candidates = scene.graph.neurons.flatMap((neuron) => {
      const committed = honest.find((one) => one.committed.uid === neuron.uid)?.committed ?? null
      return committed === null ? [] : [{ ...neuron, committed }]
    })
    const about = { spec, terms, genesisHash, netuid, self, phases, base, at: receipt.judgedAt }
    const blocks = {
      start: { number: phases.start, hash: hashOf(phases.start) },
      published: receipt.evidence.published,
    }
    const norm = receipt.evidence.norm
    const [one] = verdictsOf({ ...about, ...blocks, norm }, candidates, scene.ledger.judgedUpdates(phases.start))
    if (one === undefined) throw new Error('there is a verdict')
    return { text: JSON.stringify(receipt), receipt, verdict: { position: 4, entry: verdictEntry(one.row) } }
  }
  const of = { spec, training: terms, netuid, genesisHash, validator: self, blockHash: hashOf(phases.publishBy) }

  test('shows the verdict to whoever judges again by what was measured', async () => {
    const { text, verdict } = await judgedBody()
    expect(verdict.entry.receipt).toBe(readTrainingReceipt(text).id)
    expect(checkUpdateBody(text, verdict, of)).toBeNull()
  })

  test('is refused when the verdict is not what follows from it', async () => {
    const { text, verdict } = await judgedBody()
    const better = { ...verdict, entry: { ...verdict.entry, value: 0.99 } }
    expect(checkUpdateBody(text, better, of)).toMatchObject({ what: 'the verdict of its body' })
  })

  test('is refused when it was edited, is of another block, or is none', async () => {
    const { receipt, text, verdict } = await judgedBody()
    const edited = JSON.stringify({ ...receipt, evidence: { ...receipt.evidence, norm: 7 } })
    expect(checkUpdateBody(edited, verdict, of)).toMatchObject({ what: 'a body that proves itself' })
    expect(checkUpdateBody(text, verdict, { ...of, blockHash: hashOf(1) })).toMatchObject({
      what: 'the published of its body',
    })
    expect(checkUpdateBody('no body', verdict, of)).toMatchObject({ what: 'a body that proves itself' })
  })
})

describe('the history of a run', () => {
  const files = new Map<string, Uint8Array>([
    [base, encodeCheckpoint(checkpoint)],
    ...honest.map(({ committed, file }) => [committed.commitment.name, file] as const),
  ])
  const source: BlobSource = {
    fetch: async ({ name }) => {
      const found = files.get(name)
      if (found === undefined) throw new SubnetError({ code: 'BLOB_UNAVAILABLE', message: name })
      return found
    },
  }
  const idle: CheckpointEntry = {
    ...entry,
    round: ROUND + 1,
    base: null,
    merged: [],
    checkpoint: checkpointName({ ...next, round: ROUND + 2 }),
  }
  const about = {
    netuid,
    spec: { name: spec.name, version: spec.version },
    limits: terms.limits,
    optimiser,
    initial: new Float32Array(SIZE).fill(3),
    files: source,
  }

  test('leads to the checkpoints that the log names when it is merged again', async () => {
    const found = await replayHistory({ ...about, entries: [entry, idle], from: ROUND, to: ROUND + 1 }, never)
    expect(found).toMatchObject({ equal: true, begun: { round: ROUND, checkpoint: base } })
    expect(found.rounds.map(({ merged: count }) => count)).toEqual([3, 0])
  })

  test('begins with the model of the spec where the log does', async () => {
    const first: Checkpoint = { ...checkpoint, params: about.initial }
    const begun = {
      ...entry,
      base: checkpointName(first),
      merged: [],
      checkpoint: checkpointName({ ...first, round: ROUND + 1 }),
    }
    const found = await replayHistory({ ...about, entries: [begun], from: ROUND, to: ROUND }, never)
    expect(found).toMatchObject({ equal: true, begun: { checkpoint: checkpointName(first) } })
  })

  test('shows the round that leads elsewhere', async () => {
    const lie = { ...entry, checkpoint: hashOf(9) }
    const found = await replayHistory({ ...about, entries: [lie, idle], from: ROUND, to: ROUND + 1 }, never)
    expect(found.equal).toBe(false)
    expect(found.rounds).toEqual([{ round: ROUND, merged: 3, logged: hashOf(9), found: entry.checkpoint }])
  })

  test.each([
    ['rounds that the log does not have', { from: 1, to: 2 }],
    ['rounds in the wrong order', { from: ROUND + 1, to: ROUND }],
  ])('is refused for %s', async (_, range) => {
    await expect(replayHistory({ ...about, entries: [entry, idle], ...range }, never)).rejects.toMatchObject({
      code: 'TRAINING_REPLAY',
    })
  })

  test('is refused over a round that the validator missed, and without a checkpoint to begin with', async () => {
    const late = { ...idle, round: ROUND + 4 }
    await expect(
      replayHistory({ ...about, entries: [entry, late], from: ROUND, to: ROUND + 4 }, never),
    ).rejects.toMatchObject({ code: 'TRAINING_REPLAY' })
    const unknown = { ...entry, base: hashOf(4) }
    await expect(replayHistory({ ...about, entries: [unknown], from: ROUND, to: ROUND }, never)).rejects.toMatchObject({
      code: 'TRAINING_REPLAY',
    })
  })

  test('is kept with the verdicts and ratings of each round', async () => {
    const ledger = openLedger({ owner: { genesisHash, netuid, hotkey: self } })
    const { deps, store } = setUp({ ledger, files: serve(honest) })
    await onPublished(deps, { event: published(honest.map(({ committed }) => committed)), held }, never)
    await onVoted(
      { ...deps, store },
      { event: voted, merged: { plan, before: base, checkpoint: next, hash: entry.checkpoint } },
      never,
    )
    const [round] = ledger.history({ from: 0, before: 99, most: 9 }).rounds
    expect(round).toMatchObject({ round: ROUND, merged: [1, 2, 3], checkpoint: entry.checkpoint })
    expect(round?.verdicts.map(({ reason }) => reason).slice(0, 4)).toEqual(['ok', 'ok', 'ok', 'missing'])
    expect(round?.verdicts[0]?.mu).toBeGreaterThan(round?.verdicts[4]?.mu ?? 99)
  })
})
