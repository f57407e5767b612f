import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { withJson } from '@arbor/chain/options'
import { parseCard } from '@arbor/engine/card'
import { isModelName, modelRoots } from '@arbor/engine/find-model'
import { CARD, readJson } from '@arbor/engine/folder'
import { isTrainingFolder } from '@arbor/engine/train/folder'
import type { CommandContext } from '@arbor/shared/command'
import { SubnetError } from '@arbor/shared/errors'
import { Command } from 'commander'
import { z } from 'zod'
import { print } from '../output.ts'
import { table } from '../table.ts'

/** What `arbor model list` prints with --json. */
export const listSchema = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      folder: z.string(),
      /** As the card claims; `arbor model show` hashes the files. */
      hash: z.string().nullable(),
      profile: z.string().nullable(),
      bytes: z.number().nullable(),
      /** What the card has limits for, as `fp32 cpu residue`. */
      thresholds: z.array(z.string()),
      /** Why the folder cannot be read; null where it can. */
      problem: z.string().nullable(),
    }),
  ),
})
type Listed = z.input<typeof listSchema>['models'][number]

/** Makes `arbor model list`. */
export const listCommand = (context: CommandContext): Command =>
  withJson(new Command('list'))
    .description('list the models that are found by name')
    .action(async (options: { readonly json?: boolean }) => {
      const models: Listed[] = []
      for (const root of modelRoots(context.cwd)) {
        for (const name of await namesIn(root)) {
          // A model of the working directory hides one of the checkout, as it does wherever a name is looked up.
          if (!models.some((each) => each.name === name)) models.push(await read(name, join(root, name)))
        }
      }
      const rows = models.map((each) => [
        each.name,
        each.profile ?? '–',
        each.bytes === null ? '–' : `${(each.bytes / 1e6).toFixed(1)} MB`,
        each.hash?.slice(0, 16) ?? '–',
        each.problem ?? (each.thresholds.join(', ') || 'not calibrated'),
      ])
      print(context, {
        json: options.json,
        schema: listSchema,
        value: { models },
        lines:
          models.length === 0
            ? ['There are no models.']
            : table(['model', 'profile', 'size', 'hash', 'limits for'], rows),
      })
    })

const namesIn = async (root: string): Promise<string[]> => {
  try {
    const entries = await readdir(root, { withFileTypes: true })
    return entries
      .filter((entry) => !entry.isFile() && isModelName(entry.name) && !isTrainingFolder(join(root, entry.name)))
      .map(({ name }) => name)
      .sort()
  } catch {
    return [] // no model was added here yet
  }
}

const read = async (name: string, folder: string): Promise<Listed> => {
  try {
    const card = parseCard(await readJson(folder, CARD))
    return {
      name,
      folder,
      hash: card.hash,
      profile: card.profile,
      bytes: card.files.reduce((sum, { bytes }) => sum + bytes, 0),
      thresholds: card.thresholds.map(({ profile, provider, proof }) => `${profile} ${provider} ${proof}`),
      problem: null,
    }
  } catch (error) {
    const problem = error instanceof SubnetError ? error.message : 'its card cannot be read'
    return { name, folder, hash: null, profile: null, bytes: null, thresholds: [], problem }
  }
}
