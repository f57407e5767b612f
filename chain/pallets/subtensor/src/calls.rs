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
        #[pallet::weight((T::WeightInfo::set_weights(dests.len() as u32), DispatchClass::Normal, Pays::No))]
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
        #[pallet::weight(T::WeightInfo::add_stake())]
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
        #[pallet::weight(T::WeightInfo::remove_stake())]
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
        #[pallet::weight((T::WeightInfo::serve_axon(), DispatchClass::Normal, Pays::No))]
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

        /// Says where the signing hotkey's Prometheus endpoint listens on a subnet.
        ///
        /// Errors: `HotKeyNotRegisteredInNetwork`, `InvalidIpType`, `InvalidIpAddress`,
        /// `ServingRateLimitExceeded`, `InvalidPort`. Event: `PrometheusServed`.
        #[pallet::call_index(5)]
        #[pallet::weight((T::WeightInfo::serve_prometheus(), DispatchClass::Normal, Pays::No))]
        pub fn serve_prometheus(
            origin: OriginFor<T>,
            netuid: NetUid,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let endpoint = PrometheusInfo {
                block: 0,
                version,
                ip,
                port,
                ip_type,
            };
            Self::do_serve_prometheus(hotkey, netuid, endpoint)
        }

        /// Registers a hotkey on a subnet for the current price, which buys alpha that is destroyed.
        ///
        /// Errors: `RegistrationNotPermittedOnRootSubnet`, `SubnetNotExists`, `SubNetRegistrationDisabled`,
        /// `TooManyRegistrationsThisBlock`, `HotKeyAlreadyRegisteredInSubNet`, `NotEnoughBalanceToStake`,
        /// `NonAssociatedColdKey`, `InsufficientLiquidity`, `NoNeuronIdAvailable`. Event: `NeuronRegistered`.
        #[pallet::call_index(7)]
        #[pallet::weight(registration_weight::<T>())]
        pub fn burned_register(
            origin: OriginFor<T>,
            netuid: NetUid,
            hotkey: T::AccountId,
        ) -> DispatchResultWithPostInfo {
            let coldkey = ensure_signed(origin)?;
            let full = Self::is_full(netuid);
            Self::do_burned_register(coldkey, netuid, hotkey, None)?;
            Ok((!full).then(T::WeightInfo::burned_register).into())
        }

        /// Says where the signing hotkey's axon listens, as `serve_axon` does, and by which key it proves itself.
        ///
        /// `certificate` is a byte for the algorithm and at most 64 bytes of public key. Errors are those of
        /// `serve_axon` and `InvalidValue` for a certificate of another length. Event: `AxonServed`.
        #[pallet::call_index(40)]
        #[pallet::weight((T::WeightInfo::serve_axon_tls(), DispatchClass::Normal, Pays::No))]
        pub fn serve_axon_tls(
            origin: OriginFor<T>,
            netuid: NetUid,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
            protocol: u8,
            placeholder1: u8,
            placeholder2: u8,
            certificate: Vec<u8>,
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
            Self::do_serve_axon_tls(hotkey, netuid, axon, &certificate)
        }

        /// Makes a subnet for the current price, which becomes the TAO of its pool; `hotkey` becomes uid 0.
        ///
        /// Errors: `NetworkTxRateLimitExceeded`, `CannotAffordLockCost`, `SubnetLimitReached`,
        /// `NonAssociatedColdKey`. Event: `NetworkAdded`.
        #[pallet::call_index(59)]
        #[pallet::weight(register_network_weight::<T>())]
        pub fn register_network(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_register_network(coldkey, hotkey, None)
        }

        /// Takes a subnet away. Refused: subnets stay.
        ///
        /// Error: `SubnetRemovalNotSupported`.
        #[pallet::call_index(61)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn dissolve_network(
            origin: OriginFor<T>,
            _coldkey: T::AccountId,
            _netuid: NetUid,
        ) -> DispatchResult {
            ensure_root(origin)?;
            Err(Error::<T>::SubnetRemovalNotSupported.into())
        }

        /// Registers a hotkey on the root network, at no price; a full network gives way to more root stake.
        ///
        /// Errors: `TooManyRegistrationsThisBlock`, `TooManyRegistrationsThisInterval`,
        /// `HotKeyAlreadyRegisteredInSubNet`, `NonAssociatedColdKey`, `TooManyHotkeys`, `StakeTooLowForRoot`.
        /// Event: `NeuronRegistered`.
        #[pallet::call_index(62)]
        #[pallet::weight(T::WeightInfo::root_register())]
        pub fn root_register(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_root_register(coldkey, hotkey)
        }

        /// Lowers the take of a hotkey, signed by its coldkey, from the next epoch on.
        ///
        /// Errors: `HotKeyAccountNotExists`, `NonAssociatedColdKey`, `DelegateTakeTooLow`. Event: `TakeDecreased`.
        #[pallet::call_index(65)]
        #[pallet::weight(T::WeightInfo::decrease_take())]
        pub fn decrease_take(origin: OriginFor<T>, hotkey: T::AccountId, take: u16) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_decrease_take(coldkey, hotkey, take)
        }

        /// Raises the take of a hotkey, signed by its coldkey, from the next epoch on.
        ///
        /// Errors: `HotKeyAccountNotExists`, `NonAssociatedColdKey`, `DelegateTakeTooLow`, `DelegateTakeTooHigh`,
        /// `DelegateTxRateLimitExceeded`. Event: `TakeIncreased`.
        #[pallet::call_index(66)]
        #[pallet::weight(T::WeightInfo::increase_take())]
        pub fn increase_take(origin: OriginFor<T>, hotkey: T::AccountId, take: u16) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_increase_take(coldkey, hotkey, take)
        }

        /// Gives shares of a hotkey's stake to others. Refused: this chain has no child keys.
        ///
        /// Error: `ChildKeysNotSupported`.
        #[pallet::call_index(67)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn set_children(
            origin: OriginFor<T>,
            _hotkey: T::AccountId,
            _netuid: NetUid,
            _children: Vec<(u64, T::AccountId)>,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::ChildKeysNotSupported.into())
        }

        /// Says who the signing coldkey is.
        ///
        /// Names and links are at most 256 bytes long, the image's link and descriptions 1 024.
        ///
        /// Errors: `HotKeyNotRegisteredInNetwork` unless the coldkey has a registered hotkey, `InvalidIdentity`.
        /// Event: `ChainIdentitySet`.
        #[pallet::call_index(68)]
        #[pallet::weight(T::WeightInfo::set_identity())]
        pub fn set_identity(
            origin: OriginFor<T>,
            name: Vec<u8>,
            url: Vec<u8>,
            github_repo: Vec<u8>,
            image: Vec<u8>,
            discord: Vec<u8>,
            description: Vec<u8>,
            additional: Vec<u8>,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let identity = ChainIdentityV2 {
                name,
                url,
                github_repo,
                image,
                discord,
                description,
                additional,
            };
            Self::do_set_identity(coldkey, identity)
        }

        /// Puts a new hotkey into the place of another. Refused: hotkeys stay what they are.
        ///
        /// Error: `HotkeySwapNotSupported`.
        #[pallet::call_index(70)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn swap_hotkey(
            origin: OriginFor<T>,
            _hotkey: T::AccountId,
            _new_hotkey: T::AccountId,
            _netuid: Option<NetUid>,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::HotkeySwapNotSupported.into())
        }

        /// Puts a new coldkey into the place of another. Refused: coldkeys stay what they are.
        ///
        /// Error: `ColdkeySwapNotSupported`.
        #[pallet::call_index(71)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn swap_coldkey(
            origin: OriginFor<T>,
            _old_coldkey: T::AccountId,
            _new_coldkey: T::AccountId,
            _swap_cost: u64,
        ) -> DispatchResult {
            ensure_root(origin)?;
            Err(Error::<T>::ColdkeySwapNotSupported.into())
        }

        /// Puts a new hotkey into the place of another, with or without its stake. Refused as `swap_hotkey` is.
        ///
        /// Error: `HotkeySwapNotSupported`.
        #[pallet::call_index(72)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn swap_hotkey_v2(
            origin: OriginFor<T>,
            _hotkey: T::AccountId,
            _new_hotkey: T::AccountId,
            _netuid: Option<NetUid>,
            _keep_stake: bool,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::HotkeySwapNotSupported.into())
        }

        /// Sets the take of a child hotkey. Refused: this chain has no child keys.
        ///
        /// Error: `ChildKeysNotSupported`.
        #[pallet::call_index(75)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn set_childkey_take(
            origin: OriginFor<T>,
            _hotkey: T::AccountId,
            _netuid: NetUid,
            _take: u16,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::ChildKeysNotSupported.into())
        }

        /// Says what a subnet is, signed by its owner.
        ///
        /// The name and the name on Discord are at most 256 bytes long, the rest 1 024.
        ///
        /// Errors: `SubnetNotExists`, `NotSubnetOwner`, `InvalidIdentity`. Event: `SubnetIdentitySet`.
        #[pallet::call_index(78)]
        #[pallet::weight(T::WeightInfo::set_subnet_identity())]
        pub fn set_subnet_identity(
            origin: OriginFor<T>,
            netuid: NetUid,
            subnet_name: Vec<u8>,
            github_repo: Vec<u8>,
            subnet_contact: Vec<u8>,
            subnet_url: Vec<u8>,
            discord: Vec<u8>,
            description: Vec<u8>,
            logo_url: Vec<u8>,
            additional: Vec<u8>,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let identity = SubnetIdentityV3 {
                subnet_name,
                github_repo,
                subnet_contact,
                subnet_url,
                discord,
                description,
                logo_url,
                additional,
            };
            Self::do_set_subnet_identity(coldkey, netuid, identity)
        }

        /// Makes a subnet as `register_network` does, and says what it is.
        ///
        /// Errors are those of `register_network` and `InvalidIdentity`. Events: `NetworkAdded`,
        /// `SubnetIdentitySet`.
        #[pallet::call_index(79)]
        #[pallet::weight(register_network_weight::<T>().saturating_add(T::WeightInfo::set_subnet_identity()))]
        pub fn register_network_with_identity(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            identity: Option<SubnetIdentityV3>,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_register_network(coldkey, hotkey, identity)
        }

        /// Sets the weights of the signing hotkey's neurons on the main mechanisms of up to 128 subnets.
        ///
        /// What fails is told by an event and does not undo the rest. Errors: `InputLengthsUnequal`,
        /// `InvalidValue` for more than 128 subnets. Events: `WeightsSet`, `BatchWeightItemFailed`,
        /// `BatchCompletedWithErrors`, `BatchWeightsCompleted`.
        #[pallet::call_index(80)]
        #[pallet::weight((batch_weight::<T>(weights), DispatchClass::Normal, Pays::No))]
        pub fn batch_set_weights(
            origin: OriginFor<T>,
            netuids: Vec<codec::Compact<NetUid>>,
            weights: Vec<Vec<(codec::Compact<u16>, codec::Compact<u16>)>>,
            version_keys: Vec<codec::Compact<u64>>,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::do_batch_set_weights(hotkey, netuids, weights, version_keys)
        }

        /// Sells all alpha and root stake that the signing coldkey has with a hotkey, on every subnet that is open.
        ///
        /// A subnet whose pool cannot buy is passed over. Error: `HotKeyAccountNotExists`. Event: `StakeRemoved`
        /// for each subnet.
        #[pallet::call_index(83)]
        #[pallet::weight(T::WeightInfo::unstake_all(SubnetLimit::<T>::get().into()))]
        pub fn unstake_all(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_unstake_all(coldkey, hotkey)
        }

        /// Sells all alpha that the signing coldkey has with a hotkey and stakes the TAO to the hotkey on root.
        ///
        /// Errors: `HotKeyAccountNotExists`, `AmountTooLow` if all is worth less than may be staked. Events:
        /// `StakeRemoved` for each subnet, `StakeAdded`.
        #[pallet::call_index(84)]
        #[pallet::weight(T::WeightInfo::unstake_all_alpha(SubnetLimit::<T>::get().into()))]
        pub fn unstake_all_alpha(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_unstake_all_alpha(coldkey, hotkey)
        }

        /// Moves stake to another hotkey or subnet. Refused: remove it there and add it here.
        ///
        /// Error: `StakeMovesNotSupported`.
        #[pallet::call_index(85)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn move_stake(
            origin: OriginFor<T>,
            _origin_hotkey: T::AccountId,
            _destination_hotkey: T::AccountId,
            _origin_netuid: NetUid,
            _destination_netuid: NetUid,
            _alpha_amount: u64,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::StakeMovesNotSupported.into())
        }

        /// Moves stake to another coldkey. Refused as `move_stake` is.
        ///
        /// Error: `StakeMovesNotSupported`.
        #[pallet::call_index(86)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn transfer_stake(
            origin: OriginFor<T>,
            _destination_coldkey: T::AccountId,
            _hotkey: T::AccountId,
            _origin_netuid: NetUid,
            _destination_netuid: NetUid,
            _alpha_amount: u64,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::StakeMovesNotSupported.into())
        }

        /// Moves stake to another subnet. Refused as `move_stake` is.
        ///
        /// Error: `StakeMovesNotSupported`.
        #[pallet::call_index(87)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn swap_stake(
            origin: OriginFor<T>,
            _hotkey: T::AccountId,
            _origin_netuid: NetUid,
            _destination_netuid: NetUid,
            _alpha_amount: u64,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::StakeMovesNotSupported.into())
        }

        /// Buys alpha as `add_stake` does, while the price is at most `limit_price` rao per alpha.
        ///
        /// If the whole amount would pass the limit, `allow_partial` stakes what does not. Errors are those of
        /// `add_stake` and `SlippageTooHigh`. Event: `StakeAdded`.
        #[pallet::call_index(88)]
        #[pallet::weight(T::WeightInfo::add_stake_limit())]
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
        #[pallet::weight(T::WeightInfo::remove_stake_limit())]
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

        /// Moves stake to another subnet within a price. Refused as `move_stake` is.
        ///
        /// Error: `StakeMovesNotSupported`.
        #[pallet::call_index(90)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn swap_stake_limit(
            origin: OriginFor<T>,
            _hotkey: T::AccountId,
            _origin_netuid: NetUid,
            _destination_netuid: NetUid,
            _alpha_amount: u64,
            _limit_price: u64,
            _allow_partial: bool,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::StakeMovesNotSupported.into())
        }

        /// Makes a hotkey known as the signing coldkey's own; nothing happens if somebody's it is already.
        ///
        /// Error: `TooManyHotkeys`.
        #[pallet::call_index(91)]
        #[pallet::weight(T::WeightInfo::try_associate_hotkey())]
        pub fn try_associate_hotkey(origin: OriginFor<T>, hotkey: T::AccountId) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_try_associate_hotkey(coldkey, hotkey)
        }

        /// Starts a subnet, signed by its owner: stake opens now, emission with the next block.
        ///
        /// Errors: `SubnetNotExists`, `NotSubnetOwner`, `FirstEmissionBlockNumberAlreadySet`,
        /// `NeedWaitingMoreBlocksToStarCall`. Event: `FirstEmissionBlockNumberSet`.
        #[pallet::call_index(92)]
        #[pallet::weight(T::WeightInfo::start_call())]
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
        #[pallet::weight((T::WeightInfo::commit_weights(), DispatchClass::Normal, Pays::No))]
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
        #[pallet::weight((T::WeightInfo::reveal_weights(uids.len() as u32, salt.len() as u32), DispatchClass::Normal, Pays::No))]
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
        #[pallet::weight((batch_reveal_weight::<T>(uids_list, salts_list), DispatchClass::Normal, Pays::No))]
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

        /// Sells all that the signing coldkey has staked to a hotkey, down to `limit_price` rao per alpha if given.
        ///
        /// Errors are those of `remove_stake_limit`. Event: `StakeRemoved`.
        #[pallet::call_index(103)]
        #[pallet::weight(T::WeightInfo::remove_stake_full_limit())]
        pub fn remove_stake_full_limit(
            origin: OriginFor<T>,
            hotkey: T::AccountId,
            netuid: NetUid,
            limit_price: Option<u64>,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_remove_stake_full_limit(coldkey, hotkey, netuid, limit_price)
        }

        /// Gives a subnet's token another sign, signed by its owner or root; at most 16 bytes of UTF-8.
        ///
        /// Errors: `SubnetNotExists`, `BadOrigin`, `SymbolDoesNotExist`, `SymbolAlreadyInUse`. Event:
        /// `SymbolUpdated`.
        #[pallet::call_index(112)]
        #[pallet::weight(T::WeightInfo::update_symbol(SubnetLimit::<T>::get().into()))]
        pub fn update_symbol(origin: OriginFor<T>, netuid: NetUid, symbol: Vec<u8>) -> DispatchResult {
            Self::do_update_symbol(origin, netuid, symbol)
        }

        /// Commits to a weight row of the main mechanism by a ciphertext that round `reveal_round` of the beacon
        /// opens; the chain reveals it by itself.
        ///
        /// Errors: `MechanismDoesNotExist`, `CommitRevealDisabled`, `IncorrectCommitRevealVersion`,
        /// `HotKeyNotRegisteredInSubNet`, `CommittingWeightsTooFast`, `InvalidRevealRound`,
        /// `TooManyUnrevealedCommits`. Event: `TimelockedWeightsCommitted`; later `TimelockedWeightsRevealed` or
        /// `TimelockedWeightsDropped`.
        #[pallet::call_index(113)]
        #[pallet::weight((T::WeightInfo::commit_timelocked_weights(commit.len() as u32), DispatchClass::Normal, Pays::No))]
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

        /// Chooses the hotkey that a coldkey's miner incentive on a subnet is staked to.
        ///
        /// Errors: `SubnetNotExists`, `HotKeyAccountNotExists`, `SameAutoStakeHotkeyAlreadySet`. Event:
        /// `AutoStakeDestinationSet`.
        #[pallet::call_index(114)]
        #[pallet::weight(T::WeightInfo::set_coldkey_auto_stake_hotkey())]
        pub fn set_coldkey_auto_stake_hotkey(
            origin: OriginFor<T>,
            netuid: NetUid,
            hotkey: T::AccountId,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_set_auto_stake(coldkey, netuid, hotkey)
        }

        /// Commits to a weight row of one mechanism by its hash, as `commit_weights` does.
        #[pallet::call_index(115)]
        #[pallet::weight((T::WeightInfo::commit_weights(), DispatchClass::Normal, Pays::No))]
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
        #[pallet::weight((T::WeightInfo::reveal_weights(uids.len() as u32, salt.len() as u32), DispatchClass::Normal, Pays::No))]
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
        #[pallet::weight((T::WeightInfo::commit_timelocked_weights(commit.len() as u32), DispatchClass::Normal, Pays::No))]
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
        #[pallet::weight((T::WeightInfo::set_weights(dests.len() as u32), DispatchClass::Normal, Pays::No))]
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

        /// Takes a subnet away. Refused as `dissolve_network` is.
        ///
        /// Error: `SubnetRemovalNotSupported`.
        #[pallet::call_index(120)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn root_dissolve_network(origin: OriginFor<T>, _netuid: NetUid) -> DispatchResult {
            ensure_root(origin)?;
            Err(Error::<T>::SubnetRemovalNotSupported.into())
        }

        /// Claims root dividends. Refused: each epoch pays them.
        ///
        /// Error: `RootClaimsNotSupported`.
        #[pallet::call_index(121)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn claim_root(origin: OriginFor<T>, _subnets: BTreeSet<NetUid>) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::RootClaimsNotSupported.into())
        }

        /// Chooses what root dividends become. Refused: they are sold for TAO, which is staked on root.
        ///
        /// Error: `RootClaimsNotSupported`.
        #[pallet::call_index(122)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn set_root_claim_type(
            origin: OriginFor<T>,
            _new_root_claim_type: RootClaimTypeEnum,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::RootClaimsNotSupported.into())
        }

        /// Announces a coldkey swap. Refused as `swap_coldkey` is.
        ///
        /// Error: `ColdkeySwapNotSupported`.
        #[pallet::call_index(125)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn announce_coldkey_swap(origin: OriginFor<T>, _new_coldkey_hash: T::Hash) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::ColdkeySwapNotSupported.into())
        }

        /// Does an announced coldkey swap. Refused as `swap_coldkey` is.
        ///
        /// Error: `ColdkeySwapNotSupported`.
        #[pallet::call_index(126)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn swap_coldkey_announced(origin: OriginFor<T>, _new_coldkey: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::ColdkeySwapNotSupported.into())
        }

        /// Disputes a coldkey swap. Refused as `swap_coldkey` is.
        ///
        /// Error: `ColdkeySwapNotSupported`.
        #[pallet::call_index(127)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn dispute_coldkey_swap(origin: OriginFor<T>) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::ColdkeySwapNotSupported.into())
        }

        /// Buys stake and burns it. Refused: buy it with `add_stake`.
        ///
        /// Error: `StakeBurnNotSupported`.
        #[pallet::call_index(132)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn add_stake_burn(
            origin: OriginFor<T>,
            _hotkey: T::AccountId,
            _netuid: NetUid,
            _amount: u64,
            _limit: Option<u64>,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::StakeBurnNotSupported.into())
        }

        /// Takes the announcement of a coldkey swap back. Refused as `swap_coldkey` is.
        ///
        /// Error: `ColdkeySwapNotSupported`.
        #[pallet::call_index(133)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn clear_coldkey_swap_announcement(origin: OriginFor<T>) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::ColdkeySwapNotSupported.into())
        }

        /// Registers a hotkey on a subnet if that costs at most `limit_price` rao.
        ///
        /// Errors are those of `burned_register` and `RegistrationPriceLimitExceeded`. Event: `NeuronRegistered`.
        #[pallet::call_index(134)]
        #[pallet::weight(registration_weight::<T>())]
        pub fn register_limit(
            origin: OriginFor<T>,
            netuid: NetUid,
            hotkey: T::AccountId,
            limit_price: u64,
        ) -> DispatchResultWithPostInfo {
            let coldkey = ensure_signed(origin)?;
            let full = Self::is_full(netuid);
            Self::do_burned_register(coldkey, netuid, hotkey, Some(limit_price))?;
            Ok((!full).then(T::WeightInfo::burned_register).into())
        }

        /// Locks stake. Refused: stake stays free.
        ///
        /// Error: `StakeLocksNotSupported`.
        #[pallet::call_index(136)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn lock_stake(
            origin: OriginFor<T>,
            _hotkey: T::AccountId,
            _netuid: NetUid,
            _amount: u64,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::StakeLocksNotSupported.into())
        }

        /// Moves a lock to another hotkey. Refused as `lock_stake` is.
        ///
        /// Error: `StakeLocksNotSupported`.
        #[pallet::call_index(137)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn move_lock(
            origin: OriginFor<T>,
            _destination_hotkey: T::AccountId,
            _netuid: NetUid,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::StakeLocksNotSupported.into())
        }

        /// Makes locks last for ever. Refused as `lock_stake` is.
        ///
        /// Error: `StakeLocksNotSupported`.
        #[pallet::call_index(138)]
        #[pallet::weight(T::WeightInfo::refused())]
        pub fn set_perpetual_lock(origin: OriginFor<T>, _netuid: NetUid, _enabled: bool) -> DispatchResult {
            ensure_signed(origin)?;
            Err(Error::<T>::StakeLocksNotSupported.into())
        }

        /// Sets the blocks between epochs, 360 to 50 400, signed by the subnet's owner; a new interval begins.
        ///
        /// Once in 360 blocks, and not shortly before an epoch. Errors: `SubnetNotExists`, `BadOrigin`,
        /// `TempoOutOfBounds`, `AdminActionProhibitedDuringWeightsWindow`, `TxRateLimitExceeded`. Event:
        /// `TempoSet`.
        #[pallet::call_index(139)]
        #[pallet::weight(T::WeightInfo::set_tempo())]
        pub fn set_tempo(origin: OriginFor<T>, netuid: NetUid, tempo: u16) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_set_tempo(coldkey, netuid, tempo)
        }

        /// Sets the tempos without weights after which a validator is inactive, in thousandths, 1 000 to 50 000.
        ///
        /// Signed by the subnet's owner, under its limits, or root. Errors: `SubnetNotExists`, `BadOrigin`,
        /// `ActivityCutoffFactorMilliOutOfBounds`, `AdminActionProhibitedDuringWeightsWindow`,
        /// `TxRateLimitExceeded`. Event: `ActivityCutoffFactorMilliSet`.
        #[pallet::call_index(140)]
        #[pallet::weight(T::WeightInfo::set_activity_cutoff_factor())]
        pub fn set_activity_cutoff_factor(
            origin: OriginFor<T>,
            netuid: NetUid,
            factor_milli: u32,
        ) -> DispatchResult {
            Self::do_set_activity_cutoff_factor(origin, netuid, factor_milli)
        }

        /// Calls for an epoch, which runs after the blocks of `AdminFreezeWindow`, signed by the subnet's owner.
        ///
        /// Errors: `SubnetNotExists`, `BadOrigin`, `DynamicTempoBlockedByCommitReveal`,
        /// `EpochTriggerAlreadyPending`, `AutoEpochAlreadyImminent`, `TxRateLimitExceeded`. Event:
        /// `EpochTriggered`.
        #[pallet::call_index(141)]
        #[pallet::weight(T::WeightInfo::trigger_epoch())]
        pub fn trigger_epoch(origin: OriginFor<T>, netuid: NetUid) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::do_trigger_epoch(coldkey, netuid)
        }
    }
}
