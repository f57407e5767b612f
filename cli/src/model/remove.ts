import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { withJson } from '@arbor/chain/options'
import { isModelName, MODELS } from '@arbor/engine/find-model'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { Command } from 'commander'
import { z } from 'zod'
import { print } from '../output.ts'
import { badName } from './add.ts'

/** What `arbor model remove` prints with --json. */
export const removedSchema = z.object({ name: z.string(), folder: z.string() })

/** Makes `arbor model remove`. */
export const removeCommand = (context: CommandContext): Command =>
  withJson(new Command('remove'))
    .description('remove a model that was added; those of the checkout stay')
    .argument('<name>', "the model's name")
    .option('--models <folder>', 'the folder that holds models', MODELS)
    .action(async (name: string, options: { readonly models: string; readonly json?: boolean }) => {
      if (!isModelName(name)) throw badName(name)
      const models = resolve(context.cwd, options.models)
      const folder = join(models, name)
      // Without its card a folder could be anything that somebody put there.
      if (!existsSync(join(folder, 'card.json'))) throw missing(name, folder)
      const gone = join(models, `.removing-${name}`)
      await rm(gone, { recursive: true, force: true })
      await rename(folder, gone) // at once, so that nobody opens half a model
      await rm(gone, { recursive: true, force: true })
      print(context, {
        json: options.json,
        schema: removedSchema,
        value: { name, folder },
        lines: [`Removed ${folder}`],
      })
    })

const missing = (name: string, folder: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_MISSING',
    message: `No model ${name} was added: there is no ${folder} with a card; see arbor model list`,
    details: { name, folder },
  })
