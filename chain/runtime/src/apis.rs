//! The runtime APIs: Substrate's own, and those by which clients of Bittensor read the chain.

use super::*;

use crate::info::{delegates, for_all, hyperparams, metagraph, neurons, stakes, subnets, swaps};
use arbor_runtime_api::{
    rpc_info::{
        delegate_info::DelegateInfo,
        dynamic_info::DynamicInfo,
        metagraph::{Metagraph, SelectiveMetagraph},
        neuron_info::{NeuronInfo, NeuronInfoLite},
        show_subnet::SubnetState,
        stake_info::StakeInfo,
        subnet_info::{HyperparamEntry, SubnetHyperparams, SubnetHyperparamsV2, SubnetInfo, SubnetInfov2},
    },
    SimSwapResult, SubnetPrice,
};
use codec::Compact;
use frame_support::{
    genesis_builder_helper::{build_state, get_preset},
    weights::Weight,
};
use pallet_subtensor::{FixedU128, LockState};
use pallet_transaction_payment::{FeeDetails, RuntimeDispatchInfo};
use sp_api::impl_runtime_apis;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_core::{crypto::KeyTypeId, OpaqueMetadata};
use sp_runtime::{
    traits::{Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
    ApplyExtrinsicResult,
};

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            <Version as frame_support::traits::Get<RuntimeVersion>>::get()
        }
        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }
        fn initialize_block(header: &<Block as BlockT>::Header) -> sp_runtime::ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }
        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            crate::metadata::at_version(version)
        }
        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }
        fn finalize_block() -> <Block as BlockT>::Header {
            Executive::finalize_block()
        }
        fn inherent_extrinsics(data: sp_inherents::InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
            data.create_extrinsics()
        }
        fn check_inherents(
            block: <Block as BlockT>::LazyBlock,
            data: sp_inherents::InherentData,
        ) -> sp_inherents::CheckInherentsResult {
            data.check_extrinsics(&block)
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            tx: <Block as BlockT>::Extrinsic,
            block_hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, tx, block_hash)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &<Block as BlockT>::Header) {
            Executive::offchain_worker(header)
        }
    }

    impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
        fn slot_duration() -> sp_consensus_aura::SlotDuration {
            sp_consensus_aura::SlotDuration::from_millis(pallet_block_time::SlotDurationMs::<Runtime>::get())
        }
        fn authorities() -> Vec<AuraId> {
            pallet_aura::Authorities::<Runtime>::get().into_inner()
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(owner: Vec<u8>, seed: Option<Vec<u8>>) -> sp_session::OpaqueGeneratedSessionKeys {
            SessionKeys::generate(&owner, seed).into()
        }
        fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            SessionKeys::decode_into_raw_public_keys(&encoded)
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
            Grandpa::grandpa_authorities()
        }
        fn current_set_id() -> sp_consensus_grandpa::SetId {
            Grandpa::current_set_id()
        }
        fn submit_report_equivocation_unsigned_extrinsic(
            _equivocation_proof: sp_consensus_grandpa::EquivocationProof<
                <Block as BlockT>::Hash,
                NumberFor<Block>,
            >,
            _key_owner_proof: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            None
        }
        fn generate_key_ownership_proof(
            _set_id: sp_consensus_grandpa::SetId,
            _authority_id: sp_consensus_grandpa::AuthorityId,
        ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
            None
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance> for Runtime {
        fn query_info(uxt: <Block as BlockT>::Extrinsic, len: u32) -> RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_info(uxt, len)
        }
        fn query_fee_details(uxt: <Block as BlockT>::Extrinsic, len: u32) -> FeeDetails<Balance> {
            TransactionPayment::query_fee_details(uxt, len)
        }
        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }
        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<Block, Balance, RuntimeCall>
        for Runtime
    {
        fn query_call_info(call: RuntimeCall, len: u32) -> RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_call_info(call, len)
        }
        fn query_call_fee_details(call: RuntimeCall, len: u32) -> FeeDetails<Balance> {
            TransactionPayment::query_call_fee_details(call, len)
        }
        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }
        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(config)
        }
        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, genesis::preset)
        }
        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            genesis::preset_names()
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(
            extra: bool,
        ) -> (Vec<frame_benchmarking::BenchmarkList>, Vec<frame_support::traits::StorageInfo>) {
            crate::benchmarks::list(extra)
        }
        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            crate::benchmarks::run(config)
        }
    }

    impl arbor_runtime_api::yuma::YumaRuntimeApi<Block> for Runtime {
        fn run_epoch(input: arbor_math::EpochInput) -> arbor_math::EpochOutput {
            arbor_math::run_epoch(&input)
        }
        fn compute(query: arbor_math::MathQuery) -> arbor_math::MathAnswer {
            arbor_math::compute(&query)
        }
    }

    impl arbor_runtime_api::NeuronInfoRuntimeApi<Block> for Runtime {
        fn get_neurons(netuid: u16) -> Vec<NeuronInfo> {
            neurons::all(netuid)
        }
        fn get_neuron(netuid: u16, uid: u16) -> Option<NeuronInfo> {
            neurons::one(netuid, uid)
        }
        fn get_neurons_lite(netuid: u16) -> Vec<NeuronInfoLite> {
            neurons::all_lite(netuid)
        }
        fn get_neuron_lite(netuid: u16, uid: u16) -> Option<NeuronInfoLite> {
            neurons::one_lite(netuid, uid)
        }
    }

    impl arbor_runtime_api::SubnetInfoRuntimeApi<Block> for Runtime {
        fn get_subnet_info(netuid: u16) -> Option<SubnetInfo> {
            subnets::info(netuid)
        }
        fn get_subnets_info() -> Vec<Option<SubnetInfo>> {
            for_all(subnets::info)
        }
        fn get_subnet_info_v2(netuid: u16) -> Option<SubnetInfov2> {
            subnets::info_v2(netuid)
        }
        fn get_subnets_info_v2() -> Vec<Option<SubnetInfov2>> {
            for_all(subnets::info_v2)
        }
        fn get_subnet_hyperparams(netuid: u16) -> Option<SubnetHyperparams> {
            hyperparams::v1(netuid)
        }
        fn get_subnet_hyperparams_v2(netuid: u16) -> Option<SubnetHyperparamsV2> {
            hyperparams::v2(netuid)
        }
        fn get_subnet_hyperparams_v3(netuid: u16) -> Option<Vec<HyperparamEntry>> {
            hyperparams::v3(netuid)
        }
        fn get_all_dynamic_info() -> Vec<Option<DynamicInfo>> {
            for_all(subnets::dynamic_info)
        }
        fn get_dynamic_info(netuid: u16) -> Option<DynamicInfo> {
            subnets::dynamic_info(netuid)
        }
        fn get_all_metagraphs() -> Vec<Option<Metagraph>> {
            for_all(|netuid| metagraph::metagraph(netuid, 0))
        }
        fn get_metagraph(netuid: u16) -> Option<Metagraph> {
            metagraph::metagraph(netuid, 0)
        }
        fn get_all_mechagraphs() -> Vec<Option<Metagraph>> {
            metagraph::all_mechanisms()
        }
        fn get_mechagraph(netuid: u16, mecid: u8) -> Option<Metagraph> {
            metagraph::metagraph(netuid, mecid)
        }
        fn get_subnet_state(netuid: u16) -> Option<SubnetState> {
            subnets::state(netuid)
        }
        fn get_selective_metagraph(netuid: u16, metagraph_indexes: Vec<u16>) -> Option<SelectiveMetagraph> {
            metagraph::selective(netuid, 0, metagraph_indexes)
        }
        fn get_selective_mechagraph(
            netuid: u16,
            subid: u8,
            metagraph_indexes: Vec<u16>,
        ) -> Option<SelectiveMetagraph> {
            metagraph::selective(netuid, subid, metagraph_indexes)
        }
        fn get_next_epoch_start_block(netuid: u16) -> Option<u64> {
            subnets::next_epoch(netuid)
        }
    }

    impl arbor_runtime_api::DelegateInfoRuntimeApi<Block> for Runtime {
        fn get_delegates() -> Vec<DelegateInfo> {
            delegates::all()
        }
        fn get_delegate(delegate_account: AccountId) -> Option<DelegateInfo> {
            delegates::one(delegate_account)
        }
        fn get_delegated(delegatee_account: AccountId) -> Vec<(DelegateInfo, (Compact<u16>, Compact<u64>))> {
            delegates::of_nominator(delegatee_account)
        }
    }

    impl arbor_runtime_api::StakeInfoRuntimeApi<Block> for Runtime {
        fn get_stake_info_for_coldkey(coldkey_account: AccountId) -> Vec<StakeInfo> {
            stakes::of_coldkey(coldkey_account)
        }
        fn get_stake_info_for_coldkeys(coldkey_accounts: Vec<AccountId>) -> Vec<(AccountId, Vec<StakeInfo>)> {
            stakes::of_coldkeys(coldkey_accounts)
        }
        fn get_stake_info_for_hotkey_coldkey_netuid(
            hotkey_account: AccountId,
            coldkey_account: AccountId,
            netuid: u16,
        ) -> Option<StakeInfo> {
            stakes::one(hotkey_account, coldkey_account, netuid)
        }
        fn get_stake_fee(
            origin: Option<(AccountId, u16)>,
            _origin_coldkey_account: AccountId,
            destination: Option<(AccountId, u16)>,
            _destination_coldkey_account: AccountId,
            amount: u64,
        ) -> u64 {
            swaps::stake_fee(origin.map(|(_, netuid)| netuid), destination.map(|(_, netuid)| netuid), amount)
        }
        // Stake cannot be locked here, so there is nothing to find.
        fn get_coldkey_lock(_coldkey: AccountId, _netuid: u16) -> Option<LockState> {
            None
        }
        fn get_hotkey_conviction(_hotkey: AccountId, _netuid: u16) -> FixedU128 {
            FixedU128::default()
        }
        fn get_most_convicted_hotkey_on_subnet(_netuid: u16) -> Option<AccountId> {
            None
        }
    }

    impl arbor_runtime_api::SubnetRegistrationRuntimeApi<Block> for Runtime {
        fn get_network_registration_cost() -> u64 {
            subnets::lock_cost()
        }
    }

    impl arbor_runtime_api::SwapRuntimeApi<Block> for Runtime {
        fn current_alpha_price(netuid: u16) -> u64 {
            swaps::price(netuid)
        }
        fn current_alpha_price_all() -> Vec<SubnetPrice> {
            swaps::prices()
        }
        fn sim_swap_tao_for_alpha(netuid: u16, tao: u64) -> SimSwapResult {
            swaps::tao_for_alpha(netuid, tao)
        }
        fn sim_swap_alpha_for_tao(netuid: u16, alpha: u64) -> SimSwapResult {
            swaps::alpha_for_tao(netuid, alpha)
        }
    }
}
