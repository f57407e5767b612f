import type { CommandContext } from '@arbor/shared/command'
import { trainingReplayCommand } from '@arbor/validator/training/replay-command'
import { Command } from 'commander'
import { dataCommand } from './data.ts'
import { exportCommand } from './export.ts'
import { reportCommand } from './report.ts'

/** Makes `arbor finetune`. */
export const finetuneCommand = (context: CommandContext): Command =>
  new Command('finetune')
    .description('take the model out of a training subnet, look at its run, and prepare its data')
    .addCommand(exportCommand(context))
    .addCommand(reportCommand(context))
    .addCommand(dataCommand(context))
    .addCommand(trainingReplayCommand(context))
