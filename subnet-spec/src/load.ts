import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nearest } from '@arbor/shared/config'
import { SubnetError } from '@arbor/shared/errors'
import { inferenceFor, isInferenceSpecifier } from '../inference/specifier.ts'
import { defineSubnet, isSubnetSpec, type SubnetSpec } from './define.ts'

/** Specs that come with Arbor, loaded when named. */
const BUILT_IN: Readonly<Record<string, () => Promise<{ readonly default: unknown }>>> = {
  inference: () => import('../inference/spec.ts'),
  'inference-tiny': () => import('../inference/tiny.ts'),
  finetune: () => import('../finetune/spec.ts'),
  'finetune-tiny': () => import('../finetune/tiny.ts'),
}

/**
 * Loads a subnet by the name of a built-in one or by the absolute path (or file: URL) of a module whose default export it is.
 * `inference@NAME,…` makes the inference subnet of any model (inference/specifier.ts).
 * @throws SPEC_UNKNOWN, SPEC_SPECIFIER, SPEC_NOT_FOUND, SPEC_NOT_A_SPEC, SPEC_INVALID
 */
export const loadSpec = async (specifier: string): Promise<SubnetSpec> => {
  const exported = (await importSpec(specifier)).default
  if (!isSubnetSpec(exported)) {
    throw new SubnetError({
      code: 'SPEC_NOT_A_SPEC',
      message: `${specifier} has no subnet as its default export; write \`export default defineSubnet({ … })\``,
    })
  }
  return defineSubnet(exported)
}

/** Reads what a user wrote as a spec: a built-in name stays, and one of a model; a path becomes absolute. */
export const specifierOf = (text: string, cwd: string): string =>
  /[./\\]/.test(text) && !text.startsWith('file:') && !isInferenceSpecifier(text) ? resolve(cwd, text) : text

const importSpec = async (specifier: string): Promise<{ readonly default?: unknown }> => {
  const builtIn = Object.hasOwn(BUILT_IN, specifier) ? BUILT_IN[specifier] : undefined
  if (builtIn !== undefined) return builtIn()
  if (isInferenceSpecifier(specifier)) return { default: inferenceFor(specifier) }
  const url = specifier.startsWith('file:') ? specifier : isAbsolute(specifier) ? pathToFileURL(specifier).href : null
  if (url === null) throw unknownSpec(specifier)
  try {
    return await import(url)
  } catch (cause) {
    if (cause instanceof SubnetError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SubnetError({
      code: 'SPEC_NOT_FOUND',
      message: `The subnet spec ${specifier} cannot be loaded: ${why}; check the path`,
      cause,
    })
  }
}

const unknownSpec = (specifier: string): SubnetError => {
  const names = Object.keys(BUILT_IN)
  const near = nearest(specifier, names)
  const hint =
    near === null
      ? `built in are ${names.join(', ')}; any other is named by its absolute path`
      : `did you mean "${near}"?`
  return new SubnetError({ code: 'SPEC_UNKNOWN', message: `No subnet spec "${specifier}"; ${hint}` })
}
