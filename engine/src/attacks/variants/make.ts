import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SubnetError } from '@arbor/shared/errors'
import { CARD, GRAPH_FILE, hashFiles, listFiles } from '../../folder.ts'
import { readGraph } from '../../graph/onnx.ts'
import { openSource } from '../../graph/source.ts'
import { type Matrix, roundToInt4, roundToInt8, stepOnce, zero } from './alter.ts'
import { editWeights } from './edit.ts'
import { linearWeights, notPossible, residualWrites, type Weight } from './weights.ts'

/** Other weights in the graph of an honest model, which keeps its size and its speed: what is cheaper in life is only imitated. */
export type Variant = 'int8' | 'int4' | 'fine-tune' | 'skip' | 'half'

/**
 * Makes a variant of a model folder, once: a copy whose weights are altered in place.
 * - `int8`: each linear layer rounded to 8 bits with one scale an output, and computed as before: activations stay exact
 * - `int4`: the same with 4 bits and one scale for each 32 weights
 * - `fine-tune`: every linear weight moved by 1e-4, up or down by a seed, as one step of an optimiser moves it
 * - `skip`: the middle layer adds nothing
 * - `half`: every second layer adds nothing
 * @param of.into folder that keeps variants, made when absent
 * @returns path of the variant's folder
 * @throws ATTACK_NOT_POSSIBLE when the model's weights cannot be altered so, MODEL_* when its files cannot be read
 */
export const makeVariant = async (of: {
  readonly folder: string
  readonly variant: Variant
  readonly into: string
}): Promise<string> => {
  const { folder, variant, into } = of
  const card = JSON.parse(await readFile(join(folder, CARD), 'utf8')) as Readonly<Record<string, unknown>>
  const made = join(into, `${variant}-${String(card.hash).slice(0, 16)}`)
  if (await exists(join(made, CARD))) return made
  const draft = join(into, `.draft-${randomUUID()}`)
  try {
    await copyFolder(folder, draft)
    await alterFolder(draft, variant)
    const { hash, files } = await hashFiles(draft, await listFiles(draft))
    const about = { name: `${card.name}-${variant}`, madeFrom: card.hash, hash: hash.slice(2), thresholds: [], files }
    await writeFile(join(draft, CARD), `${JSON.stringify({ ...card, ...about }, null, 2)}\n`)
    await rename(draft, made)
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined) // the error that led here counts
    if (await exists(join(made, CARD))) return made // another thread was faster
    throw error
  }
  return made
}

const alterFolder = async (folder: string, variant: Variant): Promise<void> => {
  const source = openSource(join(folder, GRAPH_FILE))
  let weights: readonly Weight[]
  try {
    weights = linearWeights(readGraph(source))
  } finally {
    source.close()
  }
  const { chosen, alter } = await alterationOf(folder, variant, weights)
  editWeights({ folder, graph: GRAPH_FILE, weights: chosen, alter })
}

const alterationOf = async (
  folder: string,
  variant: Variant,
  weights: readonly Weight[],
): Promise<{ readonly chosen: readonly Weight[]; readonly alter: (matrix: Matrix, index: number) => void }> => {
  if (variant === 'int8') return { chosen: weights, alter: roundToInt8 }
  if (variant === 'int4') return { chosen: weights, alter: roundToInt4 }
  if (variant === 'fine-tune') return { chosen: weights, alter: (matrix, index) => stepOnce(matrix, seedOf(index)) }
  const layers = residualWrites(weights, await layersOf(folder))
  const left =
    variant === 'skip' ? [layers.length >> 1] : layers.flatMap((_, layer) => (layer % 2 === 1 ? [layer] : []))
  if (left.length === 0) throw notPossible('it has one layer only')
  return { chosen: left.flatMap((layer) => layers[layer] ?? []), alter: zero }
}

const seedOf = (index: number): number =>
  createHash('sha256').update(`arbor/attack/fine-tune ${index}`).digest().readInt32LE() | 1 // odd, so not zero

const layersOf = async (folder: string): Promise<number> => {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Readonly<Record<string, unknown>>
  const text = (config.text_config ?? config) as Readonly<Record<string, unknown>>
  const layers = text.num_hidden_layers ?? text.n_layer
  if (typeof layers !== 'number') throw notPossible('its config.json does not say how many layers it has')
  return layers
}

const copyFolder = async (from: string, to: string): Promise<void> => {
  try {
    await mkdir(to, { recursive: true, mode: 0o700 })
    for (const name of await listFiles(from)) {
      if (name === CARD) continue
      await mkdir(dirname(join(to, name)), { recursive: true })
      await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE) // shares the bytes until they change
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SubnetError({
      code: 'ATTACK_FOLDER',
      message: `The weights of the attack cannot be written to ${to}: ${why}; free room or name another --data folder`,
      cause,
    })
  }
}

const exists = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
