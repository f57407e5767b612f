//! Storage of what accounts and subnets say of themselves, and items that clients read and nothing here writes yet.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

/// Storage items, imported into the pallet module.
#[pallet_section]
mod storage_accounts {
    // ---- Endpoints and identities ----

    /// Where a hotkey's Prometheus endpoint listens.
    #[pallet::storage]
    pub type Prometheus<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, PrometheusInfo, OptionQuery>;

    /// Key by which a hotkey's axon proves itself in TLS.
    #[pallet::storage]
    pub type NeuronCertificates<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, NeuronCertificate, OptionQuery>;

    /// Who a coldkey says it is.
    #[pallet::storage]
    pub type IdentitiesV2<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, ChainIdentityV2, OptionQuery>;

    /// What a subnet's owner says of it.
    #[pallet::storage]
    pub type SubnetIdentitiesV3<T: Config> =
        StorageMap<_, Blake2_128Concat, NetUid, SubnetIdentityV3, OptionQuery>;

    // ---- Limits ----

    /// Block of an account's last limited transaction of a kind on a subnet; kinds are subtensor's numbers.
    #[pallet::storage]
    pub type TransactionKeyLastBlock<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, T::AccountId>,
            NMapKey<Identity, NetUid>,
            NMapKey<Identity, u16>,
        ),
        u64,
        ValueQuery,
    >;

    /// Block at which the present interval of registrations began.
    #[pallet::storage]
    pub type LastAdjustmentBlock<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    // ---- Read by clients, written by nothing yet ----

    /// Moving average of the TAO that flows into a subnet; emission follows prices, so it stays empty.
    #[pallet::storage]
    pub type SubnetEmaTaoFlow<T: Config> = StorageMap<_, Identity, NetUid, (u64, FixedI128), OptionQuery>;

    /// Blocks before new children take effect.
    #[pallet::storage]
    pub type PendingChildKeyCooldown<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<7_200>>;

    /// Lowest child key take on a subnet, of 65 535.
    #[pallet::storage]
    pub type MinChildkeyTakePerSubnet<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery>;

    /// What a coldkey wants its root dividends to become.
    #[pallet::storage]
    pub type RootClaimType<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, RootClaimTypeEnum, ValueQuery>;

    /// Alpha per unit of root stake that a hotkey's stakers may claim, 32 fractional bits.
    #[pallet::storage]
    pub type RootClaimable<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, BTreeMap<NetUid, FixedI128>, ValueQuery>;

    /// Alpha that a coldkey has claimed.
    #[pallet::storage]
    pub type RootClaimed<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Identity, NetUid>,
            NMapKey<Blake2_128Concat, T::AccountId>,
            NMapKey<Blake2_128Concat, T::AccountId>,
        ),
        u128,
        ValueQuery,
    >;

    /// Blocks between the announcement of a coldkey swap and the swap.
    #[pallet::storage]
    pub type ColdkeySwapAnnouncementDelay<T: Config> =
        StorageValue<_, BlockNumberFor<T>, ValueQuery, defaults::ColdkeySwapAnnouncementDelay>;

    /// Blocks before a coldkey swap may be announced again.
    #[pallet::storage]
    pub type ColdkeySwapReannouncementDelay<T: Config> =
        StorageValue<_, BlockNumberFor<T>, ValueQuery, defaults::ColdkeySwapReannouncementDelay>;

    /// Locked stake of a coldkey with a hotkey on a subnet.
    #[pallet::storage]
    pub type Lock<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, T::AccountId>,
            NMapKey<Identity, NetUid>,
            NMapKey<Blake2_128Concat, T::AccountId>,
        ),
        LockState,
        OptionQuery,
    >;

    /// Locked stake with a hotkey on a subnet.
    #[pallet::storage]
    pub type HotkeyLock<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, LockState, OptionQuery>;

    /// Locked stake with a hotkey on a subnet that decays.
    #[pallet::storage]
    pub type DecayingHotkeyLock<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, LockState, OptionQuery>;

    /// Locked stake of a subnet's owner.
    #[pallet::storage]
    pub type OwnerLock<T: Config> = StorageMap<_, Identity, NetUid, LockState, OptionQuery>;

    /// Locked stake of a subnet's owner that decays.
    #[pallet::storage]
    pub type DecayingOwnerLock<T: Config> = StorageMap<_, Identity, NetUid, LockState, OptionQuery>;

    /// Whether a coldkey's locks on a subnet decay.
    #[pallet::storage]
    pub type DecayingLock<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, bool, OptionQuery>;

    /// Blocks in which conviction grows.
    #[pallet::storage]
    pub type MaturityRate<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<934_866>>;

    /// Blocks in which a lock decays.
    #[pallet::storage]
    pub type UnlockRate<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<934_866>>;

    /// Announced coldkey swaps: first block at which they may happen, hash of the new coldkey.
    #[pallet::storage]
    pub type ColdkeySwapAnnouncements<T: Config> =
        StorageMap<_, Twox64Concat, T::AccountId, (BlockNumberFor<T>, T::Hash), OptionQuery>;

    /// Coldkeys whose swap is disputed, with the block of the dispute.
    #[pallet::storage]
    pub type ColdkeySwapDisputes<T: Config> =
        StorageMap<_, Twox64Concat, T::AccountId, BlockNumberFor<T>, OptionQuery>;
}
