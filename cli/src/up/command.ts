import { join, resolve } from 'node:path'
import { integerArgument } from '@arbor/chain/options'
import type { CommandContext } from '@arbor/shared/command'
import { specifierOf } from '@arbor/subnet-spec/load'
import { Command } from 'commander'
import { setupCommand } from './setup-command.ts'
import { runUp, type UpOptions } from './up.ts'

/** Makes `arbor up`: a whole subnet on this machine, until Ctrl-C or for a number of epochs. */
export function upCommand(context: CommandContext): Command {
  return new Command('up')
    .description('run a whole subnet on this machine: chain, miners, validators')
    .option('--miners <n>', 'honest miners', integerArgument(1, 32), 3)
    .option('--cheats <n>', 'miners that serve an int8 copy of the model', integerArgument(0, 32), 1)
    .option('--validators <n>', 'validators', integerArgument(1, 16), 2)
    .option('--epochs <n>', 'stop after so many epochs with weights', integerArgument(1, 100_000))
    .option('--json', 'print nothing but one JSON report on stdout at the end (needs --epochs)')
    .option('--spec <name or path>', 'the subnet spec', 'inference')
    .option('--data <folder>', 'where the net lives, wallets included', join('.arbor', 'up'))
    .option('--fresh', 'throw an older net in the data folder away first')
    .option('--block-time <time>', 'time between blocks', '1s')
    .option('--seed <n>', 'order in which the neurons register', integerArgument(0, 4_294_967_295), 0)
    .action(async (options: UpOptions, command: Command) => {
      if (options.json && options.epochs === undefined)
        command.error('--json needs --epochs: the report covers so many epochs', { exitCode: 2 })
      await runUp(context, {
        ...options,
        data: resolve(context.cwd, options.data),
        spec: specifierOf(options.spec, context.cwd),
      })
    })
    .addCommand(setupCommand(context))
}
