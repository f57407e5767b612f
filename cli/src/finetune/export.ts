import { join, resolve } from 'node:path'
import { netuidArgument, withJson } from '@arbor/chain/options'
import { findModel, isModelName, MODELS } from '@arbor/engine/find-model'
import { exportParams } from '@arbor/engine/train/export-params'
import { readTrainingFolder, trainingFolderOf } from '@arbor/engine/train/folder'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { type NetUid, netUid } from '@arbor/shared/units'
import type { SubnetSpec } from '@arbor/subnet-spec/define'
import { loadSpec, specifierOf } from '@arbor/subnet-spec/load'
import { Command } from 'commander'
import { z } from 'zod'
import { withChain } from '../chain.ts'
import { badName } from '../model/add.ts'
import { calibrateModel } from '../model/calibrate.ts'
import { print } from '../output.ts'
import { newestCheckpoint } from './checkpoint.ts'
import { confirmedHistory } from './confirm.ts'
import type { TrainingHistory } from './history.ts'
import { readSource, type SourceOptions, withSource } from './source.ts'

/** What `arbor finetune export` prints with --json. */
export const exportSchema = z.strictObject({
  name: z.string(),
  folder: z.string(),
  /** Of the model's folder. */
  hash: z.string(),
  /** Name of the checkpoint, and the round that starts from it. */
  checkpoint: z.string(),
  round: z.number(),
  /** Whether the votes on the chain were asked, and confirmed it. */
  confirmed: z.boolean(),
  calibrated: z.boolean(),
})

interface Options extends SourceOptions {
  readonly spec: string
  readonly model?: string
  readonly name?: string
  readonly out?: string
  readonly network?: string
  readonly netuid: NetUid
  readonly calibrate: boolean
  readonly json?: boolean
}

/** Makes `arbor finetune export`: the newest model as a folder that the inference subnet serves. */
export const exportCommand = (context: CommandContext): Command =>
  withJson(withSource(new Command('export')))
    .description('write the newest model of a training subnet as a folder that the inference subnet serves')
    .option('--spec <name or path>', 'the subnet spec', 'finetune')
    .option('--model <name or path>', "the model that its first round started from (default: the spec's)")
    .option('--name <name>', "the model's name here (default: that of the spec and the round)")
    .option('--out <folder>', 'where it goes (default: among the models, by its name)')
    .option('--network <url>', "the chain's WebSocket: the votes there have to confirm the model")
    .option('--netuid <n>', 'the subnet, with --network', netuidArgument, netUid(1))
    .option('--no-calibrate', 'leave out what the checks of its answers need; arbor model calibrate adds it')
    .action((options: Options) => exportModel(context, options))

async function exportModel(context: CommandContext, options: Options): Promise<void> {
  const { cwd, signal } = context
  const { spec, specification } = await trainingSpec(options.spec, cwd)
  const model = findModel({ model: options.model ?? spec.model.name, cwd })
  const training = trainingFolderOf(model)
  const { layout } = await readTrainingFolder({ folder: training, model })
  const history = await confirmed(context, options, await readSource(options, context))
  const found = await newestCheckpoint({
    source: options,
    history,
    spec: specification,
    size: layout.size,
    cwd,
    signal,
  })
  const { round, params } = found.checkpoint
  const name = options.name ?? `${spec.name}-${round}`
  if (!isModelName(name)) throw badName(name)
  const out = resolve(cwd, options.out ?? join(MODELS, name))
  const origin = `${spec.name} ${spec.version}, checkpoint ${found.name} before round ${round}, trained from ${spec.model.name} ${spec.model.hash}`
  const exported = await exportParams({ model, folder: training, params, out, name, origin })
  if (options.calibrate) await calibrateModel(context, { folder: exported.folder, quiet: options.json === true })
  print(context, {
    json: options.json,
    schema: exportSchema,
    value: {
      ...{ name, folder: exported.folder, hash: exported.hash, checkpoint: found.name, round },
      ...{ confirmed: options.network !== undefined, calibrated: options.calibrate },
    },
    lines: [
      `${name} in ${exported.folder}: checkpoint ${found.name} before round ${round}${options.network === undefined ? '' : ', confirmed by votes on the chain'}`,
      `hash ${exported.hash}`,
      options.calibrate
        ? `Next: arbor up --model ${options.out ?? name}`
        : `Next: arbor model calibrate ${options.out ?? name}`,
    ],
  })
}

const confirmed = async (
  context: CommandContext,
  { network, netuid }: Options,
  history: TrainingHistory,
): Promise<TrainingHistory> =>
  network === undefined
    ? history
    : await withChain(context, network, (chain) => confirmedHistory({ chain, netuid, history }))

/** @throws FINETUNE_NO_TRAINING for a spec whose miners answer questions */
const trainingSpec = async (text: string, cwd: string) => {
  const spec: SubnetSpec = await loadSpec(specifierOf(text, cwd))
  if (spec.training !== undefined) return { spec, specification: { name: spec.name, version: spec.version } }
  throw new SubnetError({
    code: 'FINETUNE_NO_TRAINING',
    message: `Miners of ${spec.name} answer questions and train nothing; name the spec of a training subnet with --spec`,
  })
}
