import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SubnetError } from '@arbor/shared/errors'

/** Where `arbor model add` puts models, below the working directory. */
export const MODELS = join('.arbor', 'models')
const CHECKOUT = fileURLToPath(new URL('../../models', import.meta.url))
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Whether a text is a model's name, and not the path of a folder. */
export const isModelName = (text: string): boolean => NAME.test(text)

/** The folders that hold models by name, first found first. */
export const modelRoots = (cwd: string): readonly string[] => [resolve(cwd, MODELS), CHECKOUT]

/**
 * Finds a model's folder: a name in `.arbor/models` of the working directory, then in the checkout's `models`; else it is a
 * path.
 * @throws MODEL_MISSING when there is no such folder
 */
export const findModel = (of: { readonly model: string; readonly cwd: string }): string => {
  const { model, cwd } = of
  const named = isModelName(model) ? modelRoots(cwd).map((root) => join(root, model)) : []
  const places = [...named, resolve(cwd, model)]
  const found = places.find((folder) => existsSync(folder))
  if (found !== undefined) return found
  throw new SubnetError({
    code: 'MODEL_MISSING',
    message: `There is no model ${model}: looked for ${places.join(', ')}; add it with arbor model add, or correct the name`,
    details: { model, places: places.join(', ') },
  })
}
