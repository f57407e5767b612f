//! The runtime APIs by which clients of Bittensor read the chain, and `YumaRuntimeApi`, by which any language runs
//! the chain's own epoch arithmetic on values of its choice.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod rpc_info;
pub mod yuma;

use alloc::vec::Vec;
use codec::{Compact, Decode, Encode};
use pallet_subtensor::{FixedU128, LockState};
use polkadot_sdk::{sp_api, sp_core::crypto::AccountId32};
use rpc_info::{
    delegate_info::DelegateInfo,
    dynamic_info::DynamicInfo,
    metagraph::{Metagraph, SelectiveMetagraph},
    neuron_info::{NeuronInfo, NeuronInfoLite},
    show_subnet::SubnetState,
    stake_info::StakeInfo,
    subnet_info::{HyperparamEntry, SubnetHyperparams, SubnetHyperparamsV2, SubnetInfo, SubnetInfov2},
};
use scale_info::TypeInfo;

/// What a swap of TAO and alpha would move, in rao.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SimSwapResult {
    pub tao_amount: u64,
    pub alpha_amount: u64,
    pub tao_fee: u64,
    pub alpha_fee: u64,
    /// TAO that the move of the price costs, against the price before the swap.
    pub tao_slippage: u64,
    /// Alpha that the move of the price costs, against the price before the swap.
    pub alpha_slippage: u64,
}

/// Price of one alpha of a subnet, in rao.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SubnetPrice {
    pub netuid: u16,
    pub price: u64,
}

sp_api::decl_runtime_apis! {
    /// Reads the neurons of a subnet.
    pub trait NeuronInfoRuntimeApi {
        fn get_neurons(netuid: u16) -> Vec<NeuronInfo>;
        fn get_neuron(netuid: u16, uid: u16) -> Option<NeuronInfo>;
        fn get_neurons_lite(netuid: u16) -> Vec<NeuronInfoLite>;
        fn get_neuron_lite(netuid: u16, uid: u16) -> Option<NeuronInfoLite>;
    }

    /// Reads subnets, their rules and their metagraphs.
    pub trait SubnetInfoRuntimeApi {
        fn get_subnet_info(netuid: u16) -> Option<SubnetInfo>;
        fn get_subnets_info() -> Vec<Option<SubnetInfo>>;
        fn get_subnet_info_v2(netuid: u16) -> Option<SubnetInfov2>;
        fn get_subnets_info_v2() -> Vec<Option<SubnetInfov2>>;
        fn get_subnet_hyperparams(netuid: u16) -> Option<SubnetHyperparams>;
        fn get_subnet_hyperparams_v2(netuid: u16) -> Option<SubnetHyperparamsV2>;
        fn get_subnet_hyperparams_v3(netuid: u16) -> Option<Vec<HyperparamEntry>>;
        fn get_all_dynamic_info() -> Vec<Option<DynamicInfo>>;
        fn get_dynamic_info(netuid: u16) -> Option<DynamicInfo>;
        fn get_all_metagraphs() -> Vec<Option<Metagraph>>;
        fn get_metagraph(netuid: u16) -> Option<Metagraph>;
        fn get_all_mechagraphs() -> Vec<Option<Metagraph>>;
        fn get_mechagraph(netuid: u16, mecid: u8) -> Option<Metagraph>;
        fn get_subnet_state(netuid: u16) -> Option<SubnetState>;
        fn get_selective_metagraph(netuid: u16, metagraph_indexes: Vec<u16>) -> Option<SelectiveMetagraph>;
        fn get_selective_mechagraph(
            netuid: u16,
            subid: u8,
            metagraph_indexes: Vec<u16>,
        ) -> Option<SelectiveMetagraph>;
        fn get_next_epoch_start_block(netuid: u16) -> Option<u64>;
    }

    /// Reads hotkeys that take stake of others.
    pub trait DelegateInfoRuntimeApi {
        fn get_delegates() -> Vec<DelegateInfo>;
        fn get_delegate(delegate_account: AccountId32) -> Option<DelegateInfo>;
        fn get_delegated(delegatee_account: AccountId32) -> Vec<(DelegateInfo, (Compact<u16>, Compact<u64>))>;
    }

    /// Reads stakes.
    pub trait StakeInfoRuntimeApi {
        fn get_stake_info_for_coldkey(coldkey_account: AccountId32) -> Vec<StakeInfo>;
        fn get_stake_info_for_coldkeys(
            coldkey_accounts: Vec<AccountId32>,
        ) -> Vec<(AccountId32, Vec<StakeInfo>)>;
        fn get_stake_info_for_hotkey_coldkey_netuid(
            hotkey_account: AccountId32,
            coldkey_account: AccountId32,
            netuid: u16,
        ) -> Option<StakeInfo>;
        fn get_stake_fee(
            origin: Option<(AccountId32, u16)>,
            origin_coldkey_account: AccountId32,
            destination: Option<(AccountId32, u16)>,
            destination_coldkey_account: AccountId32,
            amount: u64,
        ) -> u64;
        fn get_coldkey_lock(coldkey: AccountId32, netuid: u16) -> Option<LockState>;
        /// Returns a hotkey's conviction, 64 fractional bits.
        fn get_hotkey_conviction(hotkey: AccountId32, netuid: u16) -> FixedU128;
        fn get_most_convicted_hotkey_on_subnet(netuid: u16) -> Option<AccountId32>;
    }

    /// Reads what a new subnet costs.
    pub trait SubnetRegistrationRuntimeApi {
        /// Returns the lock cost in rao.
        fn get_network_registration_cost() -> u64;
    }

    /// Reads prices and simulates swaps.
    pub trait SwapRuntimeApi {
        /// Returns the price of one alpha in rao.
        fn current_alpha_price(netuid: u16) -> u64;
        fn current_alpha_price_all() -> Vec<SubnetPrice>;
        fn sim_swap_tao_for_alpha(netuid: u16, tao: u64) -> SimSwapResult;
        fn sim_swap_alpha_for_tao(netuid: u16, alpha: u64) -> SimSwapResult;
    }
}
