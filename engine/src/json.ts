import { SubnetError } from '@arbor/shared/errors'

/** An object of a JSON file, its fields not looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>

/** A refusal that names the field of a model folder's JSON files. */
export const invalidField = (field: string, expected: string): SubnetError =>
  new SubnetError({
    code: 'MODEL_CARD_INVALID',
    message: `The model folder's ${field} is not ${expected}; make the folder again or restore it`,
    details: { field },
  })

/** @throws MODEL_CARD_INVALID */
export const record = (value: unknown, field: string): JsonObject => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidField(field, 'an object')
  return value as JsonObject
}

/** @throws MODEL_CARD_INVALID */
export const list = (value: unknown, field: string): readonly unknown[] => {
  if (!Array.isArray(value)) throw invalidField(field, 'a list')
  return value
}

/** @throws MODEL_CARD_INVALID */
export const text = (value: unknown, field: string): string => {
  if (typeof value !== 'string' || value === '') throw invalidField(field, 'text')
  return value
}

/** @throws MODEL_CARD_INVALID */
export const number = (value: unknown, field: string): number => {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw invalidField(field, 'a number of at least 0')
  return value
}

/** @throws MODEL_CARD_INVALID */
export const integer = (value: unknown, field: string): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw invalidField(field, 'an integer of at least 0')
  return value
}
