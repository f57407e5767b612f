import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SubnetError } from '@arbor/shared/errors'

const checkout = fileURLToPath(new URL('../../../models', import.meta.url))

/** Finds where the checkout keeps a model, or its int8 copy. */
export const modelFolder = (name: string, { int8 }: { readonly int8: boolean }): string =>
  join(checkout, int8 ? `${name}-int8` : name)

/**
 * Expects the models that a local net needs, before anything is made or started.
 * @throws UP_NO_MODEL
 */
export function mustHaveModels({ name, cheats }: { readonly name: string; readonly cheats: number }): void {
  if (!existsSync(modelFolder(name, { int8: false })))
    throw noModel(modelFolder(name, { int8: false }), `correct the spec's model "${name}", or put its folder there`)
  if (cheats > 0 && !existsSync(modelFolder(name, { int8: true })))
    throw noModel(modelFolder(name, { int8: true }), 'the cheats need it: put it there, or start with --cheats 0')
}

const noModel = (folder: string, fix: string): SubnetError =>
  new SubnetError({ code: 'UP_NO_MODEL', message: `there is no model in ${folder}; ${fix}` })
