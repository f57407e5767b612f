//! What the pallet tells the world.
//!
//! Variants keep the numbers and fields that subtensor gives them; events of what this chain does not do are left
//! out. A `Set` event carries the netuid, if there is one, and the new value.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

/// The event enum, imported into the pallet module.
#[pallet_section]
mod events {
    /// What the pallet tells the world.
    #[pallet::event]
    #[pallet::generate_deposit(pub fn deposit_event)]
    pub enum Event<T: Config> {
        /// A subnet was made: netuid, price model.
        #[codec(index = 0)]
        NetworkAdded(NetUid, u16),
        /// A subnet was taken away: netuid.
        #[codec(index = 1)]
        NetworkRemoved(NetUid),
        /// Stake was added: coldkey, hotkey, rao paid, alpha got, netuid, fee in rao.
        #[codec(index = 2)]
        StakeAdded(T::AccountId, T::AccountId, u64, u64, NetUid, u64),
        /// Stake was removed: coldkey, hotkey, rao got, alpha given, netuid, fee in rao.
        #[codec(index = 3)]
        StakeRemoved(T::AccountId, T::AccountId, u64, u64, NetUid, u64),
        /// A neuron set weights: index of the mechanism's storage, uid.
        #[codec(index = 5)]
        WeightsSet(NetUidStorageIndex, u16),
        /// A neuron was registered: netuid, uid, hotkey.
        #[codec(index = 6)]
        NeuronRegistered(NetUid, u16, T::AccountId),
        /// The highest number of neurons was set.
        #[codec(index = 9)]
        MaxAllowedUidsSet(NetUid, u16),
        /// The highest single weight was set.
        #[codec(index = 10)]
        MaxWeightLimitSet(NetUid, u16),
        /// The difficulty was set.
        #[codec(index = 11)]
        DifficultySet(NetUid, u64),
        /// The adjustment interval was set.
        #[codec(index = 12)]
        AdjustmentIntervalSet(NetUid, u16),
        /// The registrations to aim at were set.
        #[codec(index = 13)]
        RegistrationPerIntervalSet(NetUid, u16),
        /// The registrations per block were set.
        #[codec(index = 14)]
        MaxRegistrationsPerBlockSet(NetUid, u16),
        /// The activity cutoff was set, in blocks.
        #[codec(index = 15)]
        ActivityCutoffSet(NetUid, u16),
        /// Rho was set.
        #[codec(index = 16)]
        RhoSet(NetUid, u16),
        /// The steepness of liquid alpha was set.
        #[codec(index = 17)]
        AlphaSigmoidSteepnessSet(NetUid, i16),
        /// Kappa was set.
        #[codec(index = 18)]
        KappaSet(NetUid, u16),
        /// The least number of weights was set.
        #[codec(index = 19)]
        MinAllowedWeightSet(NetUid, u16),
        /// The rate limit of weights was set, in blocks.
        #[codec(index = 22)]
        WeightsSetRateLimitSet(NetUid, u64),
        /// The immunity period was set, in blocks.
        #[codec(index = 23)]
        ImmunityPeriodSet(NetUid, u16),
        /// The bonds moving average was set.
        #[codec(index = 24)]
        BondsMovingAverageSet(NetUid, u64),
        /// The bonds penalty was set.
        #[codec(index = 25)]
        BondsPenaltySet(NetUid, u16),
        /// Bonds reset was switched.
        #[codec(index = 26)]
        BondsResetOnSet(NetUid, bool),
        /// The number of validator permits was set.
        #[codec(index = 27)]
        MaxAllowedValidatorsSet(NetUid, u16),
        /// A neuron said where its axon listens: netuid, hotkey.
        #[codec(index = 28)]
        AxonServed(NetUid, T::AccountId),
        /// A neuron said where its Prometheus endpoint listens: netuid, hotkey.
        #[codec(index = 29)]
        PrometheusServed(NetUid, T::AccountId),
        /// The version key was set.
        #[codec(index = 32)]
        WeightsVersionKeySet(NetUid, u64),
        /// The lowest difficulty was set.
        #[codec(index = 33)]
        MinDifficultySet(NetUid, u64),
        /// The highest difficulty was set.
        #[codec(index = 34)]
        MaxDifficultySet(NetUid, u64),
        /// The rate limit of serving was set, in blocks.
        #[codec(index = 35)]
        ServingRateLimitSet(NetUid, u64),
        /// The price of a registration was set, in rao.
        #[codec(index = 36)]
        BurnSet(NetUid, u64),
        /// The highest price of a registration was set, in rao.
        #[codec(index = 37)]
        MaxBurnSet(NetUid, u64),
        /// The lowest price of a registration was set, in rao.
        #[codec(index = 38)]
        MinBurnSet(NetUid, u64),
        /// The epochs per block were set.
        #[codec(index = 39)]
        MaxEpochsPerBlockSet(u8),
        /// The transaction rate limit was set, in blocks.
        #[codec(index = 40)]
        TxRateLimitSet(u64),
        /// The rate limit of delegate takes was set, in blocks.
        #[codec(index = 41)]
        TxDelegateTakeRateLimitSet(u64),
        /// The admin freeze window was set, in blocks.
        #[codec(index = 43)]
        AdminFreezeWindowSet(u16),
        /// The rate limit of owners was set, in tempos.
        #[codec(index = 44)]
        OwnerHyperparamRateLimitSet(u16),
        /// Registration was switched.
        #[codec(index = 50)]
        RegistrationAllowed(NetUid, bool),
        /// Proof of work registration was switched.
        #[codec(index = 51)]
        PowRegistrationAllowed(NetUid, bool),
        /// The tempo was set, in blocks.
        #[codec(index = 52)]
        TempoSet(NetUid, u16),
        /// The recycled TAO was set, in rao.
        #[codec(index = 53)]
        RAORecycledForRegistrationSet(NetUid, u64),
        /// The stake threshold was set, in rao.
        #[codec(index = 54)]
        StakeThresholdSet(u64),
        /// The adjustment alpha was set.
        #[codec(index = 55)]
        AdjustmentAlphaSet(NetUid, u64),
        /// The owner's cut was set, of 65 535.
        #[codec(index = 57)]
        SubnetOwnerCutSet(u16),
        /// The rate limit of subnets was set, in blocks.
        #[codec(index = 58)]
        NetworkRateLimitSet(u64),
        /// The immunity of subnets was set, in blocks.
        #[codec(index = 59)]
        NetworkImmunityPeriodSet(u64),
        /// The delay of `start_call` was set, in blocks.
        #[codec(index = 60)]
        StartCallDelaySet(u64),
        /// The lowest price of a subnet was set, in rao.
        #[codec(index = 61)]
        NetworkMinLockCostSet(u64),
        /// The number of subnets was set.
        #[codec(index = 62)]
        SubnetLimitSet(u16),
        /// The price reduction interval was set, in blocks.
        #[codec(index = 63)]
        NetworkLockCostReductionIntervalSet(u64),
        /// A delegate take was lowered: coldkey, hotkey, take of 65 535.
        #[codec(index = 64)]
        TakeDecreased(T::AccountId, T::AccountId, u16),
        /// A delegate take was raised: coldkey, hotkey, take of 65 535.
        #[codec(index = 65)]
        TakeIncreased(T::AccountId, T::AccountId, u16),
        /// The highest delegate take was set, of 65 535.
        #[codec(index = 67)]
        MaxDelegateTakeSet(u16),
        /// The lowest delegate take was set, of 65 535.
        #[codec(index = 68)]
        MinDelegateTakeSet(u16),
        /// A coldkey said who it is.
        #[codec(index = 77)]
        ChainIdentitySet(T::AccountId),
        /// An owner said what its subnet is.
        #[codec(index = 78)]
        SubnetIdentitySet(NetUid),
        /// A neuron committed weights: hotkey, index, hash.
        #[codec(index = 85)]
        WeightsCommitted(T::AccountId, NetUidStorageIndex, T::Hash),
        /// A neuron revealed weights: hotkey, index, hash.
        #[codec(index = 86)]
        WeightsRevealed(T::AccountId, NetUidStorageIndex, T::Hash),
        /// A neuron revealed several rows: hotkey, netuid, hashes.
        #[codec(index = 87)]
        WeightsBatchRevealed(T::AccountId, NetUid, Vec<T::Hash>),
        /// A batch of weights was worked through: subnets, hotkey.
        #[codec(index = 88)]
        BatchWeightsCompleted(Vec<codec::Compact<NetUid>>, T::AccountId),
        /// Some of a batch failed.
        #[codec(index = 89)]
        BatchCompletedWithErrors(),
        /// One of a batch failed: subnet, why.
        #[codec(index = 90)]
        BatchWeightItemFailed(NetUid, sp_runtime::DispatchError),
        /// Stake transfer was switched.
        #[codec(index = 93)]
        TransferToggle(NetUid, bool),
        /// The owner's hotkey was set.
        #[codec(index = 94)]
        SubnetOwnerHotkeySet(NetUid, T::AccountId),
        /// A subnet was started: netuid, first block of emission.
        #[codec(index = 95)]
        FirstEmissionBlockNumberSet(NetUid, u64),
        /// The reveal period was set, in epochs.
        #[codec(index = 100)]
        CommitRevealPeriodsSet(NetUid, u64),
        /// Commit-reveal was switched.
        #[codec(index = 101)]
        CommitRevealEnabled(NetUid, bool),
        /// The sign of a subnet's token was set, UTF-8.
        #[codec(index = 105)]
        SymbolUpdated {
            /// The subnet.
            netuid: NetUid,
            /// The sign.
            symbol: Vec<u8>,
        },
        /// The commit-reveal version was set.
        #[codec(index = 106)]
        CommitRevealVersionSet(u16),
        /// A neuron committed encrypted weights: hotkey, index, hash of the ciphertext, reveal round.
        #[codec(index = 107)]
        TimelockedWeightsCommitted(T::AccountId, NetUidStorageIndex, T::Hash, u64),
        /// Encrypted weights were opened and set: index, hotkey.
        #[codec(index = 108)]
        TimelockedWeightsRevealed(NetUidStorageIndex, T::AccountId),
        /// Miners were paid: index, alpha by uid.
        #[codec(index = 110)]
        IncentiveAlphaEmittedToMiners(NetUidStorageIndex, Vec<u64>),
        /// The lowest bound of neurons was set.
        #[codec(index = 111)]
        MinAllowedUidsSet(NetUid, u16),
        /// A coldkey chose where its incentive is staked.
        #[codec(index = 112)]
        AutoStakeDestinationSet {
            /// The coldkey.
            coldkey: T::AccountId,
            /// The subnet.
            netuid: NetUid,
            /// The hotkey.
            hotkey: T::AccountId,
        },
        /// The number of replaceable neurons was set.
        #[codec(index = 113)]
        MinNonImmuneUidsSet(NetUid, u16),
        /// The half-life of the registration price was set, in blocks.
        #[codec(index = 124)]
        BurnHalfLifeSet(NetUid, u16),
        /// The price factor of a registration was set, 64 fractional bits.
        #[codec(index = 125)]
        BurnIncreaseMultSet(NetUid, FixedU128),
        /// The activity cutoff factor was set, in thousandths of a tempo.
        #[codec(index = 130)]
        ActivityCutoffFactorMilliSet(NetUid, u32),
        /// An owner called for an epoch.
        #[codec(index = 131)]
        EpochTriggered {
            /// The subnet.
            netuid: NetUid,
            /// Its owner.
            by: T::AccountId,
            /// Block in which the epoch runs.
            fires_at: u64,
        },
        /// An epoch waits for the next block.
        #[codec(index = 132)]
        EpochDeferred {
            /// The subnet.
            netuid: NetUid,
            /// This block.
            from_block: u64,
            /// The next one.
            to_block: u64,
        },
        /// An epoch was skipped because its neurons are inconsistent.
        #[codec(index = 133)]
        EpochSkipped {
            /// The subnet.
            netuid: NetUid,
            /// This block.
            block: u64,
        },
        /// Encrypted weights were lost: index, hotkey, block of the commit, why. Arbor's own event.
        #[codec(index = 250)]
        TimelockedWeightsDropped(NetUidStorageIndex, T::AccountId, u64, DropReason),
        /// Revealed weights on uids that changed hands since the commit count as 0: index, uid of the row, those
        /// uids. Arbor's own event.
        #[codec(index = 251)]
        RevealedWeightsMasked(NetUidStorageIndex, u16, Vec<u16>),
    }
}
