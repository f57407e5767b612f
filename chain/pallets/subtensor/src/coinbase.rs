//! What every block does before its transactions: prices, emission, epochs.
//!
//! Nothing here can fail or panic; loops run over subnets, which `SubnetLimit` bounds.

use super::*;
use arbor_math::{burn, coinbase, issuance, schedule, shares};
use frame_support::weights::Weight;
use shares::SubnetPrice;
use weight_info::WeightInfo;

impl<T: Config> Pallet<T> {
    /// Does a block's work and returns its weight.
    pub(crate) fn begin_block() -> Weight {
        Self::settle_counts(NetUid::ROOT);
        let subnets = Self::pool_subnets();
        subnets
            .iter()
            .for_each(|netuid| Self::settle_registrations(*netuid));
        let emission = issuance::block_emission(TotalIssuance::<T>::get());
        BlockEmission::<T>::put(emission);
        let opened = Self::reveal_timelocked(&subnets);
        Self::emit(emission, &subnets);
        let epochs = Self::run_due_epochs(&subnets);
        subnets.iter().for_each(|netuid| Self::move_price(*netuid));
        T::WeightInfo::begin_block(subnets.len() as u32)
            .saturating_add(epochs)
            .saturating_add(opened)
    }

    /// Lists the subnets that have a pool, in order.
    pub(crate) fn pool_subnets() -> Vec<NetUid> {
        let mut subnets: Vec<NetUid> = NetworksAdded::<T>::iter()
            .filter_map(|(netuid, added)| (added && !netuid.is_root()).then_some(netuid))
            .collect();
        subnets.sort_unstable();
        subnets
    }

    /// Lets the price of a registration decay and opens this block's registrations.
    fn settle_registrations(netuid: NetUid) {
        Self::settle_counts(netuid);
        let (min, max) = (MinBurn::<T>::get(netuid), MaxBurn::<T>::get(netuid));
        let factor = burn::decay_factor_q32(BurnHalfLife::<T>::get(netuid));
        Burn::<T>::mutate(netuid, |price| *price = burn::decay(*price, factor, min, max));
    }

    /// Counts registrations anew: each block, and each interval of `AdjustmentInterval` blocks.
    fn settle_counts(netuid: NetUid) {
        RegistrationsThisBlock::<T>::remove(netuid);
        let (now, began) = (Self::current_block(), LastAdjustmentBlock::<T>::get(netuid));
        if now.saturating_sub(began) >= AdjustmentInterval::<T>::get(netuid).into() {
            RegistrationsThisInterval::<T>::remove(netuid);
            BurnRegistrationsThisInterval::<T>::remove(netuid);
            LastAdjustmentBlock::<T>::insert(netuid, now);
        }
    }

    /// Pays a block's emission: TAO and alpha into the pools, alpha into what waits for the next epoch.
    fn emit(emission: u64, subnets: &[NetUid]) {
        let eligible: Vec<NetUid> = subnets
            .iter()
            .copied()
            .filter(|netuid| Self::earns(*netuid))
            .collect();
        let prices: Vec<SubnetPrice> = eligible
            .iter()
            .map(|netuid| Self::price_for_share(*netuid))
            .collect();
        let sum_of_prices = prices
            .iter()
            .fold(0u128, |sum, subnet| sum.saturating_add(subnet.moving_price));
        let root_sells = sum_of_prices > arbor_math::wide::ONE_U64F64;
        for (netuid, share) in eligible.into_iter().zip(shares::subnet_shares(&prices)) {
            let tao = (u128::from(emission).saturating_mul(share)) >> 64;
            Self::emit_to_subnet(netuid, u64::try_from(tao).unwrap_or(0), root_sells);
        }
    }

    /// Tells whether a subnet earns emission in this block.
    fn earns(netuid: NetUid) -> bool {
        FirstEmissionBlockNumber::<T>::get(netuid).is_some_and(|first| first <= Self::current_block())
            && SubtokenEnabled::<T>::get(netuid)
            && NetworkRegistrationAllowed::<T>::get(netuid)
    }

    /// Reads what a subnet's share of the emission depends on.
    fn price_for_share(netuid: NetUid) -> SubnetPrice {
        let stable = SubnetMechanism::<T>::get(netuid) == 0;
        let moving = u128::try_from(SubnetMovingPrice::<T>::get(netuid).bits).unwrap_or(0) << 32;
        SubnetPrice {
            moving_price: if stable {
                arbor_math::wide::ONE_U64F64
            } else {
                moving
            },
            miner_burned: MinerBurned::<T>::get(netuid).bits.saturating_mul(1 << 32),
            emission_enabled: SubnetEmissionEnabled::<T>::get(netuid),
        }
    }

    /// Pays one subnet: its share of TAO, and alpha by its own halving curve.
    fn emit_to_subnet(netuid: NetUid, tao: u64, root_sells: bool) {
        let issued = SubnetAlphaIn::<T>::get(netuid).saturating_add(SubnetAlphaOut::<T>::get(netuid));
        let alpha = issuance::block_emission(issued);
        let root_tao = SubnetTAO::<T>::get(NetUid::ROOT);
        let root_prop = coinbase::root_proportion(root_tao, TaoWeight::<T>::get(), issued);
        RootProp::<T>::insert(
            netuid,
            FixedU128 {
                bits: root_prop.into(),
            },
        );
        Self::inject(
            netuid,
            coinbase::injection(tao, alpha, root_prop, Self::alpha_price_q32(netuid)),
        );

        let cut = if OwnerCutEnabled::<T>::get(netuid) {
            SubnetOwnerCut::<T>::get()
        } else {
            0
        };
        let parts = coinbase::split_emission(alpha, cut, root_prop);
        let root_alpha = if root_sells { parts.root_alpha } else { 0 };
        PendingOwnerCut::<T>::mutate(netuid, |pending| {
            *pending = pending.saturating_add(parts.owner_cut)
        });
        PendingServerEmission::<T>::mutate(netuid, |pending| *pending = pending.saturating_add(parts.server));
        PendingValidatorEmission::<T>::mutate(netuid, |pending| {
            *pending = pending.saturating_add(parts.validator)
        });
        PendingRootAlphaDivs::<T>::mutate(netuid, |pending| *pending = pending.saturating_add(root_alpha));
        let split = [parts.owner_cut, parts.server, parts.validator, parts.root_alpha];
        let dust = split.iter().fold(alpha, |rest, part| rest.saturating_sub(*part));
        Self::add_dust(netuid, dust);
        // Root's part is not issued at all while prices are too low for root to sell.
        let issued_now = alpha.saturating_sub(parts.root_alpha).saturating_add(root_alpha);
        Self::issue_alpha(netuid, issued_now);
        SubnetAlphaOutEmission::<T>::insert(netuid, issued_now);
    }

    /// Mints TAO and alpha into a pool; TAO beyond what the price allows buys alpha, which is destroyed.
    fn inject(netuid: NetUid, paid: coinbase::Injection) {
        SubnetTaoInEmission::<T>::insert(netuid, paid.tao_in);
        SubnetAlphaInEmission::<T>::insert(netuid, paid.alpha_in);
        SubnetTAO::<T>::mutate(netuid, |reserve| *reserve = reserve.saturating_add(paid.tao_in));
        SubnetAlphaIn::<T>::mutate(netuid, |reserve| *reserve = reserve.saturating_add(paid.alpha_in));
        TotalStake::<T>::mutate(|total| *total = total.saturating_add(paid.tao_in));
        let bought = paid.excess_tao > 0 && Self::swap_tao_for_alpha(netuid, paid.excess_tao).is_ok();
        let excess = if bought { paid.excess_tao } else { 0 };
        SubnetExcessTao::<T>::insert(netuid, excess);
        let minted = paid.tao_in.saturating_add(excess);
        TotalIssuance::<T>::mutate(|total| *total = total.saturating_add(minted));
    }

    /// Runs the epochs that are due, as many as a block may; returns their weight.
    fn run_due_epochs(subnets: &[NetUid]) -> Weight {
        let now = Self::current_block();
        let (mut room, mut weight) = (MaxEpochsPerBlock::<T>::get(), Weight::zero());
        for netuid in subnets.iter().copied() {
            BlocksSinceLastStep::<T>::mutate(netuid, |blocks| *blocks = blocks.saturating_add(1));
            if !schedule::is_due(&Self::schedule_of(netuid), now) {
                continue;
            }
            if room == 0 {
                let next = now.saturating_add(1);
                PendingEpochAt::<T>::insert(netuid, next);
                Self::deposit_event(Event::EpochDeferred {
                    netuid,
                    from_block: now,
                    to_block: next,
                });
                continue;
            }
            room = room.saturating_sub(1);
            LastEpochBlock::<T>::insert(netuid, now);
            PendingEpochAt::<T>::remove(netuid);
            SubnetEpochIndex::<T>::mutate(netuid, |index| *index = index.saturating_add(1));
            BlocksSinceLastStep::<T>::remove(netuid);
            weight = weight.saturating_add(Self::run_epoch(netuid));
        }
        weight
    }

    /// Reads the schedule of a subnet.
    pub(crate) fn schedule_of(netuid: NetUid) -> schedule::EpochState {
        schedule::EpochState {
            tempo: Tempo::<T>::get(netuid),
            last_epoch_block: LastEpochBlock::<T>::get(netuid),
            pending_epoch_at: PendingEpochAt::<T>::get(netuid),
            blocks_since_last_step: BlocksSinceLastStep::<T>::get(netuid),
        }
    }

    /// Moves the average price of a started subnet by one block.
    fn move_price(netuid: NetUid) {
        let Some(first) = FirstEmissionBlockNumber::<T>::get(netuid) else {
            return;
        };
        let q64 = |bits: i128| u128::try_from(bits).unwrap_or(0).saturating_mul(1 << 32);
        let moved = shares::moving_price(
            q64(SubnetMovingPrice::<T>::get(netuid).bits),
            u128::from(Self::alpha_price_q32(netuid)) << 32,
            q64(SubnetMovingAlpha::<T>::get().bits),
            Self::current_block().saturating_sub(first),
            EMAPriceHalvingBlocks::<T>::get(netuid),
        );
        let bits = i128::try_from(moved >> 32).unwrap_or(i128::MAX);
        SubnetMovingPrice::<T>::insert(netuid, FixedI128 { bits });
    }
}
