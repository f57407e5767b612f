import type { Hex } from '@arbor/shared/units'
import type { EventRecord } from '@polkadot/types/interfaces'
import { hexToU8a } from '@polkadot/util'
import type { EventName } from './needs/others.ts'
import { toPlain } from './plain.ts'
import { palletName, type Runtime } from './runtime.ts'
import type { ChainEvent } from './types.ts'

/** An event with the extrinsic that caused it; null for the block's own. */
export interface IndexedEvent extends ChainEvent {
  readonly extrinsic: number | null
}

/** Names an event's pallet and fields as the metadata does; unnamed fields are '0', '1', …. */
export function toEvent(runtime: Runtime, record: EventRecord): IndexedEvent {
  const { phase, event } = record
  const fields = event.meta.fields
  return {
    extrinsic: phase.isApplyExtrinsic ? phase.asApplyExtrinsic.toNumber() : null,
    pallet: palletName(runtime, event.index[0] ?? 0),
    name: event.method,
    data: Object.fromEntries(
      [...event.data].map((value, index) => {
        const name = fields[index]?.name
        return [name?.isSome ? name.unwrap().toString() : String(index), toPlain(value)]
      }),
    ),
  }
}

/** An error of a dispatch, by the chain's own name. */
export interface DispatchFailure {
  readonly error: string
  readonly docs: string
}

const FAILED: EventName = 'System.ExtrinsicFailed'
const INTERRUPTED: readonly string[] = ['Utility.BatchInterrupted', 'Utility.ItemFailed'] satisfies EventName[]
/** Events that carry the result of an inner call. */
const CARRIERS: readonly string[] = ['Sudo.Sudid'] satisfies EventName[]
/** Pallets whose events do so as well, for calls that others made. */
const FOREIGN_CARRIERS = ['Sudo', 'Proxy', 'Multisig', 'Utility']

/**
 * Finds why an extrinsic failed, also where the outer call succeeded and the inner one did not (sudo, proxy, batch).
 * @param events those of the extrinsic, in order
 */
export function findFailure(runtime: Runtime, events: readonly ChainEvent[]): DispatchFailure | null {
  for (const { pallet, name: event, data } of events) {
    const name = `${pallet}.${event}`
    if (name === FAILED) return describe(runtime, data.dispatch_error ?? data['0'])
    if (INTERRUPTED.includes(name)) return describe(runtime, data.error ?? Object.values(data).at(-1))
    if (!CARRIERS.includes(name) && !FOREIGN_CARRIERS.includes(pallet)) continue
    for (const value of Object.values(data)) if (isErr(value)) return describe(runtime, value.Err)
  }
  return null
}

const isErr = (value: unknown): value is { readonly Err: unknown } =>
  typeof value === 'object' && value !== null && 'Err' in value

const describe = (runtime: Runtime, error: unknown): DispatchFailure => {
  if (typeof error === 'string') return { error, docs: '' }
  const [[kind, inner] = ['Unknown', null]] = Object.entries((error ?? {}) as Record<string, unknown>)
  if (kind !== 'Module') return { error: typeof inner === 'string' ? `${kind}.${inner}` : kind, docs: '' }
  const { index, error: code } = inner as { readonly index: bigint; readonly error: Hex | bigint }
  const variant = typeof code === 'bigint' ? Number(code) : (hexToU8a(code)[0] ?? 0)
  const pallet = runtime.metadata.asLatest.pallets.find((entry) => entry.index.eq(Number(index)))
  const errors = pallet?.errors.isSome
    ? runtime.registry.lookup.getSiType(pallet.errors.unwrap().type).def.asVariant.variants
    : []
  const found = [...errors].find((entry) => entry.index.eq(variant))
  return {
    error: `${palletName(runtime, Number(index))}.${found?.name.toString() ?? `Error${variant}`}`,
    docs: found?.docs.map((line) => line.toString().trim()).join(' ') ?? '',
  }
}
