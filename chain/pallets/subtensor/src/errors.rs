//! Why a call is refused.
//!
//! Variants keep the numbers that subtensor (spec 425) gives them, because clients know errors by number as well
//! as by name; numbers of refusals that this chain never gives are left out.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

/// The error enum, imported into the pallet module.
#[pallet_section]
mod errors {
    /// Why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
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
        /// A single weight is above the limit.
        #[codec(index = 27)]
        MaxWeightExceeded,
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
        /// The stake was changed less than the rate limit ago.
        #[codec(index = 36)]
        StakingRateLimitExceeded,
        /// The subnet takes no registrations.
        #[codec(index = 37)]
        SubNetRegistrationDisabled,
        /// The registrations of this interval are used up.
        #[codec(index = 38)]
        TooManyRegistrationsThisInterval,
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
        /// The account sent such a transaction less than the rate limit ago.
        #[codec(index = 64)]
        TxRateLimitExceeded,
        /// A field of the identity is too long.
        #[codec(index = 73)]
        InvalidIdentity,
        /// The subnet has no such mechanism.
        #[codec(index = 74)]
        MechanismDoesNotExist,
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
        /// The call is switched off.
        #[codec(index = 87)]
        CallDisabled,
        /// The subnet was started before.
        #[codec(index = 88)]
        FirstEmissionBlockNumberAlreadySet,
        /// The subnet is too young to be started.
        #[codec(index = 89)]
        NeedWaitingMoreBlocksToStarCall,
        /// The subnet was not started.
        #[codec(index = 94)]
        SubtokenDisabled,
        /// The balance does not suffice.
        #[codec(index = 97)]
        InsufficientBalance,
        /// A number would overflow.
        #[codec(index = 104)]
        Overflow,
        /// The next epoch is too near for this change.
        #[codec(index = 107)]
        AdminActionProhibitedDuringWeightsWindow,
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
        /// The mechanisms of the subnet would have more than 256 uids together; lower `MaxAllowedUids` first.
        #[codec(index = 125)]
        TooManyUIDsPerMechanism,
        /// The call does nothing any more.
        #[codec(index = 128)]
        Deprecated,
        /// The registration costs more than the limit.
        #[codec(index = 134)]
        RegistrationPriceLimitExceeded,
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
        // From 200 on: Arbor's own.
        /// This chain has no child keys; stake to the hotkey that shall validate.
        #[codec(index = 200)]
        ChildKeysNotSupported,
        /// Stake does not move between hotkeys, subnets or coldkeys here; remove it and add it where it shall be.
        #[codec(index = 201)]
        StakeMovesNotSupported,
        /// Root dividends are not claimed here; each epoch pays them as TAO that is staked on root.
        #[codec(index = 202)]
        RootClaimsNotSupported,
        /// Hotkeys are not swapped here; register the new hotkey and add stake to it.
        #[codec(index = 203)]
        HotkeySwapNotSupported,
        /// Coldkeys are not swapped here; remove the stake, transfer the balance and add stake from the new coldkey.
        #[codec(index = 204)]
        ColdkeySwapNotSupported,
        /// Stake cannot be locked here; it stays where it is until its coldkey removes it.
        #[codec(index = 205)]
        StakeLocksNotSupported,
        /// Subnets are not removed here; raise the limit of subnets where a new one needs room.
        #[codec(index = 206)]
        SubnetRemovalNotSupported,
        /// The coldkey owns 1 024 hotkeys; use another coldkey for more.
        #[codec(index = 207)]
        TooManyHotkeys,
        /// The coldkey has stake with 1 024 hotkeys; remove it from some, or use another coldkey.
        #[codec(index = 208)]
        TooManyStakingHotkeys,
    }
}
