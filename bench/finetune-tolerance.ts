/**
 * Measures how far an honest replay may end from where the miner's own run ended, which the Gauntlet's tolerance has to leave room for.
 *   node bench/finetune-tolerance.ts [--rounds 4]
 * Each segment of the built-in subnet's rounds is trained once with one thread, then again with two, with the windows of each pass in another
 * order (the same gradient, summed otherwise), and with gradients that are off by as much as torch's are from ours, and by ten times as much.
 */
import { parseArgs } from 'node:util'
import { trainLocally, zeroMoments } from '../engine/src/train/local.ts'
import type { LocalState, Trainer, Windows } from '../engine/src/train/types.ts'
import type { Uid } from '../shared/src/units.ts'
import { drawsFrom } from '../subnet-spec/finetune/attacks/draws.ts'
import { replayDistance } from '../subnet-spec/finetune/replay-distance.ts'
import { boundaryStep } from '../subnet-spec/finetune/states.ts'
import { blockHash, openSubnet } from './separation/subnet.ts'
import { writeShares } from './write.ts'

/** Largest difference of a gradient from torch's, as a share of its largest element. */
const TORCH = 2e-6

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '4' } } })
const { signal } = new AbortController()
const one = await openSubnet()
const two = await openSubnet({ threads: 2 })
const { local, gauntlet } = one.terms

const draws = drawsFrom({ seed: blockHash(0, 'start'), label: 'tolerance' })
/** The same trainer with noise on its gradients. */
const noisy = (trainer: Trainer, share: number): Trainer => ({
  ...trainer,
  gradient: async (of) => {
    const loss = await trainer.gradient(of)
    const largest = of.into.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    for (const [index, value] of of.into.entries()) of.into[index] = value + share * largest * (2 * draws.uniform() - 1)
    return loss
  },
})
const reversed =
  (windowsOf: (pass: number) => Windows) =>
  (pass: number): Windows => ({ ...windowsOf(pass), starts: windowsOf(pass).starts.toReversed() })
const same = (windowsOf: (pass: number) => Windows) => windowsOf

const arms = [
  { name: 'the same again', trainer: one.trainer, order: same },
  { name: 'two threads', trainer: two.trainer, order: same },
  { name: 'windows of a pass in another order', trainer: one.trainer, order: reversed },
  { name: 'gradients off by 2·10⁻⁶ of the largest, as torch’s are', trainer: noisy(one.trainer, TORCH), order: same },
  { name: 'gradients off by 2·10⁻⁵ of the largest', trainer: noisy(one.trainer, 10 * TORCH), order: same },
]
const distances = new Map<string, number[]>(arms.map(({ name }) => [name, []]))

let params = one.trainer.initial()
let moments = zeroMoments(params.length)
for (let round = 0; round < Number(values.rounds); round += 1) {
  const windowsOf = one.assigned({ round, uid: 0 as Uid })
  let start: LocalState = { step: 0, params, moments }
  for (let index = 1; index <= gauntlet.segments; index += 1) {
    const to = boundaryStep({ steps: local.steps, segments: gauntlet.segments, index })
    const train = (trainer: Trainer, order: typeof same, from = start): Promise<LocalState> =>
      trainLocally({ trainer, terms: local, start: from, to, windowsOf: order(windowsOf), signal })
    const claimed = await train(one.trainer, same)
    for (const { name, trainer, order } of arms)
      distances.get(name)?.push(distanceBetween(start, claimed, await train(trainer, order)))
    start = claimed
  }
  ;({ params, moments } = start)
}

writeShares({
  benchmark: 'finetune-tolerance',
  head: ['replayed with', 'segments', 'median distance', 'largest distance'],
  cells: arms.map(({ name }) => {
    const all = (distances.get(name) ?? []).toSorted((a, b) => a - b)
    const text = (value: number | undefined): string => (value === 0 ? '0' : (value ?? Number.NaN).toExponential(1))
    return [name, String(all.length), text(all[Math.floor(all.length / 2)]), text(all.at(-1))]
  }),
})
process.exit(0)

function distanceBetween(from: LocalState, claimed: LocalState, replayed: LocalState): number {
  const part = (of: (state: LocalState) => Float32Array) => ({
    start: of(from),
    claimed: of(claimed),
    replayed: of(replayed),
  })
  return replayDistance([
    part((state) => state.params),
    part((state) => state.moments.first),
    part((state) => state.moments.second),
  ])
}
