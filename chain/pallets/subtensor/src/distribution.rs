//! Paying an epoch's alpha as stake: owner's cut, miners' incentive, validators' dividends.
//!
//! What is handed in is handed out to the last unit: paid, burned, recycled, or booked as dust.

use super::*;
use crate::epoch::NeuronEarnings;
use arbor_math::wide::mul_div;

/// Alpha that has been waiting for an epoch.
#[derive(Clone, Copy, Default)]
pub(crate) struct Pending {
    server: u64,
    validator: u64,
    root: u64,
    owner_cut: u64,
}

impl Pending {
    /// Returns what the epoch divides; the owner's cut is not part of it.
    pub(crate) fn for_neurons(&self) -> u64 {
        self.server
            .saturating_add(self.validator)
            .saturating_add(self.root)
    }
}

/// A validator's claim on the two kinds of dividends.
struct Claim<AccountId> {
    hotkey: AccountId,
    alpha: u64,
    root: u64,
}

impl<T: Config> Pallet<T> {
    /// Takes what has been waiting out of storage.
    pub(crate) fn take_pending(netuid: NetUid) -> Pending {
        Pending {
            server: PendingServerEmission::<T>::take(netuid),
            validator: PendingValidatorEmission::<T>::take(netuid),
            root: PendingRootAlphaDivs::<T>::take(netuid),
            owner_cut: PendingOwnerCut::<T>::take(netuid),
        }
    }

    /// Pays everybody. Miners get what the epoch says, first out of their own part; what that leaves goes to the
    /// validators.
    pub(crate) fn distribute(netuid: NetUid, pending: Pending, earned: &[(u16, NeuronEarnings)]) {
        Self::pay_owner(netuid, pending.owner_cut);
        let paid = Self::pay_miners(netuid, pending.for_neurons(), earned);
        let in_alpha = pending.server.saturating_add(pending.validator);
        // Miners reach into the rest only if nobody earned a dividend.
        let root = pending.root.saturating_sub(paid.saturating_sub(in_alpha));
        Self::pay_validators(netuid, in_alpha.saturating_sub(paid), root, earned);
    }

    /// Stakes the owner's cut to the owner's hotkey.
    fn pay_owner(netuid: NetUid, alpha: u64) {
        let (coldkey, hotkey) = (SubnetOwner::<T>::get(netuid), SubnetOwnerHotkey::<T>::get(netuid));
        Self::increase_stake(&hotkey, &coldkey, netuid, alpha);
    }

    /// Stakes incentive to the miners, burns or recycles what falls to the owner; returns what was given.
    fn pay_miners(netuid: NetUid, available: u64, earned: &[(u16, NeuronEarnings)]) -> u64 {
        let (mut left, mut total, mut withheld) = (available, 0u64, 0u64);
        for (uid, earnings) in earned {
            let alpha = earnings.server.min(left);
            if alpha == 0 {
                continue;
            }
            left = left.saturating_sub(alpha);
            total = total.saturating_add(alpha);
            let hotkey = Keys::<T>::get(netuid, uid);
            if Self::belongs_to_subnet_owner(netuid, &hotkey) {
                withheld = withheld.saturating_add(alpha);
                Self::withhold(netuid, alpha);
                continue;
            }
            let coldkey = Owner::<T>::get(&hotkey);
            let destination = AutoStakeDestination::<T>::get(&coldkey, netuid).unwrap_or(hotkey);
            Self::increase_stake(&destination, &coldkey, netuid, alpha);
        }
        let burned = mul_div(withheld, 1 << 32, total);
        MinerBurned::<T>::insert(netuid, FixedU128 { bits: burned.into() });
        if total > 0 {
            let by_uid = earned.iter().map(|(_, earnings)| earnings.server).collect();
            let index = NetUidStorageIndex::new(netuid, MechId::MAIN);
            Self::deposit_event(Event::IncentiveAlphaEmittedToMiners(index, by_uid));
        }
        total
    }

    /// Tells whether a hotkey is the owner's chosen one or belongs to the owner's coldkey.
    fn belongs_to_subnet_owner(netuid: NetUid, hotkey: &T::AccountId) -> bool {
        SubnetOwnerHotkey::<T>::get(netuid) == *hotkey
            || Owner::<T>::get(hotkey) == SubnetOwner::<T>::get(netuid)
    }

    /// Burns or recycles alpha, as the subnet wants it.
    fn withhold(netuid: NetUid, alpha: u64) {
        match RecycleOrBurn::<T>::get(netuid) {
            RecycleOrBurnEnum::Burn => Self::burn_alpha(netuid, alpha),
            RecycleOrBurnEnum::Recycle => Self::recycle_alpha(netuid, alpha),
        }
    }

    /// Pays dividends for alpha stake in alpha and for root stake in TAO.
    fn pay_validators(netuid: NetUid, alpha: u64, root: u64, earned: &[(u16, NeuronEarnings)]) {
        let _ = AlphaDividendsPerSubnet::<T>::clear_prefix(netuid, u32::MAX, None);
        let _ = RootAlphaDividendsPerSubnet::<T>::clear_prefix(netuid, u32::MAX, None);
        let claims: Vec<Claim<T::AccountId>> = earned
            .iter()
            .filter(|(_, earnings)| earnings.validator > 0)
            .map(|(uid, earnings)| Self::claim(netuid, *uid, earnings.validator))
            .collect();
        let paid = Self::pay_pro_rata(
            alpha,
            &claims,
            |claim| claim.alpha,
            |hotkey, part| Self::pay_alpha_dividend(netuid, hotkey, part),
        );
        Self::settle_rest(netuid, alpha, paid);
        let paid = Self::pay_pro_rata(
            root,
            &claims,
            |claim| claim.root,
            |hotkey, part| {
                RootAlphaDividendsPerSubnet::<T>::insert(netuid, hotkey, part);
            },
        );
        Self::settle_rest(netuid, root, paid);
        Self::sell_for_root(netuid, paid, &claims);
    }

    /// Divides a validator's earnings by what earned them: alpha stake or weighted root stake.
    fn claim(netuid: NetUid, uid: u16, earned: u64) -> Claim<T::AccountId> {
        let hotkey = Keys::<T>::get(netuid, uid);
        let root_stake = Self::weighted_root_stake(&hotkey);
        let all = TotalHotkeyAlpha::<T>::get(&hotkey, netuid).saturating_add(root_stake);
        let root = mul_div(earned, root_stake, all);
        Claim {
            alpha: earned.saturating_sub(root),
            root,
            hotkey,
        }
    }

    /// Pays an amount in proportion to claims, each part rounded down; returns what was paid.
    fn pay_pro_rata(
        amount: u64,
        claims: &[Claim<T::AccountId>],
        weight: impl Fn(&Claim<T::AccountId>) -> u64,
        pay: impl Fn(&T::AccountId, u64),
    ) -> u64 {
        let sum = claims
            .iter()
            .fold(0u64, |sum, claim| sum.saturating_add(weight(claim)));
        let mut paid = 0u64;
        for claim in claims {
            let part = mul_div(amount, weight(claim), sum).min(amount.saturating_sub(paid));
            if part > 0 {
                pay(&claim.hotkey, part);
                paid = paid.saturating_add(part);
            }
        }
        paid
    }

    /// Books what nobody got: truncation as dust; everything, if nobody had a claim, as not issued.
    fn settle_rest(netuid: NetUid, amount: u64, paid: u64) {
        if paid == 0 {
            Self::recycle_alpha(netuid, amount);
        } else {
            Self::add_dust(netuid, amount.saturating_sub(paid));
        }
    }

    /// Pays a dividend: the take to the hotkey's owner, the rest to all its stakers.
    fn pay_alpha_dividend(netuid: NetUid, hotkey: &T::AccountId, alpha: u64) {
        let take = mul_div(alpha, Delegates::<T>::get(hotkey).into(), u16::MAX.into());
        // Stakers first: the take must not share in the dividend it is taken from.
        Self::increase_stake_of_all(hotkey, netuid, alpha.saturating_sub(take));
        Self::increase_stake(hotkey, &Owner::<T>::get(hotkey), netuid, take);
        AlphaDividendsPerSubnet::<T>::insert(netuid, hotkey, alpha);
        LastHotkeyEmissionOnNetuid::<T>::insert(hotkey, netuid, alpha);
    }

    /// Sells root's alpha to the pool and stakes the TAO to the hotkeys' root stake.
    fn sell_for_root(netuid: NetUid, alpha: u64, claims: &[Claim<T::AccountId>]) {
        SubnetRootSellTao::<T>::remove(netuid);
        if alpha == 0 {
            return;
        }
        Self::recycle_alpha(netuid, alpha);
        let Ok(rao) = Self::swap_alpha_for_tao(netuid, alpha) else {
            return; // an empty pool buys nothing: the alpha stays out of the issuance
        };
        SubnetRootSellTao::<T>::insert(netuid, rao);
        SubnetTAO::<T>::mutate(NetUid::ROOT, |reserve| *reserve = reserve.saturating_add(rao));
        TotalStake::<T>::mutate(|total| *total = total.saturating_add(rao));
        Self::issue_alpha(NetUid::ROOT, rao);
        let paid = Self::pay_pro_rata(
            rao,
            claims,
            |claim| claim.root,
            |hotkey, part| {
                let take = mul_div(part, Delegates::<T>::get(hotkey).into(), u16::MAX.into());
                Self::increase_stake_of_all(hotkey, NetUid::ROOT, part.saturating_sub(take));
                Self::increase_stake(hotkey, &Owner::<T>::get(hotkey), NetUid::ROOT, take);
            },
        );
        Self::add_dust(NetUid::ROOT, rao.saturating_sub(paid));
    }
}
