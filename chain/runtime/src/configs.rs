//! Configuration of every pallet. Constants are those of subtensor where it has them.

use super::*;

use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::{ConstBool, ConstU32, ConstU64, ConstU8, InstanceFilter, VariantCountOf},
    weights::{
        constants::{RocksDbWeight, WEIGHT_REF_TIME_PER_SECOND},
        ConstantMultiplier, Weight,
    },
};
use pallet_subtensor::{
    Bonds, BondsResetOn, Call as Subtensor, MechId, MechanismCountCurrent, NetUid, NetUidStorageIndex,
    SubnetEpochIndex, Uids,
};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::Perbill;

/// Share of a block that transactions may fill; the rest is for inherents and epochs.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);
/// Largest block body in bytes.
const MAX_BLOCK_BYTES: u32 = 10 * 1024 * 1024;

parameter_types! {
    pub const BlockHashCount: BlockNumber = 2400;
    pub RuntimeBlockWeights: frame_system::limits::BlockWeights =
        frame_system::limits::BlockWeights::with_sensible_defaults(
            Weight::from_parts(4 * WEIGHT_REF_TIME_PER_SECOND, u64::MAX),
            NORMAL_DISPATCH_RATIO,
        );
    pub RuntimeBlockLength: frame_system::limits::BlockLength = frame_system::limits::BlockLength::builder()
        .max_length(MAX_BLOCK_BYTES)
        .modify_max_length_for_class(DispatchClass::Normal, |max| *max = NORMAL_DISPATCH_RATIO * MAX_BLOCK_BYTES)
        .build();
    pub const SS58Prefix: u8 = 42;
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type AccountId = AccountId;
    type Nonce = Nonce;
    type Hash = Hash;
    type BlockHashCount = BlockHashCount;
    type DbWeight = RocksDbWeight;
    type Version = Version;
    type AccountData = pallet_balances::AccountData<Balance>;
    type SS58Prefix = SS58Prefix;
    type MaxConsumers = ConstU32<16>;
}

impl pallet_block_time::Config for Runtime {}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = pallet_block_time::HalfSlot<Runtime>;
    type WeightInfo = ();
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = AuraId;
    type DisabledValidators = ();
    type MaxAuthorities = ConstU32<32>;
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = pallet_block_time::SlotDuration<Runtime>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<32>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

impl pallet_balances::Config for Runtime {
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<50>;
    type ReserveIdentifier = [u8; 8];
    type Balance = Balance;
    type RuntimeEvent = RuntimeEvent;
    type DustRemoval = pallet_subtensor::RecycleImbalance<Runtime>;
    type ExistentialDeposit = ConstU64<500>;
    type AccountStore = System;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type DoneSlashHandler = ();
}

/// Units of reference time (picoseconds) that cost one rao: a transfer costs about 30 000 rao.
const REF_TIME_PER_RAO: u64 = 10_000;

/// Turns weight into a fee in rao.
pub struct WeightToFee;
impl frame_support::weights::WeightToFee for WeightToFee {
    type Balance = Balance;
    fn weight_to_fee(weight: &Weight) -> Balance {
        weight.ref_time() / REF_TIME_PER_RAO
    }
}

parameter_types! {
    pub FeeMultiplier: pallet_transaction_payment::Multiplier = sp_runtime::traits::One::one();
    pub const RaoPerByte: Balance = 1;
    pub const MaxCommitmentFields: u32 = 3;
}

// Fees and dust leave the issuance, so that they can be emitted again: no treasury and no author takes them.
impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction =
        pallet_transaction_payment::FungibleAdapter<Balances, pallet_subtensor::RecycleImbalance<Runtime>>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightToFee = WeightToFee;
    type LengthToFee = ConstantMultiplier<Balance, RaoPerByte>;
    type FeeMultiplierUpdate = pallet_transaction_payment::ConstFeeMultiplier<FeeMultiplier>;
    type WeightInfo = ();
}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = ();
}

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = ();
}

/// What a proxy may do for its principal; indices are those of subtensor, kinds that need absent pallets are left out.
#[derive(
    Copy,
    Clone,
    Eq,
    PartialEq,
    Ord,
    PartialOrd,
    Debug,
    Default,
    codec::Encode,
    codec::Decode,
    codec::DecodeWithMemTracking,
    codec::MaxEncodedLen,
    scale_info::TypeInfo,
)]
pub enum ProxyType {
    #[default]
    #[codec(index = 0)]
    Any,
    #[codec(index = 3)]
    NonTransfer,
    #[codec(index = 8)]
    Staking,
    #[codec(index = 9)]
    Registration,
    #[codec(index = 10)]
    Transfer,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        match self {
            ProxyType::Any => true,
            ProxyType::NonTransfer => !moves_funds_out(call),
            ProxyType::Staking => matches!(
                call,
                RuntimeCall::SubtensorModule(
                    Subtensor::add_stake { .. }
                        | Subtensor::add_stake_limit { .. }
                        | Subtensor::remove_stake { .. }
                        | Subtensor::remove_stake_limit { .. }
                )
            ),
            ProxyType::Registration => matches!(
                call,
                RuntimeCall::SubtensorModule(
                    Subtensor::burned_register { .. } | Subtensor::register_limit { .. }
                )
            ),
            ProxyType::Transfer => matches!(call, RuntimeCall::Balances(..)),
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        *self == ProxyType::Any || self == other
    }
}

/// Says whether a call can move funds away from its signer; sudo, since it wraps any call, counts as one.
fn moves_funds_out(call: &RuntimeCall) -> bool {
    matches!(call, RuntimeCall::Balances(..) | RuntimeCall::Sudo(..))
}

impl pallet_proxy::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type ProxyType = ProxyType;
    type ProxyDepositBase = ConstU64<60_000_000>;
    type ProxyDepositFactor = ConstU64<33_000_000>;
    type MaxProxies = ConstU32<20>;
    type WeightInfo = ();
    type MaxPending = ConstU32<75>;
    type CallHasher = BlakeTwo256;
    type AnnouncementDepositBase = ConstU64<36_000_000>;
    type AnnouncementDepositFactor = ConstU64<68_000_000>;
    type BlockNumberProvider = System;
}

/// Lets the pallet of the subnets ask for the pulses.
pub struct StoredPulses;
impl pallet_subtensor::Beacon for StoredPulses {
    fn last_round() -> u64 {
        pallet_drand::LastStoredRound::<Runtime>::get()
    }

    fn signature(round: u64) -> Option<[u8; 48]> {
        Drand::signature(round)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn store(round: u64, signature: [u8; 48]) {
        let pulse = pallet_drand::Pulse {
            round,
            randomness: Default::default(),
            signature: frame_support::BoundedVec::truncate_from(signature.to_vec()),
        };
        pallet_drand::Pulses::<Runtime>::insert(round, pulse);
        pallet_drand::LastStoredRound::<Runtime>::mutate(|last| *last = round.max(*last));
    }
}

/// Milliseconds of a slot for each timelocked commit that a block may try to open: opening takes about 10 ms of a
/// WebAssembly engine, and whoever makes a block executes it twice, so this is a fifth of the slot.
const SLOT_MS_PER_OPENED: u64 = 100;

/// Lets a block of one second try 10 timelocked commits and one of twelve seconds 120.
pub struct OpenedPerBlock;
impl frame_support::traits::Get<u32> for OpenedPerBlock {
    fn get() -> u32 {
        let slot = pallet_block_time::SlotDurationMs::<Runtime>::get();
        u32::try_from(slot / SLOT_MS_PER_OPENED).map_or(128, |count| count.clamp(4, 128))
    }
}

impl pallet_drand::Config for Runtime {
    type Public = sp_runtime::MultiSigner;
    type Signature = Signature;
    type UnixTime = Timestamp;
    type WeightInfo = pallet_drand::weight_info::MeasuredWeight<Runtime>;
    type UnsignedPriority = ConstU64<1_048_576>;
    type MaxKeptRounds = ConstU64<216_000>;
}

impl pallet_subtensor::Config for Runtime {
    type WeightInfo = pallet_subtensor::weight_info::MeasuredWeight<Runtime>;
    type Currency = Balances;
    type Beacon = StoredPulses;
    type MaxOpenedPerBlock = OpenedPerBlock;
}

impl pallet_admin_utils::Config for Runtime {
    type WeightInfo = pallet_admin_utils::weight_info::MeasuredWeight<Runtime>;
}

/// Lets the commitments pallet ask the subnets.
pub struct CommitmentSubnets;
impl pallet_commitments::Subnets<AccountId> for CommitmentSubnets {
    fn is_registered(netuid: u16, hotkey: &AccountId) -> bool {
        Uids::<Runtime>::contains_key(NetUid(netuid), hotkey)
    }

    fn epoch_index(netuid: u16) -> u64 {
        SubnetEpochIndex::<Runtime>::get(NetUid(netuid))
    }

    fn reset_bonds(netuid: u16, hotkey: &AccountId) -> bool {
        let netuid = NetUid(netuid);
        let Some(reset) = Uids::<Runtime>::get(netuid, hotkey) else {
            return false;
        };
        if !BondsResetOn::<Runtime>::get(netuid) {
            return false;
        }
        for mechanism in 0..MechanismCountCurrent::<Runtime>::get(netuid) {
            let index = NetUidStorageIndex::new(netuid, MechId(mechanism));
            let rows: Vec<_> = Bonds::<Runtime>::iter_prefix(index).collect();
            for (validator, mut row) in rows {
                row.retain(|(uid, _)| *uid != reset);
                Bonds::<Runtime>::insert(index, validator, row);
            }
        }
        true
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn full_subnet(netuid: u16) -> AccountId {
        let netuid = NetUid(netuid);
        pallet_subtensor::benchmarking::subnet::<Runtime>(netuid, 256);
        pallet_subtensor::benchmarking::full_rows::<Runtime>(netuid, 256);
        BondsResetOn::<Runtime>::insert(netuid, true);
        pallet_subtensor::Keys::<Runtime>::get(netuid, 9)
    }
}

impl pallet_commitments::Config for Runtime {
    type WeightInfo = pallet_commitments::weight_info::MeasuredWeight<Runtime>;
    type Subnets = CommitmentSubnets;
    type MaxFields = MaxCommitmentFields;
    type InitialDeposit = ConstU64<0>;
    type FieldDeposit = ConstU64<0>;
}
