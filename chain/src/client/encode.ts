import { SubnetError } from '@arbor/shared/errors'
import type { GenericCall } from '@polkadot/types'
import type { Runtime } from './runtime.ts'
import { callFunction } from './runtime.ts'
import type { Call } from './types.ts'

/**
 * Encodes a call by the names in the metadata; nested calls are encoded too.
 * @throws CHAIN_NO_ITEM when the runtime has no such call, CHAIN_CALL_ARGUMENT when an argument is missing, unknown or does not fit
 */
export function encodeCall(runtime: Runtime, call: Call): GenericCall {
  const build = callFunction(runtime, call.pallet, call.call)
  const names = build.meta.fields.map((field, index) =>
    field.name.isSome ? field.name.unwrap().toString() : String(index),
  )
  const where = `${call.pallet}.${call.call}`
  const unknown = Object.keys(call.args).find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw badArgument(where, unknown, `is unknown; the call takes ${names.join(', ') || 'none'}`)
  const values = names.map((name) => {
    if (!(name in call.args)) throw badArgument(where, name, 'is missing')
    return nested(runtime, call.args[name])
  })
  try {
    return build(...values) as unknown as GenericCall
  } catch (cause) {
    throw badArgument(where, names.join(', '), `do not fit: ${innermost(cause)}`, cause)
  }
}

/** Turns call values inside arguments into encoded calls. */
const nested = (runtime: Runtime, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((entry) => nested(runtime, entry))
  return isCall(value) ? encodeCall(runtime, value) : value
}

const isCall = (value: unknown): value is Call =>
  typeof value === 'object' && value !== null && 'pallet' in value && 'call' in value && 'args' in value

const badArgument = (where: string, name: string, what: string, cause?: unknown): SubnetError =>
  new SubnetError({
    code: 'CHAIN_CALL_ARGUMENT',
    message: `argument ${name} of ${where} ${what}`,
    details: { call: where, name },
    cause,
  })

/** The codec reports a chain of wrapped messages; only the last says what is wrong, and it may list a whole enum. */
const innermost = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split(':: ').slice(-2).join(': ').slice(0, 200)
