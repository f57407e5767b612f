import { SubnetError } from '@arbor/shared/errors'

/** A folder or file that is not there, or may not be read. */
export const missing = (path: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'DATASET_MISSING',
    message: `${path} cannot be read; check the path and its permissions`,
    details: { path },
    cause,
  })

/** A refusal of a file of a dataset's folder. */
export const invalidFile = (folder: string, name: string, what: string): SubnetError =>
  new SubnetError({
    code: 'DATASET_FILE_INVALID',
    message: `${name} of the dataset ${folder} is ${what}; restore the folder or make it again`,
    details: { folder, name, what },
  })

/** A refusal that names a field of card.json. */
export const invalidCard = (field: string, expected: string): SubnetError =>
  new SubnetError({
    code: 'DATASET_CARD_INVALID',
    message: `The dataset's card.json says no ${field} that is ${expected}; restore the folder or make it again`,
    details: { field, expected },
  })

/** More text than the limits allow. */
export const tooLarge = (what: string, of: { readonly found: number; readonly limit: number }): SubnetError =>
  new SubnetError({
    code: 'DATASET_TOO_LARGE',
    message: `${what}: ${of.found}, at most ${of.limit}; split it, take less with --only, or name a smaller folder`,
    details: { what, ...of },
  })

/** Fewer tokens than one window takes, or too few documents to hold one out. */
export const tooShort = (what: string, of: { readonly found: number; readonly least: number }): SubnetError =>
  new SubnetError({
    code: 'DATASET_TOO_SHORT',
    message: `${what}: ${of.found}, at least ${of.least} are needed; give more text`,
    details: { what, ...of },
  })

/** A dataset that a spec, or a model, does not go with. */
export const otherDataset = (what: string, of: { readonly found: string; readonly expected: string }): SubnetError =>
  new SubnetError({
    code: 'DATASET_OTHER',
    message: `${what} ${of.found} where ${of.expected} is expected; take the dataset that the spec names, or change the spec`,
    details: { what, ...of },
  })
