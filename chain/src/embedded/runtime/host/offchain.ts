import type { HostFunctions } from './context.ts'

/**
 * Offchain functions. The embedded chain runs no offchain workers, so it says so where the runtime may ask (validators: no;
 * index: nothing is kept), and refuses the rest as it does every unknown function.
 * @source sp_io::{offchain, offchain_index, transaction_index}
 */
export const offchainFunctions = (): HostFunctions => ({
  ext_offchain_is_validator_version_1: () => 0,
  ext_offchain_index_set_version_1: () => undefined,
  ext_offchain_index_clear_version_1: () => undefined,
  ext_transaction_index_index_version_1: () => undefined,
  ext_transaction_index_renew_version_1: () => undefined,
})
