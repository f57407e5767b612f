import { trainingAttackOf } from '@arbor/subnet-spec/finetune/attacks/list'
import type { TrainingAttack } from '@arbor/subnet-spec/finetune/attacks/types'
import { unavailable } from '@arbor/training/pieces'
import { describe, expect, test, vi } from 'vitest'
import { openLedger } from '../../src/ledger.ts'
import { onPublished } from '../../src/training/on-published.ts'
import {
  base,
  commit,
  genesisHash,
  held,
  hotkeyOf,
  netuid,
  never,
  phases,
  play,
  published,
  ROUND,
  self,
  serve,
  setUp,
} from './support.ts'

const attack = (name: string): TrainingAttack => {
  const found = trainingAttackOf(name)
  if (found === null || found === undefined) throw new Error(`no attack ${name}`)
  return found
}

const reasonsOf = (told: readonly Record<string, unknown>[]) =>
  Object.fromEntries(told.flatMap((line) => (line.event === 'training.verdict' ? [[line.uid, line.reason]] : [])))

/** Three who trained; enough to see what is typical. */
const honest = await Promise.all([1, 2, 3].map((uid) => play(uid)))

describe('a round of a training validator', () => {
  test('accepts those who trained, votes for them and records their verdicts', async () => {
    const { deps, votes, ledger, receipts, told } = setUp({ files: serve(honest) })
    await onPublished(deps, { event: published(honest.map(({ committed }) => committed)), held }, never)
    expect(reasonsOf(told)).toMatchObject({ 1: 'ok', 2: 'ok', 3: 'ok', 4: 'missing', 12: 'missing' })
    expect(votes).toEqual([{ round: ROUND, base, accepted: [1, 2, 3] }])
    expect(ledger.openRound()).toBeNull()
    expect(ledger.scores().map(({ uid }) => uid)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(receipts.map(({ evidence }) => evidence.uid)).toEqual([1, 2, 3])
    expect(receipts.map(({ evidence }) => evidence.measured?.replay)).toEqual(
      [1, 2, 3].map(() => ({ kind: 'held', distance: 0 })),
    )
    expect(
      ledger
        .publicFiles()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(honest.map(({ committed }) => committed.commitment.name).sort())
    expect(ledger.voteOf(ROUND)).toMatchObject({ accepted: [1, 2, 3], block: phases.publishBy })
  })

  test('says of each hostile miner what is wrong with it, and goes on', async () => {
    const [victim] = honest
    const nan = await play(4, { attack: attack('nan') })
    const stale = await play(5, { round: ROUND - 1 })
    const noise = await play(6, { attack: attack('noise') })
    const copier = await play(7, { attack: attack('copy'), victim: victim?.file ?? new Uint8Array() })
    const half = await play(8)
    const garbage = commit(9, Buffer.from('this is no update, whatever its name says'))
    const all = [
      ...honest,
      nan,
      stale,
      noise,
      copier,
      half,
      { ...half, committed: garbage, file: Buffer.from('this is no update, whatever its name says') },
    ]
    const files = serve(all, {
      8: {
        source: { fetch: async ({ name }) => Promise.reject(unavailable(name, 'it ended after half of the bytes')) },
      },
    })
    const { deps, votes, told } = setUp({ files })
    const huge = commit(10, Buffer.from('x'), { bytes: 2 ** 31 })
    const other = commit(11, Buffer.from('y'), { base: '0x0102030405060708' })
    const withdrawn = commit(12, Buffer.from('z'), { bytes: 0 })
    const commitments = [...all.map(({ committed }) => committed), huge, other, withdrawn].map((one, index) => ({
      ...one,
      block: phases.start + index,
    }))
    await onPublished(deps, { event: published(commitments), held }, never)
    expect(reasonsOf(told)).toMatchObject({
      1: 'ok',
      2: 'ok',
      3: 'ok',
      4: 'not-finite',
      5: 'stale',
      7: 'copy',
      8: 'unavailable',
      9: 'malformed',
      10: 'malformed',
      11: 'stale',
      12: 'missing',
    })
    expect(['harmful', 'unassigned', 'untrained', 'outsized']).toContain(reasonsOf(told)[6])
    expect(votes[0]?.accepted).toEqual([1, 2, 3])
  })

  test('finds who shows states that its work does not lead to, and who shows none', async () => {
    const [one, two] = [await play(4), await play(5)]
    // Its update is that of an honest round, but the parameters that it discloses are others.
    const spoilt = {
      ...one,
      output: {
        ...one.output,
        states: one.output.states.map((state, index) =>
          index === 0 ? state : { ...state, params: state.params.map((value) => value * 1.01) },
        ),
      },
    }
    const files = serve([...honest, spoilt, two], {
      5: { ask: async ({ name }) => Promise.reject(unavailable(name, 'no')) },
    })
    const { deps, told } = setUp({ files })
    await onPublished(deps, { event: published([...honest, one, two].map(({ committed }) => committed)), held }, never)
    expect(reasonsOf(told)).toMatchObject({ 1: 'ok', 4: 'withheld', 5: 'withheld' })
  })

  test('finds who did half of the steps by replaying a stretch', async () => {
    const lazy = await Promise.all([4, 5, 6, 7, 8, 9].map((uid) => play(uid, { attack: attack('half-work') })))
    const { deps, told, receipts } = setUp({ files: serve([...honest, ...lazy]) })
    await onPublished(deps, { event: published([...honest, ...lazy].map(({ committed }) => committed)), held }, never)
    // What is replayed is drawn: a third of six is the second stretch, in which nothing was done.
    const untrained = receipts.filter(({ verdict }) => verdict.reason === 'untrained')
    expect(untrained.length).toBeGreaterThan(0)
    expect(untrained.every(({ evidence }) => lazy.some(({ committed }) => committed.uid === evidence.uid))).toBe(true)
    expect(reasonsOf(told)).toMatchObject({ 1: 'ok', 2: 'ok', 3: 'ok' })
  })

  test('votes in time for those that came when one never answers', async () => {
    const hanging = commit(4, Buffer.from('never'))
    const files = serve(honest, { 4: { source: { fetch: () => new Promise(() => undefined) } } })
    const { deps, votes, told, clock, store } = setUp({ files })
    const event = published([...honest.map(({ committed }) => committed), hanging])
    // A source that does not heed its signal is left behind by the one that fetches.
    const done = onPublished({ ...deps, sourcesOf: (of) => deps.sourcesOf(of).map(heeding) }, { event, held }, never)
    await vi.waitFor(() => expect(store.files.size).toBeGreaterThanOrEqual(3), { timeout: 60_000 })
    await clock.advance(1_000)
    await done
    expect(votes[0]?.accepted).toEqual([1, 2, 3])
    expect(reasonsOf(told)).toMatchObject({ 4: 'unavailable' })
  })

  test('says nothing of updates that it had no time to measure, and votes all the same', async () => {
    const { deps, votes, told, moveTo, engine } = setUp({ files: serve(honest) })
    let calls = 0
    const slow = {
      ...engine,
      losses: async (...of: Parameters<typeof engine.losses>) => {
        calls += 1
        if (calls === 4) moveTo(phases.voteBy - 1)
        await new Promise((resolve) => setImmediate(resolve))
        of[1].throwIfAborted()
        return engine.losses(...of)
      },
    }
    await onPublished(
      { ...deps, engine: slow },
      { event: published(honest.map(({ committed }) => committed)), held },
      never,
    )
    const judged = Object.values(reasonsOf(told)).filter((reason) => reason !== 'missing')
    expect(judged.length).toBeLessThan(3)
    expect(votes.length).toBe(judged.length === 0 ? 0 : 1)
    expect(told.some(({ event }) => event === 'training.late')).toBe(true)
  })
})

describe('a training validator that was killed', () => {
  test('judges nothing again and casts the vote that it had decided on', async () => {
    const ledger = openLedger({ owner: { genesisHash, netuid, hotkey: self } })
    const event = published(honest.map(({ committed }) => committed))
    const first = setUp({ ledger, files: serve(honest) })
    const killed = new Error('killed')
    const dying = {
      ...first.deps,
      putVote: () => Promise.reject(killed),
      chain: { ...first.deps.chain, finalized: () => Promise.reject(killed) },
    }
    await expect(onPublished(dying, { event, held }, never)).rejects.toBe(killed)
    expect(ledger.openRound()?.state).toBe('drawn')
    const again = setUp({ ledger, files: serve([]) })
    await onPublished(again.deps, { event, held }, never)
    expect(again.votes).toEqual([{ round: ROUND, base, accepted: [1, 2, 3] }])
    expect(again.engine.asked.losses).toBeLessThanOrEqual(1) // the unseen data before, and nothing else
    expect(ledger.openRound()).toBeNull()
  })

  test('does not contradict a vote that was sent, whatever comes to light later', async () => {
    const ledger = openLedger({ owner: { genesisHash, netuid, hotkey: self } })
    ledger.keepVote({ round: ROUND, base, accepted: [2 as never] }, 1 as never)
    const { deps, votes } = setUp({ ledger, files: serve(honest) })
    await onPublished(deps, { event: published(honest.map(({ committed }) => committed)), held }, never)
    expect(votes).toEqual([{ round: ROUND, base, accepted: [2] }])
  })

  test('records what it had judged when it comes back too late to vote', async () => {
    const ledger = openLedger({ owner: { genesisHash, netuid, hotkey: self } })
    const first = setUp({ ledger, files: serve(honest) })
    const killed = new Error('killed')
    const event = published(honest.map(({ committed }) => committed))
    const dying = {
      ...first.deps,
      chain: { ...first.deps.chain, finalized: () => Promise.reject(killed) },
      putVote: () => Promise.reject(killed),
    }
    await expect(onPublished(dying, { event, held }, never)).rejects.toBe(killed)
    const again = setUp({ ledger, at: phases.end })
    await onPublished(again.deps, { event: { ...event, isPast: true }, held }, never)
    expect(again.votes).toEqual([])
    expect(reasonsOf(again.told)).toMatchObject({ 1: 'ok', 2: 'ok', 3: 'ok' })
  })

  test('gives a round up that was over before anything of it was judged', async () => {
    const { deps, ledger, votes } = setUp({ files: serve(honest), at: phases.end })
    await onPublished(deps, { event: published([], true), held }, never)
    expect(votes).toEqual([])
    expect(ledger.openRound()).toBeNull()
    expect(ledger.lastRoundBlock()).toBeNull()
  })

  test('judges nothing without the model that the round starts from', async () => {
    const { deps, votes, ledger } = setUp({ files: serve(honest) })
    await onPublished(deps, { event: published(honest.map(({ committed }) => committed)), held: null }, never)
    expect(votes).toEqual([])
    expect(ledger.lastRoundBlock()).toBeNull()
  })
})

/** Ends when its signal does, as those of `@arbor/training` do. */
const heeding = (source: ReturnType<ReturnType<typeof serve>['sourcesOf']>[number]) => ({
  fetch: (of: Parameters<typeof source.fetch>[0]) =>
    Promise.race([
      source.fetch(of),
      new Promise<never>((_, reject) =>
        of.signal.addEventListener('abort', () => reject(of.signal.reason), { once: true }),
      ),
    ]),
})

test('only miners of the round have a verdict', async () => {
  const { deps, told } = setUp({ files: serve(honest) })
  await onPublished(
    deps,
    { event: published([{ ...honest[0]?.committed, hotkey: hotkeyOf(77) } as never]), held },
    never,
  )
  expect(Object.keys(reasonsOf(told))).toHaveLength(12)
})
