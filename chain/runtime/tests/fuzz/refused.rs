//! Calls that this chain has for their place in the list, and refuses.

use arbor_runtime::Runtime;
use pallet_subtensor::Error;
use polkadot_sdk::sp_runtime::DispatchError;

/// Why a call of SubtensorModule is refused whatever its arguments are, and whether root alone gets to hear it;
/// `None` for calls that can succeed.
pub fn refusal(call: &str) -> Option<(DispatchError, bool)> {
    let error: Error<Runtime> = match call {
        // A subnet's stake would have to be paid out in one block.
        "dissolve_network" | "root_dissolve_network" => Error::SubnetRemovalNotSupported,
        // Stake stands with the hotkey that it was added to.
        "set_children" | "set_childkey_take" => Error::ChildKeysNotSupported,
        // Keys are what a neuron, its stake and its rows are stored under.
        "swap_hotkey" | "swap_hotkey_v2" => Error::HotkeySwapNotSupported,
        "swap_coldkey"
        | "announce_coldkey_swap"
        | "swap_coldkey_announced"
        | "dispute_coldkey_swap"
        | "clear_coldkey_swap_announcement" => Error::ColdkeySwapNotSupported,
        // Removing and adding does the same in two steps.
        "move_stake" | "transfer_stake" | "swap_stake" | "swap_stake_limit" => Error::StakeMovesNotSupported,
        // Dividends of root stake are paid without being claimed.
        "claim_root" | "set_root_claim_type" => Error::RootClaimsNotSupported,
        "add_stake_burn" => Error::StakeBurnNotSupported,
        "lock_stake" | "move_lock" | "set_perpetual_lock" => Error::StakeLocksNotSupported,
        _ => return None,
    };
    let roots = matches!(
        call,
        "dissolve_network" | "root_dissolve_network" | "swap_coldkey"
    );
    Some((error.into(), roots))
}
