import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/**
 * Finds a smaller model of the same tokenizer beside a model's folder, such as arbor-tiny beside arbor-2m.
 * @returns the folder of the smallest graph; null where there is none
 */
export const siblingOf = async (folder: string): Promise<string | null> => {
  const own = await about(resolve(folder))
  const parent = dirname(resolve(folder))
  let best: { readonly folder: string; readonly bytes: number } | null = null
  for (const name of await readdir(parent)) {
    const other = join(parent, name)
    if (other === resolve(folder) || !existsSync(join(other, 'card.json'))) continue
    const { bytes, tokenizer, profile } = await about(other)
    if (profile !== own.profile || tokenizer !== own.tokenizer || bytes >= own.bytes) continue
    if (best === null || bytes < best.bytes) best = { folder: other, bytes }
  }
  return best?.folder ?? null
}

/** A card lists the files that are hashed, and a model's size is theirs. */
const about = async (
  folder: string,
): Promise<{ readonly bytes: number; readonly tokenizer: string; readonly profile: unknown }> => {
  const card = JSON.parse(await readFile(join(folder, 'card.json'), 'utf8')) as { readonly profile?: unknown }
  const names = (await readdir(folder)).filter((name) => name.startsWith('model.onnx'))
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  return { bytes, tokenizer: await readFile(join(folder, 'tokenizer.json'), 'utf8'), profile: card.profile }
}
