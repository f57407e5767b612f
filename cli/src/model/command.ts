import type { CommandContext } from '@arbor/shared/command'
import { Command } from 'commander'
import { addCommand } from './add.ts'
import { benchCommand } from './bench.ts'
import { calibrateCommand } from './calibrate.ts'
import { listCommand } from './list.ts'
import { removeCommand } from './remove.ts'
import { showCommand } from './show.ts'

/** Makes `arbor model`. */
export const modelCommand = (context: CommandContext): Command =>
  new Command('model')
    .description('add, show, calibrate and measure the models that miners and validators run')
    .addCommand(addCommand(context))
    .addCommand(listCommand(context))
    .addCommand(showCommand(context))
    .addCommand(calibrateCommand(context))
    .addCommand(benchCommand(context))
    .addCommand(removeCommand(context))
