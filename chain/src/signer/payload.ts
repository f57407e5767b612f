import { sameBytes } from '@arbor/shared/protocol/canonical'
import type { GenericCall } from '@polkadot/types'
import type { CallFunction } from '@polkadot/types/types'
import { toPlain } from '../client/plain.ts'
import { palletName, type Runtime } from '../client/runtime.ts'
import { type Extra, readExtensions } from './extensions.ts'
import { type Forbidden, forbid } from './rules.ts'

/** A payload that the signer has read wholly: these bytes say this and nothing else. */
export interface ReadPayload extends Extra {
  /** As Pallet.call in the metadata. */
  readonly call: string
  /** Arguments by metadata name; numbers are bigint. */
  readonly args: Readonly<Record<string, unknown>>
}

/** Names the call that a payload begins with; null when the runtime has none of that number. */
export const callOf = (
  runtime: Runtime,
  payload: Uint8Array,
): { readonly name: string; readonly build: CallFunction } | null => {
  if (payload.length < 2) return null
  try {
    const build = runtime.registry.findMetaCall(payload.subarray(0, 2))
    return { name: `${palletName(runtime, payload[0] ?? 0)}.${build.meta.name.toString()}`, build }
  } catch {
    return null // the codec's only way to say that there is no such call
  }
}

/** Names a call's arguments as the metadata does. */
export const argumentNames = (build: CallFunction): readonly string[] =>
  build.meta.fields.map((field, index) => (field.name.isSome ? field.name.unwrap().toString() : String(index)))

/** Tells whether a call carries calls, as its types say. */
export const carriesCalls = (build: CallFunction): boolean =>
  build.meta.fields.some(({ typeName }) => typeName.isSome && /Call\b/.test(typeName.unwrap().toString()))

/**
 * Reads a payload to its last byte. The codec is lenient (it takes what is missing for zeros), so that what was read is
 * written again and must give the same bytes.
 */
export const readPayload = (
  runtime: Runtime,
  payload: Uint8Array,
): { readonly ok: true; readonly read: ReadPayload } | Forbidden => {
  const found = callOf(runtime, payload)
  if (found === null) return forbid('bytes', 'the payload does not begin with a call of this chain')
  const { name, build } = found
  let call: GenericCall
  let written: Uint8Array
  try {
    call = runtime.registry.createTypeUnsafe<GenericCall>('Call', [payload])
    written = call.toU8a()
  } catch {
    return forbid('bytes', `the arguments of ${name} cannot be read`)
  }
  if (!sameBytes(written, payload.subarray(0, written.length)))
    return forbid('bytes', `the arguments of ${name} are cut short, or in another spelling than the chain's`)
  const extensions = readExtensions(runtime, payload.subarray(written.length))
  if (!extensions.ok) return extensions
  const names = argumentNames(build)
  const args = Object.fromEntries(call.args.map((value, index) => [names[index] ?? '', toPlain(value)]))
  return { ok: true, read: { ...extensions.extra, call: name, args } }
}
