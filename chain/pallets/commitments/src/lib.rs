//! Small records that registered hotkeys publish about themselves: a model's address, a hash, a receipt root.
//!
//! A hotkey keeps one record per subnet and may write [`MaxSpace`](pallet::MaxSpace) bytes each epoch; calls cost
//! no fee, that quota is what they cost. Names, indices and layouts are those of subtensor's pallet. Time-locked
//! fields are refused: this chain has no randomness beacon to open them with.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weight_info;

pub use pallet::*;
#[cfg(feature = "runtime-benchmarks")]
use polkadot_sdk::frame_benchmarking;
use polkadot_sdk::{frame_support, frame_system};
pub use types::{CommitmentInfo, Data, Registration, UsageTracker};

/// What the pallet asks of the subnets.
pub trait Subnets<AccountId> {
    /// Says whether the hotkey is registered on the subnet.
    fn is_registered(netuid: u16, hotkey: &AccountId) -> bool;
    /// Returns a number that rises with every epoch of the subnet.
    fn epoch_index(netuid: u16) -> u64;
    /// Drops the bonds of all validators to the hotkey, where the subnet allows it; says whether it did.
    fn reset_bonds(netuid: u16, hotkey: &AccountId) -> bool;
    /// Makes a full subnet whose validators all have bonds to the hotkey that is returned.
    #[cfg(feature = "runtime-benchmarks")]
    fn full_subnet(netuid: u16) -> AccountId;
}

#[frame_support::pallet]
pub mod pallet {
    use super::{weight_info::WeightInfo, *};
    use alloc::{boxed::Box, vec::Vec};
    use frame_support::{dispatch::DispatchClass, pallet_prelude::*};
    use frame_system::pallet_prelude::*;

    /// Least space in bytes that one commitment is counted for.
    pub const MIN_COUNTED_BYTES: u64 = 100;

    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        type Subnets: super::Subnets<Self::AccountId>;
        /// What calls cost.
        type WeightInfo: WeightInfo;

        /// Most fields in one commitment.
        #[pallet::constant]
        type MaxFields: Get<u32> + 'static;
        /// Rao held for a commitment; zero.
        #[pallet::constant]
        type InitialDeposit: Get<u64>;
        /// Rao held for each field; zero.
        #[pallet::constant]
        type FieldDeposit: Get<u64>;
    }

    #[pallet::pallet]
    #[pallet::without_storage_info]
    pub struct Pallet<T>(_);

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A hotkey committed a record.
        #[codec(index = 0)]
        Commitment { netuid: u16, who: T::AccountId },
    }

    // Errors 0 to 3 stand where subtensor has them.
    #[pallet::error]
    pub enum Error<T> {
        /// The commitment has more fields than allowed.
        TooManyFieldsInCommitmentInfo,
        /// The account is not registered on the subnet.
        AccountNotAllowedCommit,
        /// The hotkey has written as much as it may in this epoch.
        SpaceLimitExceeded,
        /// A deposit could not be returned in full.
        UnexpectedUnreserveLeftover,
        /// The commitment has a time-locked field, which this chain does not open; commit its hash or its text.
        TimelockUnsupported,
    }

    #[pallet::type_value]
    pub fn DefaultMaxSpace() -> u32 {
        3_100
    }

    /// The record of each hotkey on each subnet.
    #[pallet::storage]
    pub type CommitmentOf<T: Config> = StorageDoubleMap<
        _,
        Identity,
        u16,
        Twox64Concat,
        T::AccountId,
        Registration<u64, T::MaxFields, BlockNumberFor<T>>,
        OptionQuery,
    >;

    /// Block of a hotkey's last commitment.
    #[pallet::storage]
    pub type LastCommitment<T: Config> =
        StorageDoubleMap<_, Identity, u16, Twox64Concat, T::AccountId, BlockNumberFor<T>, OptionQuery>;

    /// Block in which a hotkey last had its bonds reset.
    #[pallet::storage]
    pub type LastBondsReset<T: Config> =
        StorageDoubleMap<_, Identity, u16, Twox64Concat, T::AccountId, BlockNumberFor<T>, OptionQuery>;

    /// Bytes that a hotkey committed in its last active epoch.
    #[pallet::storage]
    pub type UsedSpaceOf<T: Config> =
        StorageDoubleMap<_, Identity, u16, Twox64Concat, T::AccountId, UsageTracker, OptionQuery>;

    /// Texts of time-locked fields and the blocks that opened them. Such fields are refused, so it stays empty.
    #[pallet::storage]
    pub type RevealedCommitments<T: Config> =
        StorageDoubleMap<_, Identity, u16, Twox64Concat, T::AccountId, Vec<(Vec<u8>, u64)>, OptionQuery>;

    /// Bytes that a hotkey may commit in one epoch.
    #[pallet::storage]
    pub type MaxSpace<T: Config> = StorageValue<_, u32, ValueQuery, DefaultMaxSpace>;

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Writes the caller's record on a subnet, in place of the one before.
        ///
        /// Signed by a hotkey; no fee. Emits `Commitment`. Fails with `AccountNotAllowedCommit`,
        /// `TooManyFieldsInCommitmentInfo`, `TimelockUnsupported` or `SpaceLimitExceeded`.
        #[pallet::call_index(0)]
        #[pallet::weight((commitment_weight::<T>(info), DispatchClass::Normal, Pays::No))]
        pub fn set_commitment(
            origin: OriginFor<T>,
            netuid: u16,
            info: Box<CommitmentInfo<T::MaxFields>>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(
                T::Subnets::is_registered(netuid, &who),
                Error::<T>::AccountNotAllowedCommit
            );
            ensure!(
                info.fields.len() as u32 <= T::MaxFields::get(),
                Error::<T>::TooManyFieldsInCommitmentInfo
            );
            ensure!(
                !info
                    .fields
                    .iter()
                    .any(|field| matches!(field, Data::TimelockEncrypted { .. })),
                Error::<T>::TimelockUnsupported
            );

            let usage = Self::charge_space(netuid, &who, &info)?;
            let block = frame_system::Pallet::<T>::block_number();
            let resets = info
                .fields
                .iter()
                .any(|field| matches!(field, Data::ResetBondsFlag));

            UsedSpaceOf::<T>::insert(netuid, &who, usage);
            LastCommitment::<T>::insert(netuid, &who, block);
            CommitmentOf::<T>::insert(
                netuid,
                &who,
                Registration {
                    deposit: 0,
                    block,
                    info: *info,
                },
            );
            if resets && T::Subnets::reset_bonds(netuid, &who) {
                LastBondsReset::<T>::insert(netuid, &who, block);
            }
            Self::deposit_event(Event::Commitment { netuid, who });
            Ok(())
        }

        /// Sets how many bytes a hotkey may commit in one epoch. Root only.
        #[pallet::call_index(2)]
        #[pallet::weight((T::WeightInfo::set_max_space(), DispatchClass::Operational, Pays::No))]
        pub fn set_max_space(origin: OriginFor<T>, new_limit: u32) -> DispatchResult {
            ensure_root(origin)?;
            MaxSpace::<T>::put(new_limit);
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// Returns the hotkey's usage with this commitment counted, or refuses it.
        fn charge_space(
            netuid: u16,
            who: &T::AccountId,
            info: &CommitmentInfo<T::MaxFields>,
        ) -> Result<UsageTracker, Error<T>> {
            let epoch = T::Subnets::epoch_index(netuid);
            let mut usage = UsedSpaceOf::<T>::get(netuid, who)
                .filter(|usage| usage.last_epoch == epoch)
                .unwrap_or(UsageTracker {
                    last_epoch: epoch,
                    used_space: 0,
                });
            let bytes: u64 = info.fields.iter().map(Data::len_for_quota).sum();
            usage.used_space = usage.used_space.saturating_add(bytes.max(MIN_COUNTED_BYTES));
            ensure!(
                usage.used_space <= u64::from(MaxSpace::<T>::get()),
                Error::<T>::SpaceLimitExceeded
            );
            Ok(usage)
        }

        /// Refuses what [`Self::charge_space`] refuses, without the rest of a commitment's checks.
        pub fn check_space(
            netuid: u16,
            who: &T::AccountId,
            info: &CommitmentInfo<T::MaxFields>,
        ) -> Result<(), Error<T>> {
            Self::charge_space(netuid, who, info).map(|_| ())
        }

        /// Forgets what a hotkey committed on a subnet, when its uid passes to another.
        pub fn forget(netuid: u16, who: &T::AccountId) {
            CommitmentOf::<T>::remove(netuid, who);
            LastCommitment::<T>::remove(netuid, who);
            LastBondsReset::<T>::remove(netuid, who);
            UsedSpaceOf::<T>::remove(netuid, who);
        }
    }
}

/// Weighs a record: one that resets bonds rewrites those of every validator.
fn commitment_weight<T: Config>(info: &CommitmentInfo<T::MaxFields>) -> frame_support::weights::Weight {
    use weight_info::WeightInfo;
    let resets = info
        .fields
        .iter()
        .any(|field| matches!(field, Data::ResetBondsFlag));
    if resets {
        T::WeightInfo::reset_bonds()
    } else {
        T::WeightInfo::set_commitment()
    }
}
