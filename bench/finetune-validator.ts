/**
 * Measures what a validator's processor does for each update that it scores: reading, measuring with three other miners' updates, replaying.
 *   node bench/finetune-validator.ts [--rounds 5] [--miners 4]
 * The built-in subnet's model, data and terms, all in this process: what a contained child adds are copies of parameters. Files come out of memory.
 */
import { parseArgs } from 'node:util'
import { trainLocally, zeroMoments } from '../engine/src/train/local.ts'
import { blobName } from '../shared/src/blob.ts'
import { systemClock } from '../shared/src/clock.ts'
import { floatsToBytes } from '../shared/src/floats.ts'
import { toHex } from '../shared/src/hex.ts'
import { createLogger } from '../shared/src/log.ts'
import type { Block, Blocks, Hex, Uid } from '../shared/src/units.ts'
import { drawsFrom } from '../subnet-spec/finetune/attacks/draws.ts'
import { performRound, type RoundOutput, stateNames } from '../subnet-spec/finetune/attacks/perform.ts'
import { checkpointName } from '../subnet-spec/finetune/checkpoint.ts'
import { phasesOf } from '../subnet-spec/finetune/phases.ts'
import { basePrefix } from '../subnet-spec/finetune/records.ts'
import { encodeState, statesTree } from '../subnet-spec/finetune/states.ts'
import { takeStepsOf } from '../training/src/train-to.ts'
import type { Committed } from '../training/src/types.ts'
import type { TrainingEngine } from '../validator/src/training/engine.ts'
import { judgeRound } from '../validator/src/training/judge-round.ts'
import type { JudgedUpdate } from '../validator/src/training/judged-update.ts'
import { blockHash, hotkeyOf, openSubnet } from './separation/subnet.ts'
import { writeResult } from './write.ts'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, miners: { type: 'string', default: '4' } },
})
const signal = new AbortController().signal
const subnet = await openSubnet()
const { terms, trainer, optimiser, dataset, netuid } = subnet
const { local } = terms
const params = trainer.initial()
const spec = { name: 'finetune', version: 1 }
const log = createLogger({ name: 'bench', level: 'error', destination: process.stderr })

const engine: TrainingEngine = {
  tokens: { train: dataset.train.length, heldOut: dataset.heldOut.length },
  losses: async ({ params: at, batches }) => {
    const losses: number[] = []
    for (const { stream, starts } of batches)
      losses.push(await trainer.loss({ params: at, windows: [{ tokens: dataset[stream], starts }] }))
    return losses
  },
  train: async ({ start, to, startsOf }) => {
    const steps = takeStepsOf({ optimiser, trainer, terms: local, trainLocally, signal })
    const windowsOf = (pass: number) => ({ tokens: dataset.train, starts: startsOf(pass) })
    return (await steps({ start, to, windowsOf })).state
  },
}

interface Made {
  readonly committed: Committed
  readonly file: Uint8Array
  readonly output: RoundOutput
}

/** Does a miner's round as the miner does it. */
const make = async (round: number, uid: Uid, base: Hex): Promise<Made> => {
  const hotkey = hotkeyOf(uid)
  const output = await performRound({
    attack: null,
    terms,
    optimiser,
    layout: trainer.layout,
    about: { netuid, round, hotkey, base },
    params,
    kept: { moments: zeroMoments(params.length), carried: new Float32Array(params.length) },
    assigned: subnet.assigned({ round, uid }),
    others: subnet.assigned({ round, uid }),
    train: takeStepsOf({ optimiser, trainer, terms: local, trainLocally, signal }),
    victim: null,
    last: null,
    draws: drawsFrom({ seed: blockHash(round, 'start'), label: 'bench' }),
  })
  if (output.file === null) throw new Error('an honest miner writes a file')
  const { file } = output
  const commitment = { round, name: blobName(file), bytes: file.length, base: basePrefix(base), url: '' }
  return { committed: { uid, hotkey, block: uid, commitment }, file, output }
}

/** Judges a round of honest updates, and says what that took. @param share of the miners that are replayed */
const judge = async (round: number, made: readonly Made[], share: number) => {
  const phases = phasesOf({ terms: terms.phases, length: 100 as Blocks, round })
  const filesOf = new Map(made.map((one) => [one.committed.hotkey, one]))
  const named = new Map(
    made.flatMap(({ file, output }) => {
      const parts = output.states.flatMap(({ params: at, moments, carried }) =>
        [at, moments.first, moments.second, carried].map(floatsToBytes),
      )
      return [file, ...parts].map((bytes) => [blobName(bytes), bytes] as const)
    }),
  )
  const kept: JudgedUpdate[] = []
  const before = process.cpuUsage()
  const began = performance.now()
  await judgeRound(
    {
      chain: { best: async () => ({ number: 0 as Block, hash: blockHash(0, 'start') }), heads: idle },
      netuid,
      terms: { ...terms, gauntlet: { ...terms.gauntlet, replayShare: share } },
      engine,
      optimiser,
      clock: systemClock,
      blockMs: 60_000,
      log,
      ledger: {
        keepJudged: (_, judged) => void kept.push(judged),
        judgedUpdates: () => [],
        headOf: () => null,
        keepHead: () => undefined,
      },
      store: { has: () => false, read: () => null, write: blobName },
      paramsBefore: () => null,
      sourcesOf: () => [
        {
          fetch: async ({ name }) => {
            const found = named.get(name)
            if (found === undefined) throw new Error(`${name} is not there`)
            return found
          },
        },
      ],
      askPieceOf:
        ({ hotkey }) =>
        async ({ index }) => {
          const rows = filesOf.get(hotkey)?.output.states.map(stateNames) ?? []
          const row = rows[index]
          if (row === undefined) throw new Error(`there is no state ${index}`)
          const proof = statesTree(rows).proof(index).map(toHex)
          return { bytes: Buffer.from(encodeState(row)).toString('base64'), proof }
        },
    },
    {
      phases,
      start: { number: phases.start, hash: blockHash(round, 'start') },
      published: { number: phases.publishBy, hash: blockHash(round, 'published') },
      committed: made.map(({ committed }) => committed),
      params,
      base: baseOf(round),
      previous: [],
    },
    signal,
  )
  const { user, system } = process.cpuUsage(before)
  if (kept.some(({ measured }) => measured === null)) throw new Error('an honest update was not measured')
  return { cpuMs: (user + system) / 1_000 / made.length, wallMs: (performance.now() - began) / made.length }
}

const idle = async function* (_: unknown, until: AbortSignal): AsyncGenerator<never> {
  await new Promise((resolve) => until.addEventListener('abort', resolve, { once: true }))
}
const baseOf = (round: number): Hex => checkpointName({ round, spec, params, outer: new Float32Array(params.length) })

const runs: Record<'cpu' | 'replayed' | 'wall', number[]> = { cpu: [], replayed: [], wall: [] }
let stepMs = 0
for (let round = 0; round < Number(values.rounds); round += 1) {
  const made: Made[] = []
  const before = process.cpuUsage()
  for (let uid = 1; uid <= Number(values.miners); uid += 1) made.push(await make(round, uid as Uid, baseOf(round)))
  const { user, system } = process.cpuUsage(before)
  stepMs += (user + system) / 1_000 / made.length
  const without = await judge(round, made, 0)
  const replayed = await judge(round, made, 1)
  if (round === 0) continue // the first one warms up
  runs.cpu.push(Math.round(without.cpuMs))
  runs.wall.push(Math.round(without.wallMs))
  runs.replayed.push(Math.round(replayed.cpuMs))
}
const { batches, segments } = terms.gauntlet
writeResult(
  'finetune-validator',
  [
    { what: 'scoring one update without a replay: processor time', unit: 'ms', runs: { arbor: runs.cpu } },
    {
      what: 'scoring one update with one of its stretches replayed: processor time',
      unit: 'ms',
      runs: { arbor: runs.replayed },
    },
    { what: 'scoring one update without a replay: time', unit: 'ms', runs: { arbor: runs.wall } },
  ],
  [
    `${values.miners} honest miners of the built-in subnet (${params.length} parameters, ${batches} batches of ${local.batch} × ${local.length} tokens a kind, three control updates each); a round's ${local.steps} steps with its ${segments + 1} states took a miner ${Math.round(stepMs / Number(values.rounds))} ms of processor time here.`,
  ],
)
process.exit(0)
