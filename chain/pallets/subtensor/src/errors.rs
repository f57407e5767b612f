//! Why a call is refused.
//!
//! The first 147 variants are all of subtensor's (spec 424), with its numbers and in its order, though this chain
//! never gives some of them: Bittensor's Python clients look an error up by its position in the metadata, so the
//! list may have no holes. Arbor's own follow; new ones go to the end, and none is ever taken away.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

/// The error enum, imported into the pallet module.
#[pallet_section]
mod errors {
    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no root network.
        #[codec(index = 0)]
        RootNetworkDoesNotExist,
        /// The ip type is neither 4 nor 6.
        #[codec(index = 1)]
        InvalidIpType,
        /// The address is not one that others can reach.
        #[codec(index = 2)]
        InvalidIpAddress,
        /// The port is 0.
        #[codec(index = 3)]
        InvalidPort,
        /// The hotkey has no uid on this subnet.
        #[codec(index = 4)]
        HotKeyNotRegisteredInSubNet,
        /// No coldkey owns this hotkey.
        #[codec(index = 5)]
        HotKeyAccountNotExists,
        /// The hotkey has no uid on any subnet.
        #[codec(index = 6)]
        HotKeyNotRegisteredInNetwork,
        /// The hotkey belongs to another coldkey.
        #[codec(index = 7)]
        NonAssociatedColdKey,
        /// The stake does not suffice.
        #[codec(index = 8)]
        NotEnoughStake,
        /// The coldkey has less stake with this hotkey than it wants to remove.
        #[codec(index = 9)]
        NotEnoughStakeToWithdraw,
        /// The stake weight is below the threshold for setting weights.
        #[codec(index = 10)]
        NotEnoughStakeToSetWeights,
        /// The stake does not suffice for child keys.
        #[codec(index = 11)]
        NotEnoughStakeToSetChildkeys,
        /// The balance of the coldkey does not suffice for the stake or the price.
        #[codec(index = 12)]
        NotEnoughBalanceToStake,
        /// The balance could not be withdrawn.
        #[codec(index = 13)]
        BalanceWithdrawalError,
        /// The withdrawal would kill the account.
        #[codec(index = 14)]
        ZeroBalanceAfterWithdrawn,
        /// The neuron has no validator permit.
        #[codec(index = 15)]
        NeuronNoValidatorPermit,
        /// Uids and weights differ in number.
        #[codec(index = 16)]
        WeightVecNotEqualSize,
        /// A uid occurs more than once in the row.
        #[codec(index = 17)]
        DuplicateUids,
        /// A uid of the row does not exist.
        #[codec(index = 18)]
        UidVecContainInvalidOne,
        /// The row has fewer weights than the subnet asks for.
        #[codec(index = 19)]
        WeightVecLengthIsLow,
        /// The registrations of this block are used up; try the next one.
        #[codec(index = 20)]
        TooManyRegistrationsThisBlock,
        /// The hotkey has a uid on this subnet already.
        #[codec(index = 21)]
        HotKeyAlreadyRegisteredInSubNet,
        /// The new hotkey is the old one.
        #[codec(index = 22)]
        NewHotKeyIsSameWithOld,
        /// The new hotkey has root stake already.
        #[codec(index = 23)]
        NewHotKeyNotCleanForRootSwap,
        /// The work was done for a block too old or to come.
        #[codec(index = 24)]
        InvalidWorkBlock,
        /// The work is below the difficulty.
        #[codec(index = 25)]
        InvalidDifficulty,
        /// The seal does not belong to the work.
        #[codec(index = 26)]
        InvalidSeal,
        /// A single weight is above the limit.
        #[codec(index = 27)]
        MaxWeightExceeded,
        /// The hotkey is a delegate already.
        #[codec(index = 28)]
        HotKeyAlreadyDelegate,
        /// The neuron set weights less than the rate limit ago.
        #[codec(index = 29)]
        SettingWeightsTooFast,
        /// The version key is older than the subnet asks for.
        #[codec(index = 30)]
        IncorrectWeightVersionKey,
        /// The neuron served less than the rate limit ago.
        #[codec(index = 31)]
        ServingRateLimitExceeded,
        /// The row has more uids than the subnet.
        #[codec(index = 32)]
        UidsLengthExceedUidsInSubNet,
        /// A subnet was registered less than the rate limit ago.
        #[codec(index = 33)]
        NetworkTxRateLimitExceeded,
        /// The take was changed less than the rate limit ago.
        #[codec(index = 34)]
        DelegateTxRateLimitExceeded,
        /// The hotkey was swapped less than the rate limit ago.
        #[codec(index = 35)]
        HotKeySetTxRateLimitExceeded,
        /// The stake was changed less than the rate limit ago.
        #[codec(index = 36)]
        StakingRateLimitExceeded,
        /// The subnet takes no registrations.
        #[codec(index = 37)]
        SubNetRegistrationDisabled,
        /// The registrations of this interval are used up.
        #[codec(index = 38)]
        TooManyRegistrationsThisInterval,
        /// The signer must be the hotkey.
        #[codec(index = 39)]
        TransactorAccountShouldBeHotKey,
        /// There is no faucet on this chain.
        #[codec(index = 40)]
        FaucetDisabled,
        /// The signer does not own the subnet.
        #[codec(index = 41)]
        NotSubnetOwner,
        /// Neurons cannot register on the root network this way.
        #[codec(index = 42)]
        RegistrationNotPermittedOnRootSubnet,
        /// The hotkey has less root stake than any neuron of the full root network.
        #[codec(index = 43)]
        StakeTooLowForRoot,
        /// All subnets are full and immune.
        #[codec(index = 44)]
        AllNetworksInImmunity,
        /// The balance does not suffice for a hotkey swap.
        #[codec(index = 45)]
        NotEnoughBalanceToPaySwapHotKey,
        /// The call is for the root network only.
        #[codec(index = 46)]
        NotRootSubnet,
        /// The root network has no weights.
        #[codec(index = 47)]
        CanNotSetRootNetworkWeights,
        /// No uid is free and none may be replaced.
        #[codec(index = 48)]
        NoNeuronIdAvailable,
        /// The take is below the least, or not on the side of the present one that the call moves it to.
        #[codec(index = 49)]
        DelegateTakeTooLow,
        /// The take is above the highest.
        #[codec(index = 50)]
        DelegateTakeTooHigh,
        /// There is no commit to reveal.
        #[codec(index = 51)]
        NoWeightsCommitFound,
        /// The revealed weights do not have the committed hash.
        #[codec(index = 52)]
        InvalidRevealCommitHashNotMatch,
        /// The subnet wants weights committed and revealed.
        #[codec(index = 53)]
        CommitRevealEnabled,
        /// The subnet wants weights set directly.
        #[codec(index = 54)]
        CommitRevealDisabled,
        /// Liquid alpha is off; switch it on first.
        #[codec(index = 55)]
        LiquidAlphaDisabled,
        /// The high end of liquid alpha is below 0.025.
        #[codec(index = 56)]
        AlphaHighTooLow,
        /// The low end of liquid alpha is below 0.025 or above the high end.
        #[codec(index = 57)]
        AlphaLowOutOfRange,
        /// The new coldkey has hotkeys already.
        #[codec(index = 58)]
        ColdKeyAlreadyAssociated,
        /// The balance does not suffice for a coldkey swap.
        #[codec(index = 59)]
        NotEnoughBalanceToPaySwapColdKey,
        /// A hotkey cannot be its own child.
        #[codec(index = 60)]
        InvalidChild,
        /// A child occurs twice.
        #[codec(index = 61)]
        DuplicateChild,
        /// The children's shares are more than the whole.
        #[codec(index = 62)]
        ProportionOverflow,
        /// A hotkey may have five children.
        #[codec(index = 63)]
        TooManyChildren,
        /// The account sent such a transaction less than the rate limit ago.
        #[codec(index = 64)]
        TxRateLimitExceeded,
        /// No coldkey swap was announced.
        #[codec(index = 65)]
        ColdkeySwapAnnouncementNotFound,
        /// The announced coldkey swap must wait longer.
        #[codec(index = 66)]
        ColdkeySwapTooEarly,
        /// The coldkey swap was announced a short while ago.
        #[codec(index = 67)]
        ColdkeySwapReannouncedTooEarly,
        /// Another coldkey was announced.
        #[codec(index = 68)]
        AnnouncedColdkeyHashDoesNotMatch,
        /// The coldkey swap is disputed already.
        #[codec(index = 69)]
        ColdkeySwapAlreadyDisputed,
        /// The new coldkey is a hotkey.
        #[codec(index = 70)]
        NewColdKeyIsHotkey,
        /// The child key take is out of its bounds.
        #[codec(index = 71)]
        InvalidChildkeyTake,
        /// The child key take was changed less than the rate limit ago.
        #[codec(index = 72)]
        TxChildkeyTakeRateLimitExceeded,
        /// A field of the identity is too long.
        #[codec(index = 73)]
        InvalidIdentity,
        /// The subnet has no such mechanism.
        #[codec(index = 74)]
        MechanismDoesNotExist,
        /// The stake is locked.
        #[codec(index = 75)]
        StakeUnavailable,
        /// There is no such subnet.
        #[codec(index = 76)]
        SubnetNotExists,
        /// The neuron must reveal before it commits again.
        #[codec(index = 77)]
        TooManyUnrevealedCommits,
        /// The time to reveal has passed.
        #[codec(index = 78)]
        ExpiredWeightCommit,
        /// The time to reveal has not come.
        #[codec(index = 79)]
        RevealTooEarly,
        /// The lists differ in length.
        #[codec(index = 80)]
        InputLengthsUnequal,
        /// The neuron committed less than the rate limit ago.
        #[codec(index = 81)]
        CommittingWeightsTooFast,
        /// The amount is below the least that can be moved.
        #[codec(index = 82)]
        AmountTooLow,
        /// The pool does not hold enough.
        #[codec(index = 83)]
        InsufficientLiquidity,
        /// The price is worse than the limit.
        #[codec(index = 84)]
        SlippageTooHigh,
        /// The subnet lets no stake change its owner.
        #[codec(index = 85)]
        TransferDisallowed,
        /// The activity cutoff is below the least.
        #[codec(index = 86)]
        ActivityCutoffTooLow,
        /// The call is switched off.
        #[codec(index = 87)]
        CallDisabled,
        /// The subnet was started before.
        #[codec(index = 88)]
        FirstEmissionBlockNumberAlreadySet,
        /// The subnet is too young to be started.
        #[codec(index = 89)]
        NeedWaitingMoreBlocksToStarCall,
        /// There is less alpha outside of the pool.
        #[codec(index = 90)]
        NotEnoughAlphaOutToRecycle,
        /// Root stake is neither burned nor recycled.
        #[codec(index = 91)]
        CannotBurnOrRecycleOnRootSubnet,
        /// No public key belongs to the signature.
        #[codec(index = 92)]
        UnableToRecoverPublicKey,
        /// The signature belongs to another key.
        #[codec(index = 93)]
        InvalidRecoveredPublicKey,
        /// The subnet was not started.
        #[codec(index = 94)]
        SubtokenDisabled,
        /// The hotkey was swapped on this subnet a short while ago.
        #[codec(index = 95)]
        HotKeySwapOnSubnetIntervalNotPassed,
        /// Origin and destination are one subnet.
        #[codec(index = 96)]
        SameNetuid,
        /// The balance does not suffice.
        #[codec(index = 97)]
        InsufficientBalance,
        /// The lease has another beneficiary.
        #[codec(index = 98)]
        InvalidLeaseBeneficiary,
        /// The lease would end in the past.
        #[codec(index = 99)]
        LeaseCannotEndInThePast,
        /// The lease's subnet was not found.
        #[codec(index = 100)]
        LeaseNetuidNotFound,
        /// There is no such lease.
        #[codec(index = 101)]
        LeaseDoesNotExist,
        /// The lease has no end.
        #[codec(index = 102)]
        LeaseHasNoEndBlock,
        /// The lease has not ended.
        #[codec(index = 103)]
        LeaseHasNotEnded,
        /// A number would overflow.
        #[codec(index = 104)]
        Overflow,
        /// The beneficiary does not own the hotkey.
        #[codec(index = 105)]
        BeneficiaryDoesNotOwnHotkey,
        /// The beneficiary must sign.
        #[codec(index = 106)]
        ExpectedBeneficiaryOrigin,
        /// The next epoch is too near for this change.
        #[codec(index = 107)]
        AdminActionProhibitedDuringWeightsWindow,
        /// There is no such symbol.
        #[codec(index = 108)]
        SymbolDoesNotExist,
        /// Another subnet has this symbol.
        #[codec(index = 109)]
        SymbolAlreadyInUse,
        /// The commit-reveal version is not the chain's.
        #[codec(index = 110)]
        IncorrectCommitRevealVersion,
        /// The reveal round has passed.
        #[codec(index = 111)]
        InvalidRevealRound,
        /// The reveal period is above the limit.
        #[codec(index = 112)]
        RevealPeriodTooLarge,
        /// The reveal period is below the limit.
        #[codec(index = 113)]
        RevealPeriodTooSmall,
        /// A value is out of its bounds.
        #[codec(index = 114)]
        InvalidValue,
        /// There are as many subnets as may be, and none may be replaced.
        #[codec(index = 115)]
        SubnetLimitReached,
        /// The balance does not suffice for the price of a subnet.
        #[codec(index = 116)]
        CannotAffordLockCost,
        /// An EVM key was associated less than the rate limit ago.
        #[codec(index = 117)]
        EvmKeyAssociateRateLimitExceeded,
        /// This hotkey is the destination already.
        #[codec(index = 118)]
        SameAutoStakeHotkeyAlreadySet,
        /// The uids could not be cleared.
        #[codec(index = 119)]
        UidMapCouldNotBeCleared,
        /// Too many of the neurons that would stay are immune.
        #[codec(index = 120)]
        TrimmingWouldExceedMaxImmunePercentage,
        /// Children and parents would not agree.
        #[codec(index = 121)]
        ChildParentInconsistency,
        /// The number of root claims is out of its bounds.
        #[codec(index = 122)]
        InvalidNumRootClaim,
        /// The threshold of root claims is out of its bounds.
        #[codec(index = 123)]
        InvalidRootClaimThreshold,
        /// There are too few or too many subnets in the list.
        #[codec(index = 124)]
        InvalidSubnetNumber,
        /// The mechanisms of the subnet would have more than 256 uids together; lower `MaxAllowedUids` first.
        #[codec(index = 125)]
        TooManyUIDsPerMechanism,
        /// The subnet does not track voting power.
        #[codec(index = 126)]
        VotingPowerTrackingNotEnabled,
        /// The speed of voting power is out of its bounds.
        #[codec(index = 127)]
        InvalidVotingPowerEmaAlpha,
        /// The call does nothing any more.
        #[codec(index = 128)]
        Deprecated,
        /// Stake was bought and burned less than the rate limit ago.
        #[codec(index = 129)]
        AddStakeBurnRateLimitExceeded,
        /// A coldkey swap is announced; until it is done, this call waits.
        #[codec(index = 130)]
        ColdkeySwapAnnounced,
        /// The coldkey swap is disputed; until that is settled, this call waits.
        #[codec(index = 131)]
        ColdkeySwapDisputed,
        /// The announcement is too young to be cleared.
        #[codec(index = 132)]
        ColdkeySwapClearTooEarly,
        /// The call is switched off for now.
        #[codec(index = 133)]
        DisabledTemporarily,
        /// The registration costs more than the limit.
        #[codec(index = 134)]
        RegistrationPriceLimitExceeded,
        /// The lock is on another hotkey.
        #[codec(index = 135)]
        LockHotkeyMismatch,
        /// The stake does not suffice for the lock.
        #[codec(index = 136)]
        InsufficientStakeForLock,
        /// There is no lock.
        #[codec(index = 137)]
        NoExistingLock,
        /// There is a lock already.
        #[codec(index = 138)]
        ActiveLockExists,
        /// The account is one of the chain's own.
        #[codec(index = 139)]
        CannotUseSystemAccount,
        /// Less is locked than is to be unlocked.
        #[codec(index = 140)]
        UnlockAmountTooHigh,
        /// The tempo is out of its bounds.
        #[codec(index = 141)]
        TempoOutOfBounds,
        /// The activity cutoff factor is out of its bounds.
        #[codec(index = 142)]
        ActivityCutoffFactorMilliOutOfBounds,
        /// An epoch was triggered before and waits for its block.
        #[codec(index = 143)]
        EpochTriggerAlreadyPending,
        /// The next epoch comes by itself before a triggered one could.
        #[codec(index = 144)]
        AutoEpochAlreadyImminent,
        /// Epochs cannot be triggered while weights are committed and revealed; switch commit-reveal off first.
        #[codec(index = 145)]
        DynamicTempoBlockedByCommitReveal,
        /// The account takes no locked stake.
        #[codec(index = 146)]
        AccountRejectsLockedAlpha,
        // Arbor's own.
        /// This chain has no child keys; stake to the hotkey that shall validate.
        #[codec(index = 147)]
        ChildKeysNotSupported,
        /// Stake does not move between hotkeys, subnets or coldkeys here; remove it and add it where it shall be.
        #[codec(index = 148)]
        StakeMovesNotSupported,
        /// Root dividends are not claimed here; each epoch pays them as TAO that is staked on root.
        #[codec(index = 149)]
        RootClaimsNotSupported,
        /// Hotkeys are not swapped here; register the new hotkey and add stake to it.
        #[codec(index = 150)]
        HotkeySwapNotSupported,
        /// Coldkeys are not swapped here; remove the stake, transfer the balance and add stake from the new coldkey.
        #[codec(index = 151)]
        ColdkeySwapNotSupported,
        /// Stake cannot be locked here; it stays where it is until its coldkey removes it.
        #[codec(index = 152)]
        StakeLocksNotSupported,
        /// Subnets are not removed here; raise the limit of subnets where a new one needs room.
        #[codec(index = 153)]
        SubnetRemovalNotSupported,
        /// The coldkey owns 1 024 hotkeys; use another coldkey for more.
        #[codec(index = 154)]
        TooManyHotkeys,
        /// The coldkey has stake with 1 024 hotkeys; remove it from some, or use another coldkey.
        #[codec(index = 155)]
        TooManyStakingHotkeys,
        /// Stake is not bought to be burned here; add it, and leave it where it is.
        #[codec(index = 156)]
        StakeBurnNotSupported,
    }
}
