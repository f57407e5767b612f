import type { Trainer } from '@arbor/engine/train/types'
import { expect, test } from 'vitest'
import { ARMS, SETTING } from '../bench/finetune/arms.ts'
import { windowsFor } from '../bench/finetune/data.ts'
import { trainDdp } from '../bench/finetune/ddp.ts'
import { trainSubnet } from '../bench/finetune/subnet.ts'
import { goalsOf, missingOf, rowsOf, runsOf } from '../bench/finetune/summary.ts'
import type { Arm, Run, Setting } from '../bench/finetune/types.ts'

const SIZE = 300
const setting: Setting = { ...SETTING, workers: 2, steps: 20 }
const dataset = {
  id: { name: 'numbers', hash: '0x00' },
  tokenizer: '0x00',
  vocabulary: 1_024,
  train: Uint16Array.from({ length: 4_000 }, (_, index) => (index * 7) % 1_000),
  heldOut: new Uint16Array(200),
} as const

/** A bowl whose lowest point the data move a little: the gradient is the way from there. */
const bowl: Trainer = {
  layout: { tensors: [{ name: 'all', shape: [SIZE], offset: 0, length: SIZE }], size: SIZE },
  provider: 'cpu',
  initial: () => new Float32Array(SIZE).fill(1),
  gradient: async ({ params, windows, into }) => {
    for (const [index, value] of params.entries())
      into[index] = value - (windows.tokens[(windows.starts[0] ?? 0) + (index % 64)] ?? 0) / 1e4
    return 0
  },
  loss: async () => 0,
  close: async () => undefined,
}
const armOf = (name: string): Arm => {
  const arm = ARMS.find((each) => each.name === name)
  if (arm === undefined) throw new Error(`no arm ${name}`)
  return arm
}
const train = (arm: Arm) => {
  const context = {
    trainer: bowl,
    arm,
    setting,
    windowsAt: windowsFor({ dataset, setting, seed: 1 }),
    onStep: async () => undefined,
  }
  return arm.optimiser === null ? trainDdp(context) : trainSubnet({ ...context, optimiser: arm.optimiser })
}

test('every arm gets the same windows at the same step, and workers share none', () => {
  const [one, again] = [windowsFor({ dataset, setting, seed: 1 }), windowsFor({ dataset, setting, seed: 1 })]
  for (const step of [0, 9, 10, 19])
    for (const worker of [0, 1]) expect(one(worker, step).starts).toEqual(again(worker, step).starts)
  const starts = [0, 1].flatMap((worker) => Array.from({ length: 10 }, (_, step) => one(worker, step).starts).flat())
  expect(new Set(starts).size).toBe(starts.length)
  expect(windowsFor({ dataset, setting, seed: 2 })(0, 0).starts).not.toEqual(one(0, 0).starts)
})

test('every arm trains the same number of steps towards the lowest point, and counts what its files weigh', async () => {
  for (const arm of ARMS.filter(({ steps }) => setting.steps % steps === 0)) {
    const { params, bytes, rounds } = await train(arm)
    const mean = params.reduce((sum, value) => sum + value, 0) / SIZE
    expect(mean, arm.name).toBeLessThan(1)
    expect(rounds * arm.steps).toBe(setting.steps)
    if (arm.optimiser === null) expect(bytes).toBe(4 * SIZE * setting.steps)
    if (arm.optimiser?.kind === 'diloco') expect(bytes).toBe((4 * SIZE + 112) * rounds)
    if (arm.optimiser?.kind === 'sparseloco') expect(bytes).toBeLessThan(4 * SIZE * rounds)
  }
})

test('local steps that are averaged at once by plain means are those of DDP when one worker trains alone', async () => {
  const alone = { ...setting, workers: 1 }
  const arm: Arm = { ...armOf('DiLoCo H 10'), optimiser: { kind: 'diloco', outer: { learningRate: 1, momentum: 0 } } }
  const windowsAt = windowsFor({ dataset, setting: alone, seed: 1 })
  const context = { trainer: bowl, setting: alone, windowsAt, onStep: async () => undefined }
  if (arm.optimiser === null) throw new Error('no optimiser')
  const local = await trainSubnet({ ...context, arm, optimiser: arm.optimiser })
  const ddp = await trainDdp({ ...context, arm: { ...armOf('DDP'), adamw: arm.adamw } })
  for (const [index, value] of local.params.entries()) expect(value).toBeCloseTo(ddp.params[index] ?? 0, 5)
})

const runOf = (arm: string, change: Partial<Run>): Run => {
  const { name, ...terms } = armOf(arm)
  const counts = { startLoss: 5, tokens: 1, curve: [], cpuSeconds: 1, rounds: 10 }
  return { ...SETTING, ...counts, arm: name, terms, seed: 1, loss: 2, bytes: 1e6, ...change }
}

test('a goal is said to be reached only where both the loss and the bytes are', () => {
  const base = runOf('DDP', { loss: 2, bytes: 1e9 })
  const far = runOf('default', { loss: 2.1, bytes: 1e6 })
  const near = runOf('SparseLoCo', { loss: 2.01, bytes: 1.6e6 })
  const said = goalsOf(runsOf([base, far, near], SETTING))
  expect(said[0]).toContain('500 × fewer bytes: reached by SparseLoCo (0.5 % at 625×)')
  expect(said[1]).toContain('1000 × fewer bytes: not reached; nearest: default, 5 % at 1000×')
})

test('the table holds runs against the median of DDP, leaves out those with other terms than the arms have, and names what is missing', () => {
  const runs = [
    runOf('DDP', { seed: 1, loss: 2, bytes: 1e6 }),
    runOf('DDP', { seed: 2, loss: 4, bytes: 1e6 }),
    runOf('DDP', { seed: 3, loss: 2, bytes: 1e6 }),
    runOf('default', { seed: 1, loss: 2.1, bytes: 1e3 }),
    runOf('default', { seed: 3, loss: 9, terms: { ...runOf('default', {}).terms, steps: 7 } }),
  ]
  const rows = rowsOf(runsOf(runs, SETTING), 'small')
  expect(rows.find(({ what }) => what.includes('above the median'))?.runs.default).toEqual([5])
  expect(rows.find(({ what }) => what.includes('fewer'))?.runs.default).toEqual([1000])
  const [missing] = missingOf(runsOf(runs, SETTING))
  expect(missing).toContain('default (2 of 3 seeds)')
  expect(missing).not.toContain('DDP (')
})
