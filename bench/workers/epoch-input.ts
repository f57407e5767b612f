import { concatBytes } from '@arbor/shared/bytes'
import { compact, u64le } from '../../chain/src/embedded/scale.ts'

/** Size of an epoch: every one of the first `validators` uids gives a weight to every other uid. */
export interface EpochSize {
  readonly uids: number
  readonly validators: number
}

const bool = (value: boolean): Uint8Array => Uint8Array.of(value ? 1 : 0)
const u16 = (value: number): Uint8Array => Uint8Array.of(value & 255, value >> 8)
const list = (count: number, item: (index: number) => Uint8Array): Uint8Array =>
  concatBytes(compact(count), ...Array.from({ length: count }, (_, index) => item(index)))

/** Full rows, all different: an entry from each validator for each uid but its own. */
const rows = ({ uids, validators }: EpochSize, salt: number): Uint8Array =>
  list(uids, (from) => {
    if (from >= validators) return compact(0)
    const others = Array.from({ length: uids }, (_, uid) => uid).filter((uid) => uid !== from)
    const value = (uid: number): number => 1 + ((uid * 7_919 + from * 104_729 + salt) % 65_535)
    return list(others.length, (index) => {
      const uid = others[index] ?? 0
      return concatBytes(u16(uid), u16(value(uid)))
    })
  })

/** Encodes the argument of `YumaRuntimeApi_run_epoch`, rules as on a new subnet. @source chain/math/src/epoch/types.rs EpochInput */
export const epochInput = (size: EpochSize): Uint8Array => {
  const { uids, validators } = size
  const zeros = list(uids, () => u64le(0))
  return concatBytes(
    u16(uids),
    u64le(1_000), // current_block
    u16(360), // tempo
    u64le(5_000), // activity_cutoff
    list(uids, () => u64le(900)), // last_update
    zeros, // block_at_registration
    u64le(640), // last_mechanism_step_block
    list(uids, (uid) => u64le(uid < validators ? 1_000_000_000 * (1 + (uid % 17)) : 0)), // stake
    u64le(0), // min_stake
    bool(false), // owner_uid: none
    list(uids, (uid) => bool(uid < validators)), // validator_permits
    u16(validators), // max_allowed_validators
    rows(size, 0), // weights
    rows(size, 31_337), // bonds
    u16(32_767), // kappa
    u16(65_535), // bonds_penalty
    u64le(900_000), // bonds_moving_average
    bool(true), // yuma3
    bool(false), // liquid_alpha
    u16(45_875), // alpha_low
    u16(58_982), // alpha_high
    u16(1_000), // alpha_sigmoid_steepness
    bool(false), // commit_blocks: none
    u64le(360_000_000_000), // rao_emission
  )
}

/** Length of the part of an answer that says that the epoch paid: `n` rows of bonds can be no shorter. */
export const leastAnswerBytes = ({ uids, validators }: EpochSize): number => uids * validators * 4
