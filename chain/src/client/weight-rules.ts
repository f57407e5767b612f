import type { Block, Hex, NetUid, Ss58, Uid } from '@arbor/shared/units'
import { toPlain } from './plain.ts'
import { entryOf, type Query, type Reader } from './reader.ts'
import { findStorage, type Runtime } from './runtime.ts'
import { storageIndex } from './salted.ts'

/** What decides, beside hyperparameters and stake, whether a hotkey may set or commit weights. */
export interface WeightRules {
  /** Mechanisms of the subnet. */
  readonly mechanisms: number
  /** Block of the hotkey's last row or commit in the mechanism; 0 for none, null without a uid. */
  readonly lastUpdate: Block | null
  /** Largest share of one weight, of 65 535. */
  readonly maxWeight: number
  /** Blocks before an epoch in which the owner may change no rule. */
  readonly freezeBlocks: number
  /** Block in which a free call of the hotkey failed last; null for none, or where that costs no pause. */
  readonly failedAt: Block | null
}

const ITEM = 'SubtensorModule.LastRateLimitedBlock'
/** Arbor's own: on Bittensor a call that failed costs no pause. */
const FAILED = 'FreeCallFailed'

/** Tells whether this runtime notes failed free calls. */
const notesFailures = (runtime: Runtime): boolean => {
  const { pallet, item } = entryOf(ITEM)
  const type = findStorage(runtime, pallet, item)?.meta.type
  if (type === undefined || !type.isMap) return false
  const { def } = runtime.registry.lookup.getSiType(type.asMap.key)
  return def.isVariant && def.asVariant.variants.some(({ name }) => name.eq(FAILED))
}

const optional = (query: Query): Query => ({ ...query, optional: true })

/** Reads the rules of weights in one round trip. */
export async function readWeightRules(
  reader: Reader,
  { netuid, mechanism, hotkey }: { readonly netuid: NetUid; readonly mechanism: number; readonly hotkey: Ss58 },
  at: Hex,
): Promise<WeightRules> {
  const noted = notesFailures(await reader.runtimeAt(at))
  const [uid, count, limit, freeze, updates, failed] = (
    await reader.many(
      [
        entryOf('SubtensorModule.Uids', netuid, hotkey),
        optional(entryOf('SubtensorModule.MechanismCountCurrent', netuid)),
        optional(entryOf('SubtensorModule.MaxWeightsLimit', netuid)),
        optional(entryOf('SubtensorModule.AdminFreezeWindow')),
        entryOf('SubtensorModule.LastUpdate', storageIndex(netuid, mechanism)),
        ...(noted ? [entryOf(ITEM, { [FAILED]: hotkey })] : []),
      ],
      at,
    )
  ).map(toPlain)
  const failedAt = Number(failed ?? 0n)
  return {
    mechanisms: Number(count ?? 1n),
    lastUpdate: typeof uid === 'bigint' ? (Number((updates as bigint[])[Number(uid)] ?? 0n) as Block) : null,
    maxWeight: Number(limit ?? 65_535n),
    freezeBlocks: Number(freeze ?? 0n),
    failedAt: failedAt === 0 ? null : (failedAt as Block),
  }
}

/** Reads when each uid was registered last; 0 for one that nobody holds. */
export async function readRegisteredAt(
  reader: Reader,
  netuid: NetUid,
  uids: readonly Uid[],
  at: Hex,
): Promise<readonly Block[]> {
  const values = await reader.many(
    uids.map((uid) => entryOf('SubtensorModule.BlockAtRegistration', netuid, uid)),
    at,
  )
  return values.map((value) => Number(toPlain(value) ?? 0n) as Block)
}
