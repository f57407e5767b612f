import type { InferenceEngine } from '@arbor/shared/inference'
import { readModelFolder } from '../folder.ts'
import type { OpenEngineOptions, OpenedEngine } from '../open.ts'
import { type OpenedForge, openForge } from './forge.ts'
import { attackOf } from './list.ts'
import { makeAttack } from './make.ts'
import { siblingOf } from './sibling.ts'
import type { AttackDeps, AttackModule, AttackWeights } from './types.ts'
import { makeVariant } from './variants/make.ts'

/**
 * Opens a model as an attack sees it: an engine that claims to be the honest one, and generates by the attack.
 * @param of.folder the honest model
 * @param of.into folder that keeps altered weights, made when absent
 * @throws ATTACK_UNKNOWN, ATTACK_NOT_POSSIBLE, ATTACK_FOLDER, and what `openEngine` throws
 */
export const openAttack = async (
  of: OpenEngineOptions & {
    readonly attack: string
    readonly into: string
    readonly random: AttackDeps['random']
  },
): Promise<OpenedEngine> => {
  const about = attackOf(of.attack)
  const { id } = await readModelFolder(of)
  const forges = await openForges(about, { ...of, claims: id })
  const close = async (): Promise<void> => {
    await Promise.all([...new Set([forges.engine, forges.honest])].map((forge) => forge.close()))
  }
  try {
    const { generate } = makeAttack(of.attack, { ...forges, random: of.random })
    const answer: InferenceEngine['generate'] = (request, options = {}) => generate(request, options)
    return { ...forges.honest, generate: answer, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Opens no model twice: an attack on the honest weights, or without them, has one. */
const openForges = async (
  { weights, needsHonest }: AttackModule,
  of: OpenEngineOptions & { readonly into: string },
): Promise<{ readonly engine: OpenedForge; readonly honest: OpenedForge }> => {
  const folder = await weightsFolder({ ...of, weights })
  const engine = await openForge({ ...of, folder })
  if (!needsHonest || weights === 'honest') return { engine, honest: engine }
  try {
    return { engine, honest: await openForge(of) }
  } catch (error) {
    await engine.close()
    throw error
  }
}

/**
 * Finds or makes the folder of an attack's weights. Where no smaller model lies beside the honest one, half of its layers is one.
 * @throws ATTACK_NOT_POSSIBLE, ATTACK_FOLDER
 */
export const weightsFolder = async (of: {
  readonly folder: string
  readonly weights: AttackWeights
  readonly into: string
}): Promise<string> => {
  const { folder, weights, into } = of
  if (weights === 'honest') return folder
  if (weights !== 'sibling') return makeVariant({ folder, variant: weights, into })
  return (await siblingOf(folder)) ?? makeVariant({ folder, variant: 'half', into })
}
