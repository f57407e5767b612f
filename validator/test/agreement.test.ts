import { fileURLToPath } from 'node:url'
import { keypairFromUri } from '@arbor/shared/keys'
import type { Block, Blocks, Hex, NetUid, Uid } from '@arbor/shared/units'
import { choicesFrom } from '@arbor/subnet-spec/seed'
import { describe, expect, test } from 'vitest'
import roundsSpec from '../../test/e2e/support/rounds-spec.ts'
import { type Ledger, openLedger } from '../src/ledger.ts'
import type { Forfeit } from '../src/ledger-audits.ts'
import { minersOf, planRound } from '../src/plan.ts'
import { runRound } from '../src/rounds/run.ts'
import type { VerdictRow } from '../src/rounds/verdict-row.ts'
import { EMPTY_STATE, foldForfeits, foldRound, rowAt } from '../src/scoring/fold.ts'
import score from '../src/worker.ts'
import { metagraph, neuron } from './fixtures.ts'
import { recordRound, termsAt, verdictRow } from './recorded.ts'
import { answered, axon, begin, graph, keys, never, setUp } from './rounds/support.ts'

const seedOf = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`
const terms = { halfLifeRounds: 8, reward: (average: number) => average }

/** What a validator came to know in some rounds: verdicts, and what audits forfeit between them. */
const historyOf = (seed: Hex) => {
  const choices = choicesFrom({ seed, label: 'history' })
  const miners = [1, 2, 3, 4, 5].map((uid) => ({
    hotkey: keypairFromUri(`//m${uid}`).address,
    uid: uid as Uid,
    registeredAt: (uid % 3) as Block,
  }))
  const rounds = Array.from({ length: 8 }, (_, i) => {
    const block = 10 + 5 * i
    const verdicts = miners.flatMap((miner): VerdictRow[] =>
      choices.below(5) === 0
        ? []
        : [verdictRow({ ...miner, roundBlock: block as Block, value: choices.below(1_000) / 999, sigma: 0.1 })],
    )
    const forfeit = (kind: Forfeit['kind']): Forfeit => ({
      ...choices.pick(miners as [(typeof miners)[0], ...typeof miners]),
      atBlock: block as Block,
      untilBlock: (block + 5 * (1 + choices.below(6))) as Block,
      kind,
      reason: 'fingerprint',
      receipt: `${kind}-${block}-${choices.below(1_000)}`,
    })
    const planned = choices.below(3) === 0 ? [forfeit('planned')] : []
    const audited = choices.below(2) === 0 ? [forfeit('user'), forfeit('user')] : []
    return { block, verdicts, planned, audited }
  })
  return { rounds, neurons: miners.map((miner) => neuron(miner)) }
}
type Round = ReturnType<typeof historyOf>['rounds'][number]

const audit = (ledger: Ledger, { block, audited }: Round): void => {
  const before = block as Block
  ledger.beginPass({ before, upTo: 1, round: block / 5, epoch: block, tokens: 1, plans: [] })
  const found = { reason: 'fingerprint', value: 0, checkMs: null, prefilled: null }
  const audits = audited.map((forfeit) => ({ ...forfeit, id: forfeit.receipt ?? '', ...found }))
  ledger.recordAudits({ before, at: 0 as never, audits, forfeits: audited })
}

describe('two validators', () => {
  test.each([
    1, 2, 3, 4, 5, 6,
  ])('with the same verdicts have the same rows in history %i, whenever their audits end', (n) => {
    const { rounds, neurons } = historyOf(seedOf(n))
    const choices = choicesFrom({ seed: seedOf(n), label: 'order' })
    const owner = { genesisHash: seedOf(1), netuid: 1 as NetUid, hotkey: keys.me }
    using prompt = openLedger({ owner })
    using late = openLedger({ owner })
    let folded = EMPTY_STATE
    let open: Round[] = []
    for (const round of rounds) {
      const { block, verdicts, planned, audited } = round
      audit(prompt, round)
      recordRound(prompt, { block, verdicts, forfeits: planned })
      recordRound(late, { block, verdicts, forfeits: planned })
      open.push(round)
      if (choices.below(2) === 0 || round === rounds.at(-1)) {
        for (const each of open.toReversed()) audit(late, each)
        open = []
      }
      const { length, roundBlock } = termsAt(block)
      const outcome = { roundBlock, length, endedAt: (block + 3) as Block, verdicts, forfeits: planned }
      folded = foldForfeits(foldRound(folded, outcome, terms).state, audited)
    }
    const last = rounds.at(-1)?.block ?? 0
    for (const block of [last + 3, last + 10, last + 20, last + 40]) {
      const at = { block: block as Block, tempo: 10 as Blocks, neurons }
      const expected = rowAt(prompt.scoreState(), at, terms)
      expect(rowAt(late.scoreState(), at, terms)).toEqual(expected)
      expect(rowAt(folded, at, terms)).toEqual(expected)
    }
    expect(prompt.scoreState()).toEqual(folded)
  })

  test('ask each miner the same, whoever they are and wherever they ask it', () => {
    const validators = [keys.me, keys.silent].map((self) =>
      planRound({ spec: roundsSpec, metagraph: graph, round: 20, self, route: () => (self === keys.me ? axon : null) }),
    )
    const [mine = [], theirs = []] = validators.map(({ tasks }) =>
      tasks
        .filter(({ hotkey }) => [keys.a, keys.b].includes(hotkey))
        .map(({ hotkey, seed, task, request }) => ({ hotkey, seed, task, request })),
    )
    expect(mine).toHaveLength(2)
    expect(theirs).toEqual(mine)
  })

  test('come to identical verdicts with different latencies inside one class, and to others in another', async () => {
    const workerData = {
      spec: fileURLToPath(new URL('../../test/e2e/support/rounds-spec.ts', import.meta.url)),
      modelFolder: fileURLToPath(new URL('../../models/arbor-tiny', import.meta.url)),
    }
    const judgedAfter = async (totalMs: number) => {
      const { deps, ledger } = setUp({
        spec: roundsSpec,
        miners: async () => minersOf({ metagraph: graph, self: keys.me }),
        judge: (job) => score(job, { workerData, signal: never, progress: () => undefined }),
        ask: async ({ request }) => ({
          ...answered,
          body: Buffer.from(JSON.stringify(request)),
          timing: { ...answered.timing, totalMs, deadlineMs: 100 },
        }),
      })
      begin(ledger)
      const verdicts = await runRound(deps, never)
      const at = { block: 104 as Block, tempo: 10 as Blocks, neurons: graph.neurons }
      return {
        verdicts: verdicts.map(({ hotkey, seed, reason, value, sigma }) => ({ hotkey, seed, reason, value, sigma })),
        row: rowAt(ledger.scoreState(), at, roundsSpec).row,
        state: ledger.scoreState(),
      }
    }
    const [near, far, late] = await Promise.all([judgedAfter(3), judgedAfter(50), judgedAfter(50.1)])
    expect(far).toEqual(near)
    expect(near.verdicts.map(({ value }) => value)).toEqual([1, 1])
    expect(late.verdicts.map(({ value }) => value)).toEqual([0.5, 0.5])
  })
})

test('a miner that changes its address, or listens nowhere for a while, keeps its score', async () => {
  const at = (ip: string | null) =>
    metagraph({ neurons: [neuron({ uid: 1, hotkey: keys.a, axon: ip === null ? null : { ...axon, ip } })] })
  const { deps, ledger } = setUp()
  const asked: string[] = []
  const ask: typeof deps.ask = async (task) => {
    asked.push(task.axon.ip)
    return answered
  }
  for (const [index, ip] of ['127.0.0.2', null, '127.0.0.9'].entries()) {
    begin(ledger, { ...termsAt(100 + 5 * index) })
    await runRound({ ...deps, ask, miners: async () => minersOf({ metagraph: at(ip), self: keys.me }) }, never)
  }
  expect(asked).toEqual(['127.0.0.2', '127.0.0.9'])
  expect(ledger.scores()).toMatchObject([{ hotkey: keys.a, average: 1, samples: 2, lastRoundBlock: 110 }])
})
