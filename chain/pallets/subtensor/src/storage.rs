//! Every storage item of the pallet.
//!
//! Names, hashers, value types and defaults are those of subtensor, so that clients which know that chain can
//! read this one; two items at the end are Arbor's own. The file is long because it is a table.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

/// Storage items, imported into the pallet module.
#[pallet_section]
mod storage {
    // ---- Issuance and the chain as a whole ----

    /// TAO in existence, in rao: all balances and all pools.
    #[pallet::storage]
    pub type TotalIssuance<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// TAO in all pools, root included, in rao.
    #[pallet::storage]
    pub type TotalStake<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// TAO minted in the last block, in rao.
    #[pallet::storage]
    pub type BlockEmission<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<1_000_000_000>>;

    /// Weight of root stake against alpha in stake weight, as a share of `u64::MAX`.
    #[pallet::storage]
    pub type TaoWeight<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<971_718_665_099_567_868>>;

    /// Least stake weight, in rao, that may set weights and earns dividends.
    #[pallet::storage]
    pub type StakeThreshold<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// Least stake of a nominator, in rao.
    #[pallet::storage]
    pub type NominatorMinRequiredStake<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// Blocks between two limited transactions of an account.
    #[pallet::storage]
    pub type TxRateLimit<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<1_000>>;

    /// Blocks between two raises of a delegate take.
    #[pallet::storage]
    pub type TxDelegateTakeRateLimit<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<216_000>>;

    /// Blocks between two changes of a child key take.
    #[pallet::storage]
    pub type TxChildkeyTakeRateLimit<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<216_000>>;

    /// Epochs that may run in one block; the rest wait for the next one.
    #[pallet::storage]
    pub type MaxEpochsPerBlock<T: Config> = StorageValue<_, u8, ValueQuery, ConstU8<2>>;

    /// Blocks before an epoch in which owners may not change hyperparameters.
    #[pallet::storage]
    pub type AdminFreezeWindow<T: Config> = StorageValue<_, u16, ValueQuery, ConstU16<10>>;

    /// Tempos between two changes of one hyperparameter by an owner.
    #[pallet::storage]
    pub type OwnerHyperparamRateLimit<T: Config> = StorageValue<_, u16, ValueQuery, ConstU16<2>>;

    /// Version of commit-reveal that timelocked commits must carry.
    #[pallet::storage]
    pub type CommitRevealWeightsVersion<T: Config> = StorageValue<_, u16, ValueQuery, ConstU16<4>>;

    /// Tempos between two changes of a version key by an owner.
    #[pallet::storage]
    pub type WeightsVersionKeyRateLimit<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<5>>;

    /// Block of the last action of each limited kind.
    #[pallet::storage]
    pub type LastRateLimitedBlock<T: Config> =
        StorageMap<_, Identity, RateLimitKey<T::AccountId>, u64, ValueQuery>;

    // ---- Takes, owners and children ----

    /// Highest delegate take, of 65 535.
    #[pallet::storage]
    pub type MaxDelegateTake<T: Config> =
        StorageValue<_, u16, ValueQuery, ConstU16<{ defaults::DELEGATE_TAKE }>>;

    /// Lowest delegate take, of 65 535.
    #[pallet::storage]
    pub type MinDelegateTake<T: Config> = StorageValue<_, u16, ValueQuery>;

    /// Highest child key take, of 65 535.
    #[pallet::storage]
    pub type MaxChildkeyTake<T: Config> =
        StorageValue<_, u16, ValueQuery, ConstU16<{ defaults::DELEGATE_TAKE }>>;

    /// Lowest child key take, of 65 535.
    #[pallet::storage]
    pub type MinChildkeyTake<T: Config> = StorageValue<_, u16, ValueQuery>;

    /// Take of a hotkey from its stakers' dividends, of 65 535.
    #[pallet::storage]
    pub type Delegates<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, u16, ValueQuery, ConstU16<{ defaults::DELEGATE_TAKE }>>;

    /// Take of a child hotkey on a subnet, of 65 535.
    #[pallet::storage]
    pub type ChildkeyTake<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, u16, ValueQuery>;

    /// Coldkey that owns a hotkey; the zero account when the hotkey is unknown.
    #[pallet::storage]
    pub type Owner<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId, ValueQuery, defaults::ZeroAccount<T>>;

    /// Hotkeys that a coldkey owns.
    #[pallet::storage]
    pub type OwnedHotkeys<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Vec<T::AccountId>, ValueQuery>;

    /// Hotkeys that a coldkey has staked to.
    #[pallet::storage]
    pub type StakingHotkeys<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Vec<T::AccountId>, ValueQuery>;

    /// Children that take effect at a later block.
    #[pallet::storage]
    pub type PendingChildKeys<T: Config> = StorageDoubleMap<
        _,
        Identity,
        NetUid,
        Blake2_128Concat,
        T::AccountId,
        (Vec<(u64, T::AccountId)>, u64),
        ValueQuery,
    >;

    /// Children of a hotkey with their shares of its stake, of `u64::MAX`.
    #[pallet::storage]
    pub type ChildKeys<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Identity,
        NetUid,
        Vec<(u64, T::AccountId)>,
        ValueQuery,
    >;

    /// Parents of a hotkey with the shares of their stake, of `u64::MAX`.
    #[pallet::storage]
    pub type ParentKeys<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Identity,
        NetUid,
        Vec<(u64, T::AccountId)>,
        ValueQuery,
    >;

    /// Hotkey that a coldkey's miner incentive is staked to.
    #[pallet::storage]
    pub type AutoStakeDestination<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, T::AccountId, OptionQuery>;

    // ---- Stake ----

    /// Alpha staked to a hotkey on a subnet.
    #[pallet::storage]
    pub type TotalHotkeyAlpha<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, u64, ValueQuery>;

    /// Alpha staked to a hotkey on a subnet at its last epoch.
    #[pallet::storage]
    pub type TotalHotkeyAlphaLastEpoch<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, u64, ValueQuery>;

    /// Sum of the shares in a hotkey's alpha, 64 fractional bits.
    #[pallet::storage]
    pub type TotalHotkeyShares<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, FixedU128, ValueQuery>;

    /// Share of a coldkey in a hotkey's alpha, 64 fractional bits.
    #[pallet::storage]
    pub type Alpha<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, T::AccountId>,
            NMapKey<Blake2_128Concat, T::AccountId>,
            NMapKey<Identity, NetUid>,
        ),
        FixedU128,
        ValueQuery,
    >;

    /// Alpha that a hotkey's stakers were paid at the last epoch.
    #[pallet::storage]
    pub type AlphaDividendsPerSubnet<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, u64, ValueQuery>;

    /// Alpha that a hotkey's root stake earned at the last epoch.
    #[pallet::storage]
    pub type RootAlphaDividendsPerSubnet<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, u64, ValueQuery>;

    /// Alpha that a hotkey was paid at the last epoch, take and dividends.
    #[pallet::storage]
    pub type LastHotkeyEmissionOnNetuid<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, u64, ValueQuery>;

    // ---- Pools and emission ----

    /// TAO in a subnet's pool, in rao.
    #[pallet::storage]
    pub type SubnetTAO<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Alpha in a subnet's pool.
    #[pallet::storage]
    pub type SubnetAlphaIn<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Alpha issued outside of a subnet's pool.
    #[pallet::storage]
    pub type SubnetAlphaOut<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// TAO put into the pool in the last block, in rao.
    #[pallet::storage]
    pub type SubnetTaoInEmission<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Alpha put into the pool in the last block.
    #[pallet::storage]
    pub type SubnetAlphaInEmission<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Alpha issued to the neurons and the owner in the last block.
    #[pallet::storage]
    pub type SubnetAlphaOutEmission<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// TAO that bought alpha from the pool in the last block, in rao.
    #[pallet::storage]
    pub type SubnetExcessTao<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// TAO that root dividends took from the pool at the last epoch, in rao.
    #[pallet::storage]
    pub type SubnetRootSellTao<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Whether a subnet gets a share of the TAO emission.
    #[pallet::storage]
    pub type SubnetEmissionEnabled<T: Config> =
        StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// TAO that has been traded with the pool, in rao.
    #[pallet::storage]
    pub type SubnetVolume<T: Config> = StorageMap<_, Identity, NetUid, u128, ValueQuery>;

    /// Speed of the moving price, 32 fractional bits; 0.000003.
    #[pallet::storage]
    pub type SubnetMovingAlpha<T: Config> =
        StorageValue<_, FixedI128, ValueQuery, defaults::SubnetMovingAlpha>;

    /// Moving average of the alpha price in TAO, 32 fractional bits.
    #[pallet::storage]
    pub type SubnetMovingPrice<T: Config> = StorageMap<_, Identity, NetUid, FixedI128, ValueQuery>;

    /// Blocks after which the moving price has half its full speed.
    #[pallet::storage]
    pub type EMAPriceHalvingBlocks<T: Config> =
        StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<201_600>>;

    /// Share of root stake in a subnet's dividends, 32 fractional bits.
    #[pallet::storage]
    pub type RootProp<T: Config> = StorageMap<_, Identity, NetUid, FixedU128, ValueQuery>;

    /// Share of the last miner emission that fell to the owner's hotkeys, 32 fractional bits.
    #[pallet::storage]
    pub type MinerBurned<T: Config> = StorageMap<_, Identity, NetUid, FixedU128, ValueQuery>;

    /// Alpha that waits for the next epoch's miners.
    #[pallet::storage]
    pub type PendingServerEmission<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Alpha that waits for the next epoch's validators.
    #[pallet::storage]
    pub type PendingValidatorEmission<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Alpha that waits for root stakers at the next epoch.
    #[pallet::storage]
    pub type PendingRootAlphaDivs<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Alpha that waits for the subnet owner at the next epoch.
    #[pallet::storage]
    pub type PendingOwnerCut<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Share of alpha emission that goes to the owner, of 65 535.
    #[pallet::storage]
    pub type SubnetOwnerCut<T: Config> = StorageValue<_, u16, ValueQuery, ConstU16<{ defaults::OWNER_CUT }>>;

    /// Whether the owner gets that share.
    #[pallet::storage]
    pub type OwnerCutEnabled<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// What happens to incentive of the owner's hotkeys.
    #[pallet::storage]
    pub type RecycleOrBurn<T: Config> = StorageMap<_, Identity, NetUid, RecycleOrBurnEnum, ValueQuery>;

    // ---- Subnets ----

    /// Number of subnets, root not counted, that may exist.
    #[pallet::storage]
    pub type SubnetLimit<T: Config> = StorageValue<_, u16, ValueQuery, ConstU16<128>>;

    /// Number of subnets, root counted.
    #[pallet::storage]
    pub type TotalNetworks<T: Config> = StorageValue<_, u16, ValueQuery>;

    /// Whether a subnet exists.
    #[pallet::storage]
    pub type NetworksAdded<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery>;

    /// Price model: 0 is the stable root, 1 is a pool.
    #[pallet::storage]
    pub type SubnetMechanism<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery>;

    /// Number of neurons on a subnet.
    #[pallet::storage]
    pub type SubnetworkN<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery>;

    /// Coldkey that owns a subnet.
    #[pallet::storage]
    pub type SubnetOwner<T: Config> =
        StorageMap<_, Identity, NetUid, T::AccountId, ValueQuery, defaults::ZeroAccount<T>>;

    /// Hotkey that stands for the owner of a subnet.
    #[pallet::storage]
    pub type SubnetOwnerHotkey<T: Config> =
        StorageMap<_, Identity, NetUid, T::AccountId, ValueQuery, defaults::ZeroAccount<T>>;

    /// TAO paid for a subnet, in rao.
    #[pallet::storage]
    pub type SubnetLocked<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Sign of a subnet's token, UTF-8.
    #[pallet::storage]
    pub type TokenSymbol<T: Config> =
        StorageMap<_, Identity, NetUid, Vec<u8>, ValueQuery, defaults::RootSymbol>;

    /// Whether stake can be added and removed, set by `start_call`.
    #[pallet::storage]
    pub type SubtokenEnabled<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery>;

    /// Whether stake may change its owner.
    #[pallet::storage]
    pub type TransferToggle<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// First block in which a subnet earns emission.
    #[pallet::storage]
    pub type FirstEmissionBlockNumber<T: Config> = StorageMap<_, Identity, NetUid, u64, OptionQuery>;

    /// Blocks between registration and `start_call`.
    #[pallet::storage]
    pub type StartCallDelay<T: Config> = StorageValue<_, u64, ValueQuery>;

    /// Block at which a subnet was registered.
    #[pallet::storage]
    pub type NetworkRegisteredAt<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// How often a netuid has been registered.
    #[pallet::storage]
    pub type RegisteredSubnetCounter<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Blocks in which a new subnet cannot be replaced.
    #[pallet::storage]
    pub type NetworkImmunityPeriod<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<1_296_000>>;

    /// Lowest price of a subnet, in rao.
    #[pallet::storage]
    pub type NetworkMinLockCost<T: Config> =
        StorageValue<_, u64, ValueQuery, ConstU64<{ defaults::NETWORK_MIN_LOCK }>>;

    /// Price that was paid for the last subnet, in rao.
    #[pallet::storage]
    pub type NetworkLastLockCost<T: Config> =
        StorageValue<_, u64, ValueQuery, ConstU64<{ defaults::NETWORK_MIN_LOCK }>>;

    /// Blocks in which the price falls by the last price.
    #[pallet::storage]
    pub type NetworkLockReductionInterval<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<100_800>>;

    /// Blocks between two subnet registrations.
    #[pallet::storage]
    pub type NetworkRateLimit<T: Config> = StorageValue<_, u64, ValueQuery, ConstU64<7_200>>;

    // ---- Schedule of epochs ----

    /// Blocks between two epochs; 0 means never.
    #[pallet::storage]
    pub type Tempo<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<360>>;

    /// Block of the last epoch, or the start of the schedule.
    #[pallet::storage]
    pub type LastEpochBlock<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Block at which a deferred epoch is due; 0 when none is.
    #[pallet::storage]
    pub type PendingEpochAt<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Number of epochs so far.
    #[pallet::storage]
    pub type SubnetEpochIndex<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Blocks since the last epoch.
    #[pallet::storage]
    pub type BlocksSinceLastStep<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Block of the last paid epoch (the spelling is subtensor's).
    #[pallet::storage]
    pub type LastMechansimStepBlock<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Number of incentive mechanisms.
    #[pallet::storage]
    pub type MechanismCountCurrent<T: Config> =
        StorageMap<_, Twox64Concat, NetUid, u8, ValueQuery, ConstU8<1>>;

    /// Shares of the mechanisms in emission, of 65 535.
    #[pallet::storage]
    pub type MechanismEmissionSplit<T: Config> = StorageMap<_, Twox64Concat, NetUid, Vec<u16>, OptionQuery>;

    /// Highest number of incentive mechanisms.
    #[pallet::storage]
    pub type MaxMechanismCount<T: Config> = StorageValue<_, u8, ValueQuery, ConstU8<2>>;

    // ---- Hyperparameters ----

    /// Temperature; kept for readers, unused by the epoch.
    #[pallet::storage]
    pub type Rho<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<10>>;

    /// Majority of stake that consensus needs, of 65 535.
    #[pallet::storage]
    pub type Kappa<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<32_767>>;

    /// Steepness of liquid alpha, in hundredths.
    #[pallet::storage]
    pub type AlphaSigmoidSteepness<T: Config> =
        StorageMap<_, Identity, NetUid, i16, ValueQuery, ConstI16<1_000>>;

    /// Lowest and highest bond speed of liquid alpha, of 65 535.
    #[pallet::storage]
    pub type AlphaValues<T: Config> =
        StorageMap<_, Identity, NetUid, (u16, u16), ValueQuery, defaults::AlphaValues>;

    /// Whether bonds move with liquid alpha.
    #[pallet::storage]
    pub type LiquidAlphaOn<T: Config> = StorageMap<_, Blake2_128Concat, NetUid, bool, ValueQuery>;

    /// Whether bonds follow Yuma 3.
    #[pallet::storage]
    pub type Yuma3On<T: Config> = StorageMap<_, Blake2_128Concat, NetUid, bool, ValueQuery>;

    /// Part of the old bonds that stays each epoch, of a million.
    #[pallet::storage]
    pub type BondsMovingAverage<T: Config> =
        StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<900_000>>;

    /// How far bonds follow clipped weights, of 65 535.
    #[pallet::storage]
    pub type BondsPenalty<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<65_535>>;

    /// Whether a commitment may reset a miner's bonds.
    #[pallet::storage]
    pub type BondsResetOn<T: Config> = StorageMap<_, Identity, NetUid, bool, ValueQuery>;

    /// Lowest activity cutoff, in blocks.
    #[pallet::storage]
    pub type MinActivityCutoff<T: Config> = StorageValue<_, u16, ValueQuery, ConstU16<360>>;

    /// Blocks without weights after which a validator is inactive (older clients read it).
    #[pallet::storage]
    pub type ActivityCutoff<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<5_000>>;

    /// Tempos without weights after which a validator is inactive, in thousandths.
    #[pallet::storage]
    pub type ActivityCutoffFactorMilli<T: Config> =
        StorageMap<_, Identity, NetUid, u32, ValueQuery, ConstU32<13_889>>;

    /// Highest single weight, of 65 535.
    #[pallet::storage]
    pub type MaxWeightsLimit<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<65_535>>;

    /// Least version key of a weight row; 0 takes all.
    #[pallet::storage]
    pub type WeightsVersionKey<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Least number of weights in a row.
    #[pallet::storage]
    pub type MinAllowedWeights<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<1_024>>;

    /// Blocks between two weight rows of a neuron.
    #[pallet::storage]
    pub type WeightsSetRateLimit<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<100>>;

    /// Whether weights must be committed before they are revealed.
    #[pallet::storage]
    pub type CommitRevealWeightsEnabled<T: Config> =
        StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// Epochs between a commit and its reveal.
    #[pallet::storage]
    pub type RevealPeriodEpochs<T: Config> =
        StorageMap<_, Twox64Concat, NetUid, u64, ValueQuery, ConstU64<1>>;

    /// Number of validator permits.
    #[pallet::storage]
    pub type MaxAllowedValidators<T: Config> =
        StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<128>>;

    /// Blocks between two serves of a neuron.
    #[pallet::storage]
    pub type ServingRateLimit<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<50>>;

    /// Blocks in which a new neuron cannot be replaced.
    #[pallet::storage]
    pub type ImmunityPeriod<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<4_096>>;

    /// Lowest bound for the number of neurons.
    #[pallet::storage]
    pub type MinAllowedUids<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<64>>;

    /// Highest number of neurons.
    #[pallet::storage]
    pub type MaxAllowedUids<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<256>>;

    /// Neurons that may be replaced even when all are immune.
    #[pallet::storage]
    pub type MinNonImmuneUids<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<10>>;

    /// Number of the owner's neurons that are never replaced.
    #[pallet::storage]
    pub type ImmuneOwnerUidsLimit<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<1>>;

    /// Blocks between price adjustments of older versions.
    #[pallet::storage]
    pub type AdjustmentInterval<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<100>>;

    /// Smoothing of price adjustments of older versions.
    #[pallet::storage]
    pub type AdjustmentAlpha<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Registrations that older versions aim at.
    #[pallet::storage]
    pub type TargetRegistrationsPerInterval<T: Config> =
        StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<2>>;

    // ---- Registration ----

    /// Whether neurons may register.
    #[pallet::storage]
    pub type NetworkRegistrationAllowed<T: Config> =
        StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// Whether proof of work may register; nothing accepts it any more.
    #[pallet::storage]
    pub type NetworkPowRegistrationAllowed<T: Config> =
        StorageMap<_, Identity, NetUid, bool, ValueQuery, ConstBool<true>>;

    /// Registrations that fit into a block.
    #[pallet::storage]
    pub type MaxRegistrationsPerBlock<T: Config> =
        StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<1>>;

    /// Registrations in this block.
    #[pallet::storage]
    pub type RegistrationsThisBlock<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery>;

    /// Registrations in this adjustment interval.
    #[pallet::storage]
    pub type RegistrationsThisInterval<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery>;

    /// Burned registrations in this adjustment interval.
    #[pallet::storage]
    pub type BurnRegistrationsThisInterval<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery>;

    /// Price of a registration, in rao.
    #[pallet::storage]
    pub type Burn<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<100_000_000>>;

    /// Lowest price of a registration, in rao.
    #[pallet::storage]
    pub type MinBurn<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<500_000>>;

    /// Highest price of a registration, in rao.
    #[pallet::storage]
    pub type MaxBurn<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<100_000_000_000>>;

    /// Blocks in which the price of a registration halves.
    #[pallet::storage]
    pub type BurnHalfLife<T: Config> = StorageMap<_, Identity, NetUid, u16, ValueQuery, ConstU16<360>>;

    /// Factor of the price for each registration, 64 fractional bits; 1.26.
    #[pallet::storage]
    pub type BurnIncreaseMult<T: Config> =
        StorageMap<_, Identity, NetUid, FixedU128, ValueQuery, defaults::BurnIncreaseMult>;

    /// TAO that registrations have cost so far, in rao.
    #[pallet::storage]
    pub type RAORecycledForRegistration<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Difficulty of proof of work, kept for readers.
    #[pallet::storage]
    pub type Difficulty<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<10_000_000>>;

    /// Lowest difficulty, kept for readers.
    #[pallet::storage]
    pub type MinDifficulty<T: Config> =
        StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<10_000_000>>;

    /// Highest difficulty, kept for readers.
    #[pallet::storage]
    pub type MaxDifficulty<T: Config> =
        StorageMap<_, Identity, NetUid, u64, ValueQuery, ConstU64<4_611_686_018_427_387_903>>;

    // ---- Neurons ----

    /// Uid of a hotkey on a subnet.
    #[pallet::storage]
    pub type Uids<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, u16, OptionQuery>;

    /// Hotkey of a uid on a subnet.
    #[pallet::storage]
    pub type Keys<T: Config> = StorageDoubleMap<
        _,
        Identity,
        NetUid,
        Identity,
        u16,
        T::AccountId,
        ValueQuery,
        defaults::ZeroAccount<T>,
    >;

    /// Whether a hotkey is registered on a subnet.
    #[pallet::storage]
    pub type IsNetworkMember<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, NetUid, bool, ValueQuery>;

    /// Block at which the present holder of a uid registered.
    #[pallet::storage]
    pub type BlockAtRegistration<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Identity, u16, u64, ValueQuery>;

    /// Whether each neuron was active at the last epoch.
    #[pallet::storage]
    pub type Active<T: Config> = StorageMap<_, Identity, NetUid, Vec<bool>, ValueQuery>;

    /// Share of each neuron in stake at the last epoch, of 65 535.
    #[pallet::storage]
    pub type StakeWeight<T: Config> = StorageMap<_, Identity, NetUid, Vec<u16>, ValueQuery>;

    /// Consensus of each neuron at the last epoch, of 65 535.
    #[pallet::storage]
    pub type Consensus<T: Config> = StorageMap<_, Identity, NetUid, Vec<u16>, ValueQuery>;

    /// Incentive of each neuron at the last epoch, of 65 535, per mechanism.
    #[pallet::storage]
    pub type Incentive<T: Config> = StorageMap<_, Identity, NetUidStorageIndex, Vec<u16>, ValueQuery>;

    /// Dividend share of each neuron at the last epoch, of 65 535.
    #[pallet::storage]
    pub type Dividends<T: Config> = StorageMap<_, Identity, NetUid, Vec<u16>, ValueQuery>;

    /// Alpha that each neuron earned at the last epoch.
    #[pallet::storage]
    pub type Emission<T: Config> = StorageMap<_, Identity, NetUid, Vec<u64>, ValueQuery>;

    /// Sum of clipped weights of each neuron at the last epoch, of 65 535.
    #[pallet::storage]
    pub type ValidatorTrust<T: Config> = StorageMap<_, Identity, NetUid, Vec<u16>, ValueQuery>;

    /// Whether each neuron may set weights.
    #[pallet::storage]
    pub type ValidatorPermit<T: Config> = StorageMap<_, Identity, NetUid, Vec<bool>, ValueQuery>;

    /// Block at which each neuron last set weights, per mechanism.
    #[pallet::storage]
    pub type LastUpdate<T: Config> = StorageMap<_, Identity, NetUidStorageIndex, Vec<u64>, ValueQuery>;

    /// Weight row of a neuron, largest 65 535, per mechanism.
    #[pallet::storage]
    pub type Weights<T: Config> =
        StorageDoubleMap<_, Identity, NetUidStorageIndex, Identity, u16, Vec<(u16, u16)>, ValueQuery>;

    /// Bond row of a neuron, per mechanism.
    #[pallet::storage]
    pub type Bonds<T: Config> =
        StorageDoubleMap<_, Identity, NetUidStorageIndex, Identity, u16, Vec<(u16, u16)>, ValueQuery>;

    /// Where a hotkey's axon listens.
    #[pallet::storage]
    pub type Axons<T: Config> =
        StorageDoubleMap<_, Identity, NetUid, Blake2_128Concat, T::AccountId, AxonInfo, OptionQuery>;

    /// Unrevealed weight hashes: hash, epoch of the commit, its block, 0.
    #[pallet::storage]
    pub type WeightCommits<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        NetUidStorageIndex,
        Twox64Concat,
        T::AccountId,
        Vec<(T::Hash, u64, u64, u64)>,
        OptionQuery,
    >;

    /// Encrypted weights of an epoch: hotkey, block, ciphertext, reveal round.
    #[pallet::storage]
    pub type TimelockedWeightCommits<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        NetUidStorageIndex,
        Twox64Concat,
        u64,
        TimelockedQueue<T>,
        ValueQuery,
    >;

    // ---- Where the books are closed ----

    /// Alpha of a subnet that is issued and belongs to nobody, by burning. Arbor's own item.
    #[pallet::storage]
    pub type SubnetAlphaBurned<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;

    /// Alpha of a subnet that truncation left to nobody. Arbor's own item.
    #[pallet::storage]
    pub type SubnetAlphaDust<T: Config> = StorageMap<_, Identity, NetUid, u64, ValueQuery>;
}
