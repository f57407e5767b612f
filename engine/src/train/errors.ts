import { SubnetError } from '@arbor/shared/errors'

/** The training folder is not what its card says, or its card is none. */
export const folderInvalid = (folder: string, what: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'TRAIN_FOLDER_INVALID',
    message: `The training folder ${folder} ${what}; restore it, or make it again by scripts/models/export_step.py`,
    details: { folder, what },
    cause,
  })

/** Step graphs and model do not belong together. */
export const modelMismatch = (of: { readonly folder: string; readonly found: string; readonly expected: string }) =>
  new SubnetError({
    code: 'TRAIN_MODEL_MISMATCH',
    message: `The training folder ${of.folder} belongs to the model ${of.expected}, not to ${of.found}; name the model that it was made for`,
    details: of,
  })

/** The model's file does not hold a parameter as the step graph takes it. */
export const tensorUnfit = (tensor: string, what: string): SubnetError =>
  new SubnetError({
    code: 'TRAIN_TENSOR_UNFIT',
    message: `The model's tensor for ${tensor} ${what}; train the fp32 model that the training folder was made for`,
    details: { tensor, what },
  })

/** Numbers are not as many as the layout has. */
export const wrongSize = (what: string, found: number, expected: number): SubnetError =>
  new SubnetError({
    code: 'TRAIN_SIZE_INVALID',
    message: `${what} has ${found} numbers, the model ${expected}; take them from the same model`,
    details: { what, found, expected },
  })

/** No graph takes such a batch. */
export const batchUnfit = (what: string, found: number, least: number, most: number): SubnetError =>
  new SubnetError({
    code: 'TRAIN_BATCH_INVALID',
    message: `${what} is ${found}, the step graph takes ${least} to ${most}; correct the terms`,
    details: { what, found, least, most },
  })

/** A window does not lie in its tokens, or the model does not know one of them. */
export const windowUnfit = (what: string): SubnetError =>
  new SubnetError({
    code: 'TRAIN_WINDOW_INVALID',
    message: `A window ${what}; check the data's tokenizer and where windows start`,
    details: { what },
  })

/** Training, or what is measured, left the numbers. */
export const notFinite = (what: string, step: number | null): SubnetError =>
  new SubnetError({
    code: 'TRAIN_NOT_FINITE',
    message: `The ${what}${step === null ? '' : ` at step ${step}`} is not finite; start from other parameters or a lower learning rate`,
    details: { what, step },
  })

/** The trainer was closed. */
export const trainerClosed = (): SubnetError =>
  new SubnetError({ code: 'TRAIN_CLOSED', message: 'The trainer is closed; open it again' })
