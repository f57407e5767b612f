import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isModelName } from '../find-model.ts'
import { missing } from './errors.ts'

/** Where `arbor finetune data make` puts datasets, below the working directory. */
export const DATASETS = join('.arbor', 'data')
const CHECKOUT = fileURLToPath(new URL('../../../data', import.meta.url))

/** The folders that hold datasets by name, first found first. */
export const datasetRoots = (cwd: string): readonly string[] => [resolve(cwd, DATASETS), CHECKOUT]

/**
 * Finds a dataset's folder: a name in `.arbor/data` of the working directory, then in the checkout's `data`; else it is a path.
 * @throws DATASET_MISSING when there is no such folder
 */
export const findDataset = (of: { readonly dataset: string; readonly cwd: string }): string => {
  const { dataset, cwd } = of
  const named = isModelName(dataset) ? datasetRoots(cwd).map((root) => join(root, dataset)) : []
  const places = [...named, resolve(cwd, dataset)]
  const found = places.find((folder) => existsSync(folder))
  if (found !== undefined) return found
  throw missing(`The dataset ${dataset}, looked for as ${places.join(', ')},`)
}
