/**
 * Measures loss against bytes: workers that train one model together in one process, equal tokens for every arm. Each run is one line of a
 * file, written as soon as it is done; runs that are there already are left out, so that it goes on where it was stopped.
 *   node bench/finetune/run.ts [--arms DDP,default] [--seeds 1,2,3] [--model arbor-tiny] [--steps 2000] [--to FILE] [--change JSON]
 * `--change` puts other terms into the arms named, for trying things out. The table is made by bench/finetune/summary.ts.
 */
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { findDataset } from '../../engine/src/dataset/find.ts'
import { openDataset } from '../../engine/src/dataset/open.ts'
import { findModel } from '../../engine/src/find-model.ts'
import { trainingFolderOf } from '../../engine/src/train/folder.ts'
import { openTrainer } from '../../engine/src/train/trainer.ts'
import type { Dataset, Trainer } from '../../engine/src/train/types.ts'
import { ARMS, SETTING } from './arms.ts'
import { measureHeldOut, windowsFor } from './data.ts'
import { type OnStep, trainDdp } from './ddp.ts'
import { keyOf, RUNS, readRuns } from './runs.ts'
import { trainSubnet } from './subnet.ts'
import type { Arm, Run, Setting } from './types.ts'

const CURVE_STEPS = 200
const CURVE_SHARE = 5

/** Trains once and measures. */
const runOnce = async (of: {
  readonly trainer: Trainer
  readonly dataset: Dataset
  readonly setting: Setting
  readonly arm: Arm
  readonly seed: number
}): Promise<Run> => {
  const { trainer, setting, arm, seed } = of
  const before = process.cpuUsage()
  const measure = measureHeldOut(of)
  const windowsAt = windowsFor(of)
  const curve: (readonly [number, number])[] = []
  let next = CURVE_STEPS
  const onStep: OnStep = async ({ step, params }) => {
    if (step < next || step >= setting.steps) return
    next += CURVE_STEPS
    curve.push([step, round4(await measure(params, CURVE_SHARE))])
  }
  const startLoss = round4(await measure(trainer.initial()))
  const { optimiser, name, ...terms } = arm
  const context = { trainer, arm, setting, windowsAt, onStep }
  const { params, bytes, rounds } =
    optimiser === null ? await trainDdp(context) : await trainSubnet({ ...context, optimiser })
  const loss = round4(await measure(params))
  const { user, system } = process.cpuUsage(before)
  return {
    arm: name,
    seed,
    ...setting,
    terms: { ...terms, optimiser },
    startLoss,
    loss,
    bytes,
    rounds,
    tokens: setting.workers * setting.steps * setting.batch * setting.length,
    curve,
    cpuSeconds: Math.round((user + system) / 1e6),
  }
}

const round4 = (value: number): number => Math.round(value * 1e4) / 1e4

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      arms: { type: 'string' },
      seeds: { type: 'string', default: '1,2,3' },
      model: { type: 'string', default: SETTING.model },
      steps: { type: 'string', default: `${SETTING.steps}` },
      to: { type: 'string', default: RUNS },
      change: { type: 'string', default: '{}' },
    },
  })
  const setting: Setting = { ...SETTING, model: values.model, steps: Number(values.steps) }
  const named = values.arms?.split(',')
  const arms = ARMS.filter(({ name }) => named?.includes(name) ?? true).map((arm) => changed(arm, values.change))
  const dataset = await openDataset({
    folder: findDataset({ dataset: 'arbor-text', cwd: process.cwd() }),
    length: setting.length,
  })
  const model = findModel({ model: setting.model, cwd: process.cwd() })
  const { batch, length } = setting
  const trainer = await openTrainer({ folder: trainingFolderOf(model), model, batch, length })
  mkdirSync(dirname(values.to), { recursive: true })
  for (const seed of values.seeds.split(',').map(Number))
    for (const arm of arms) {
      const { name, ...terms } = arm
      const key = keyOf({ ...setting, arm: name, seed, terms })
      if (readRuns(values.to).some((run) => keyOf(run) === key)) continue
      const run = await runOnce({ trainer, dataset, setting, arm, seed })
      appendFileSync(values.to, `${JSON.stringify(run)}\n`)
      console.log(name, `seed ${seed}`, run.loss, `${run.bytes} bytes`, `${run.cpuSeconds} CPU s`)
    }
  await trainer.close()
}

const changed = (arm: Arm, json: string): Arm => {
  const { optimiser, adamw, ...rest } = JSON.parse(json)
  return {
    ...arm,
    ...rest,
    adamw: { ...arm.adamw, ...adamw },
    optimiser: arm.optimiser === null ? null : { ...arm.optimiser, ...optimiser },
  }
}

await main()
