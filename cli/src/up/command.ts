import { join, resolve } from 'node:path'
import { integerArgument } from '@arbor/chain/options'
import { ATTACK_NAMES } from '@arbor/engine/attacks/list'
import type { CommandContext } from '@arbor/shared/command'
import { TRAINING_ATTACK_NAMES } from '@arbor/subnet-spec/finetune/attacks/list'
import { Command, InvalidArgumentError, Option } from 'commander'
import { setupCommand } from './setup-command.ts'
import { runUp, type UpOptions } from './up.ts'

/** Makes `arbor up`: a whole subnet on this machine, until Ctrl-C or for a number of epochs. */
export function upCommand(context: CommandContext): Command {
  return new Command('up')
    .description('run a whole subnet on this machine: chain, miners, validators')
    .option('--miners <n>', 'honest miners (default: 3; 4 where they train)', integerArgument(1, 32))
    .option(
      '--cheats <n>',
      'miners that cheat: an int8 copy of the model, or those of docs/finetune.md in turn (default: 1; 3 where they train; with --zoo none)',
      integerArgument(0, 32),
    )
    .option(
      '--zoo [names]',
      'one miner for each attack of docs/attacks.md (docs/finetune.md), or for those named with commas between',
      attacks,
    )
    .option('--validators <n>', 'validators', integerArgument(1, 16), 2)
    .option('--epochs <n>', 'stop after so many epochs with weights', integerArgument(1, 100_000))
    .option('--json', 'print nothing but one JSON report on stdout at the end (needs --epochs)')
    .addOption(
      new Option('--subnet <name>', 'a subnet that comes with Arbor: inference (the default) or finetune').conflicts(
        'spec',
      ),
    )
    .option('--spec <name or path>', 'the subnet spec, for a subnet of your own')
    .option('--model <name>', 'serve a model that was added with arbor model add, in place of a spec')
    .option('--gateway', "serve users too: OpenAI's API beside the first validator", false)
    .option('--data <folder>', 'where the net lives, wallets included', join('.arbor', 'up'))
    .option('--fresh', 'throw an older net in the data folder away first')
    .option('--block-time <time>', 'time between blocks (default: 1s, 2s for many miners, 4s for slow models)')
    .option('--seed <n>', 'order in which the neurons register', integerArgument(0, 4_294_967_295), 0)
    .action(async (options: Options, command: Command) => {
      if (options.json && options.epochs === undefined)
        command.error('--json needs --epochs: the report covers so many epochs', { exitCode: 2 })
      await runUp(context, {
        ...options,
        spec: options.spec ?? options.subnet ?? 'inference',
        data: resolve(context.cwd, options.data),
      })
    })
    .addCommand(setupCommand(context))
}

type Options = Omit<UpOptions, 'spec'> & { readonly spec?: string; readonly subnet?: string }

/** Reads names of attacks with commas between. */
const attacks = (text: string): readonly string[] => {
  const names = text.split(',')
  const known = [...ATTACK_NAMES, ...TRAINING_ATTACK_NAMES]
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return names
  throw new InvalidArgumentError(`there is no attack "${unknown}"; there are ${known.join(', ')}`)
}
