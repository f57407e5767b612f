//! Every call of the pallet, in the order of its index.
//!
//! Calls check nothing themselves: each hands its arguments to a `do_…` function of the file that its subject names.
//! FRAME wants the calls of a pallet in one block, so this file is long; it is a table. To add a call, take the
//! index, the name and the arguments that `test/vectors/metadata/subtensor-module-424.json` gives it.

use frame_support::pallet_macros::pallet_section;
use polkadot_sdk::*;

/// The calls, imported into the pallet module.
#[pallet_section]
mod calls {
    // Weights are (reads, writes) of the worst usual case plus processor time; benchmarks will replace them.
    // Calls of hotkeys are free, because hotkeys hold no TAO; their rate limits keep them from flooding.
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Sets the weights of the signing hotkey's neuron on the main mechanism of a subnet.
        ///
        /// `dests` are uids, `weights` their relative weights (the largest is stored as 65 535), `version_key`
        /// the version of the validator's software.
        ///
        /// Errors, in the order of the checks: `CommitRevealEnabled`, `CanNotSetRootNetworkWeights`,
        /// `WeightVecNotEqualSize`, `MechanismDoesNotExist`, `UidsLengthExceedUidsInSubNet`,
        /// `HotKeyNotRegisteredInSubNet`, `NotEnoughStakeToSetWeights`, `IncorrectWeightVersionKey`,
        /// `SettingWeightsTooFast`, `NeuronNoValidatorPermit`, `DuplicateUids`, `UidVecContainInvalidOne`,
        /// `WeightVecLengthIsLow`, `MaxWeightExceeded`. Event: `WeightsSet`.
        #[pallet::call_index(0)]
        #[pallet::weight((call_weight::<T>(16, 2, dests.len()), DispatchClass::Normal, Pays::No))]
        pub fn set_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            dests: Vec<u16>,
            weights: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let mechanism = MechId::MAIN;
            Self::do_set_weights(
                hotkey,
                WeightRow {
                    netuid,
                    mechanism,
                    uids: dests,
                    values: weights,
                    version_key,
                },
            )
        }

        /// Buys alpha for `amount_staked` rao of the signing coldkey and stakes it to a hotkey; on root one to one.
        ///
        /// Errors: `SubnetNotExists`, `SubtokenDisabled`, `AmountTooLow`, `NotEnoughBalanceToStake`,
        /// `HotKeyAccountNotExists`, `InsufficientLiquidity`. Event: `StakeAdded`.
        #[pallet::call_index(2)]
        #[pallet::weight(call_weight::<T>(14, 9, 0))]
        pub fn add_stake(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_staked: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_add_stake(coldkey, hotkey, netuid, amount_staked)
        }

        /// Sells `amount_unstaked` alpha that the signing coldkey has staked to a hotkey.
        ///
        /// Errors: `SubnetNotExists`, `SubtokenDisabled`, `HotKeyAccountNotExists`, `AmountTooLow`,
        /// `NotEnoughStakeToWithdraw`, `InsufficientLiquidity`. Event: `StakeRemoved`.
        #[pallet::call_index(3)]
        #[pallet::weight(call_weight::<T>(14, 9, 0))]
        pub fn remove_stake(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_unstaked: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_remove_stake(coldkey, hotkey, netuid, amount_unstaked)
        }

        /// Says where the signing hotkey's axon listens on a subnet.
        ///
        /// `ip` holds an IPv4 address in its low 32 bits when `ip_type` is 4; `protocol` and the placeholders are
        /// the neuron's own.
        ///
        /// Errors: `HotKeyNotRegisteredInNetwork`, `InvalidIpType`, `InvalidIpAddress`,
        /// `ServingRateLimitExceeded`, `InvalidPort`. Event: `AxonServed`.
        #[pallet::call_index(4)]
        #[pallet::weight((call_weight::<T>(4, 1, 0), DispatchClass::Normal, Pays::No))]
        pub fn serve_axon(
            origin: OriginFor<T>,
            netuid: NetUid,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
            protocol: u8,
            placeholder1: u8,
            placeholder2: u8,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let axon = AxonInfo {
                block: 0,
                version,
                ip,
                port,
                ip_type,
                protocol,
                placeholder1,
                placeholder2,
            };
            Self::do_serve_axon(hotkey, netuid, axon)
        }

        /// Registers a hotkey on a subnet for the current price, which buys alpha that is destroyed.
        ///
        /// Errors: `RegistrationNotPermittedOnRootSubnet`, `SubnetNotExists`, `SubNetRegistrationDisabled`,
        /// `TooManyRegistrationsThisBlock`, `HotKeyAlreadyRegisteredInSubNet`, `NotEnoughBalanceToStake`,
        /// `NonAssociatedColdKey`, `InsufficientLiquidity`, `NoNeuronIdAvailable`. Event: `NeuronRegistered`.
        #[pallet::call_index(7)]
        #[pallet::weight(call_weight::<T>(40, 25, 256))]
        pub fn burned_register(origin: OriginFor<T>, netuid: NetUid, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_burned_register(coldkey, netuid, hotkey, None)
        }

        /// Makes a subnet for the current price, which becomes the TAO of its pool; `hotkey` becomes uid 0.
        ///
        /// Errors: `NetworkTxRateLimitExceeded`, `CannotAffordLockCost`, `SubnetLimitReached`,
        /// `NonAssociatedColdKey`. Event: `NetworkAdded`.
        #[pallet::call_index(59)]
        #[pallet::weight(call_weight::<T>(150, 40, 0))]
        pub fn register_network(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_register_network(coldkey, hotkey)
        }

        /// Buys alpha as `add_stake` does, while the price is at most `limit_price` rao per alpha.
        ///
        /// If the whole amount would pass the limit, `allow_partial` stakes what does not. Errors are those of
        /// `add_stake` and `SlippageTooHigh`. Event: `StakeAdded`.
        #[pallet::call_index(88)]
        #[pallet::weight(call_weight::<T>(16, 9, 0))]
        pub fn add_stake_limit(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_staked: u64,
            limit_price: u64,
            allow_partial: bool,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let limit = PriceLimit {
                price: limit_price,
                allow_partial,
            };
            Self::do_add_stake_limit(coldkey, hotkey, netuid, amount_staked, limit)
        }

        /// Sells alpha as `remove_stake` does, while the price is at least `limit_price` rao per alpha.
        ///
        /// If the whole amount would pass the limit, `allow_partial` sells what does not. Errors are those of
        /// `remove_stake` and `SlippageTooHigh`. Event: `StakeRemoved`.
        #[pallet::call_index(89)]
        #[pallet::weight(call_weight::<T>(16, 9, 0))]
        pub fn remove_stake_limit(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            amount_unstaked: u64,
            limit_price: u64,
            allow_partial: bool,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let limit = PriceLimit {
                price: limit_price,
                allow_partial,
            };
            Self::do_remove_stake_limit(coldkey, hotkey, netuid, amount_unstaked, limit)
        }

        /// Starts a subnet, signed by its owner: stake opens now, emission with the next block.
        ///
        /// Errors: `SubnetNotExists`, `NotSubnetOwner`, `FirstEmissionBlockNumberAlreadySet`,
        /// `NeedWaitingMoreBlocksToStarCall`. Event: `FirstEmissionBlockNumberSet`.
        #[pallet::call_index(92)]
        #[pallet::weight(call_weight::<T>(5, 2, 0))]
        pub fn start_call(origin: OriginFor<T>, netuid: NetUid) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_start_call(coldkey, netuid)
        }

        /// Commits to a weight row of the main mechanism by its hash; `reveal_weights` opens it an epoch or more later.
        ///
        /// `commit_hash` is Blake2b-256 over the SCALE encoding of (hotkey, u16 index, uids, values, salt,
        /// version key). The neuron counts as updated from now on.
        ///
        /// Errors: `MechanismDoesNotExist`, `CommitRevealDisabled`, `HotKeyNotRegisteredInSubNet`,
        /// `CommittingWeightsTooFast`, `TooManyUnrevealedCommits`. Event: `WeightsCommitted`.
        #[pallet::call_index(96)]
        #[pallet::weight((call_weight::<T>(12, 2, 0), DispatchClass::Normal, Pays::No))]
        pub fn commit_weights(origin: OriginFor<T>, netuid: NetUid, commit_hash: T::Hash) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::do_commit_weights(hotkey, netuid, MechId::MAIN, commit_hash)
        }

        /// Sets the weights that were committed by their hash, in the epoch in which that is due.
        ///
        /// Older open commits of the hotkey fall away. Weights on uids that changed hands since the commit count
        /// as 0.
        ///
        /// Errors: `SubnetNotExists`, `CommitRevealDisabled`, `NoWeightsCommitFound`, `ExpiredWeightCommit`,
        /// `InvalidRevealCommitHashNotMatch`, `RevealTooEarly`, and those of `set_weights`. Events: `WeightsSet`,
        /// `WeightsRevealed`, perhaps `RevealedWeightsMasked`.
        #[pallet::call_index(97)]
        #[pallet::weight((call_weight::<T>(24, 2, uids.len() + salt.len()), DispatchClass::Normal, Pays::No))]
        pub fn reveal_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            uids: Vec<u16>,
            values: Vec<u16>,
            salt: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let row = WeightRow {
                netuid,
                mechanism: MechId::MAIN,
                uids,
                values,
                version_key,
            };
            Self::do_reveal_weights(hotkey, row, &salt)
        }

        /// Reveals several commits of the main mechanism in one call, all or none; the last row stays.
        ///
        /// Errors: `InputLengthsUnequal`, and those of `reveal_weights`. Events: those of `set_weights`, and
        /// `WeightsBatchRevealed`.
        #[pallet::call_index(98)]
        #[pallet::weight((
            call_weight::<T>(24, 2, 0).saturating_mul(uids_list.len() as u64 + 1).saturating_add(call_weight::<T>(
                0,
                0,
                uids_list.iter().map(Vec::len).sum::<usize>() + salts_list.iter().map(Vec::len).sum::<usize>(),
            )),
            DispatchClass::Normal,
            Pays::No,
        ))]
        pub fn batch_reveal_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            uids_list: Vec<Vec<u16>>,
            values_list: Vec<Vec<u16>>,
            salts_list: Vec<Vec<u16>>,
            version_keys: Vec<u64>,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let count = uids_list.len();
            ensure!(
                count == values_list.len() && count == salts_list.len() && count == version_keys.len(),
                Error::<T>::InputLengthsUnequal
            );
            let rows = uids_list
                .into_iter()
                .zip(values_list)
                .zip(salts_list)
                .zip(version_keys);
            let rows = rows.map(|(((uids, values), salt), version_key)| {
                let mechanism = MechId::MAIN;
                let row = WeightRow {
                    netuid,
                    mechanism,
                    uids,
                    values,
                    version_key,
                };
                (row, salt)
            });
            Self::do_batch_reveal_weights(hotkey, netuid, rows.collect())
        }

        /// Commits to a weight row of the main mechanism by a ciphertext that round `reveal_round` of the beacon
        /// opens; the chain reveals it by itself.
        ///
        /// Errors: `MechanismDoesNotExist`, `CommitRevealDisabled`, `IncorrectCommitRevealVersion`,
        /// `HotKeyNotRegisteredInSubNet`, `CommittingWeightsTooFast`, `InvalidRevealRound`,
        /// `TooManyUnrevealedCommits`. Event: `TimelockedWeightsCommitted`; later `TimelockedWeightsRevealed` or
        /// `TimelockedWeightsDropped`.
        #[pallet::call_index(113)]
        #[pallet::weight((call_weight::<T>(14, 2, commit.len()), DispatchClass::Normal, Pays::No))]
        pub fn commit_timelocked_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            commit: BoundedVec<u8, ConstU32<MAX_COMMIT_BYTES>>,
            reveal_round: u64,
            commit_reveal_version: u16,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let commit = TimelockedCommit {
                netuid,
                mechanism: MechId::MAIN,
                ciphertext: commit,
                reveal_round,
                version: commit_reveal_version,
            };
            Self::do_commit_timelocked_weights(hotkey, commit)
        }

        /// Commits to a weight row of one mechanism by its hash, as `commit_weights` does.
        #[pallet::call_index(115)]
        #[pallet::weight((call_weight::<T>(12, 2, 0), DispatchClass::Normal, Pays::No))]
        pub fn commit_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            commit_hash: T::Hash,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::do_commit_weights(hotkey, netuid, mecid, commit_hash)
        }

        /// Sets committed weights of one mechanism, as `reveal_weights` does.
        #[pallet::call_index(116)]
        #[pallet::weight((call_weight::<T>(24, 2, uids.len() + salt.len()), DispatchClass::Normal, Pays::No))]
        pub fn reveal_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            uids: Vec<u16>,
            values: Vec<u16>,
            salt: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let row = WeightRow {
                netuid,
                mechanism: mecid,
                uids,
                values,
                version_key,
            };
            Self::do_reveal_weights(hotkey, row, &salt)
        }

        /// Commits to a weight row of one mechanism by a ciphertext, as `commit_timelocked_weights` does.
        #[pallet::call_index(118)]
        #[pallet::weight((call_weight::<T>(14, 2, commit.len()), DispatchClass::Normal, Pays::No))]
        pub fn commit_timelocked_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            commit: BoundedVec<u8, ConstU32<MAX_COMMIT_BYTES>>,
            reveal_round: u64,
            commit_reveal_version: u16,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let commit = TimelockedCommit {
                netuid,
                mechanism: mecid,
                ciphertext: commit,
                reveal_round,
                version: commit_reveal_version,
            };
            Self::do_commit_timelocked_weights(hotkey, commit)
        }

        /// Sets the weights of the signing hotkey's neuron on one mechanism of a subnet.
        ///
        /// Parameters, errors and event are those of `set_weights`; `mecid` 0 is the main mechanism.
        #[pallet::call_index(119)]
        #[pallet::weight((call_weight::<T>(16, 2, dests.len()), DispatchClass::Normal, Pays::No))]
        pub fn set_mechanism_weights(
            origin: OriginFor<T>,
            netuid: NetUid,
            mecid: MechId,
            dests: Vec<u16>,
            weights: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let row = WeightRow {
                netuid,
                mechanism: mecid,
                uids: dests,
                values: weights,
                version_key,
            };
            Self::do_set_weights(hotkey, row)
        }

        /// Registers a hotkey on a subnet if that costs at most `limit_price` rao.
        ///
        /// Errors are those of `burned_register` and `RegistrationPriceLimitExceeded`. Event: `NeuronRegistered`.
        #[pallet::call_index(134)]
        #[pallet::weight(call_weight::<T>(40, 25, 256))]
        pub fn register_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            hotkey: T::AccountId,
            limit_price: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_burned_register(coldkey, netuid, hotkey, Some(limit_price))
        }
    }
}
