//! Keeps the slot duration that the genesis chose, so that one runtime blob serves a laptop's chain of
//! one-second blocks and a network's chain of twelve-second blocks.
//!
//! Aura, Timestamp and the metadata constants `Aura.SlotDuration` and `Timestamp.MinimumPeriod` read it
//! through [`SlotDuration`] and [`HalfSlot`]. It cannot change after genesis: Aura's slots would jump.
#![cfg_attr(not(feature = "std"), no_std)]

pub use pallet::*;
use polkadot_sdk::frame_support;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use core::marker::PhantomData;
    use frame_support::pallet_prelude::*;

    /// Slot duration in milliseconds where the genesis names none: that of Bittensor's main network.
    pub const DEFAULT_SLOT_DURATION_MS: u64 = 12_000;

    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {}

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::type_value]
    pub fn DefaultSlotDuration<T: Config>() -> u64 {
        DEFAULT_SLOT_DURATION_MS
    }

    /// Slot duration in milliseconds.
    #[pallet::storage]
    pub type SlotDurationMs<T: Config> = StorageValue<_, u64, ValueQuery, DefaultSlotDuration<T>>;

    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Milliseconds between two slots; at least 2, so that half of it is not zero.
        pub slot_duration_ms: u64,
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                slot_duration_ms: DEFAULT_SLOT_DURATION_MS,
                _config: PhantomData,
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                self.slot_duration_ms >= 2,
                "blockTime.slotDurationMs is {}, but must be at least 2",
                self.slot_duration_ms
            );
            SlotDurationMs::<T>::put(self.slot_duration_ms);
        }
    }

    /// Reads the slot duration in milliseconds.
    pub struct SlotDuration<T>(PhantomData<T>);
    impl<T: Config> Get<u64> for SlotDuration<T> {
        fn get() -> u64 {
            SlotDurationMs::<T>::get()
        }
    }

    /// Reads half of the slot duration in milliseconds: the least time between two timestamps.
    pub struct HalfSlot<T>(PhantomData<T>);
    impl<T: Config> Get<u64> for HalfSlot<T> {
        fn get() -> u64 {
            SlotDurationMs::<T>::get() / 2
        }
    }
}
