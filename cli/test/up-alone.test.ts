import { fileURLToPath } from 'node:url'
import { openDataset } from '@arbor/engine/dataset/open'
import { zeroMoments } from '@arbor/engine/train/local'
import { openTraining } from '@arbor/engine/train/training'
import type { Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { checkpointName } from '@arbor/subnet-spec/finetune/checkpoint'
import tiny from '@arbor/subnet-spec/finetune/tiny'
import { assignedWindows } from '@arbor/subnet-spec/finetune/windows'
import { heldOutBatches } from '@arbor/validator/training/held-out'
import { expect, test } from 'vitest'
import { computeAlone } from '../src/up/training/baseline.ts'
import { emptyTraining } from '../src/up/training/state.ts'

const folder = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
if (tiny.training === undefined) throw new Error('finetune-tiny trains')
const terms = { ...tiny.training, local: { ...tiny.training.local, steps: 2 } }
const { local } = terms
const model = folder('models/arbor-tiny')
const netuid = 1 as NetUid
const miner = { hotkey: '5M' as Ss58, uid: 3 as Uid }
const rounds = ([2, 5] as const).map((round) => ({ round, blockHash: `0x${String(round).repeat(64)}` as Hex }))
const validator = '5V' as Ss58

test('one miner alone takes the rounds of its view as one run of steps on its own windows, and gets better by them', async () => {
  const { signal } = new AbortController()
  const { train, heldOut } = await openDataset({ folder: folder('data/arbor-text') })
  const log = { info: () => undefined, warn: () => undefined }
  const training = await openTraining({ folder: `${model}-train`, model, log, signal })
  try {
    const params = await training.initial(signal)
    const spec = { name: tiny.name, version: tiny.version }
    const first = checkpointName({ round: 2, spec, params, outer: new Float32Array(params.length) })
    const view = (name: Hex) => ({
      ...emptyTraining({ phases: terms.phases, roundsPerEpoch: 1 }),
      checkpoints: [{ round: 2, by: { [validator]: name }, loss: null, merged: 0 }],
    })
    const of = { ...{ spec: tiny, terms, model, netuid, miner, rounds, cwd: '/', signal }, fileOf: () => '/nowhere' }
    const alone = await computeAlone({ ...of, view: view(first) })

    // the same by hand: four steps in one go, over the windows of both rounds
    const passes = rounds.map(({ round, blockHash }) =>
      assignedWindows({ blockHash, netuid, round, uid: miner.uid, tokens: train.length, local }),
    )
    const perRound = local.steps * local.accumulate
    const whole = await training.train({
      terms: { ...local, steps: 4 },
      start: { step: 0, params, moments: zeroMoments(params.length) },
      to: 4,
      windowsOf: (pass) => ({ tokens: train, starts: passes[Math.floor(pass / perRound)]?.(pass % perRound) ?? [] }),
      signal,
    })
    const windows = heldOutBatches({ tokens: heldOut.length, local }).map(({ starts }) => ({ tokens: heldOut, starts }))
    const loss = (of: Float32Array) => training.measure({ shape: local, params: of, windows, signal })
    expect(alone).toEqual({ hotkey: '5M', steps: 4, loss: await loss(whole.params) })
    expect(alone?.loss).toBeLessThan(await loss(params))

    // a run whose first checkpoint nobody has cannot be measured against
    expect(await computeAlone({ ...of, view: view(`0x${'ab'.repeat(32)}`) })).toBeNull()
    expect(await computeAlone({ ...of, rounds: [], view: view(first) })).toBeNull()
  } finally {
    await training.close()
  }
}, 60_000)
