//! Stake as shares in a hotkey's alpha.
//!
//! A hotkey has one amount of alpha per subnet; coldkeys hold shares of it. Dividends raise the amount and leave the
//! shares alone, so paying any number of stakers is one write. Shares have 64 fractional bits; adding rounds them
//! down and removing rounds them up, so nobody gains from rounding.

use super::*;
use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// Computes `a * b / c`; 0 if `c` is 0, saturating.
fn mul_div_128(a: u128, b: u128, c: u128, rounding: Rounding) -> u128 {
    if c == 0 {
        return 0;
    }
    multiply_by_rational_with_rounding(a, b, c, rounding).unwrap_or(u128::MAX)
}

impl<T: Config> Pallet<T> {
    /// Returns the alpha that a coldkey has staked to a hotkey.
    pub fn stake_of(hotkey: &T::AccountId, coldkey: &T::AccountId, netuid: NetUid) -> u64 {
        let share = Alpha::<T>::get((hotkey, coldkey, netuid)).bits;
        let all = TotalHotkeyShares::<T>::get(hotkey, netuid).bits;
        let amount = TotalHotkeyAlpha::<T>::get(hotkey, netuid);
        let value = mul_div_128(amount.into(), share, all, Rounding::Down);
        u64::try_from(value).unwrap_or(u64::MAX).min(amount)
    }

    /// Returns the stake weight of a hotkey in rao: its alpha, and its root stake times the TAO weight.
    pub fn stake_weight(hotkey: &T::AccountId, netuid: NetUid) -> u64 {
        TotalHotkeyAlpha::<T>::get(hotkey, netuid).saturating_add(Self::weighted_root_stake(hotkey))
    }

    /// Returns the root stake of a hotkey times the TAO weight, in rao.
    pub(crate) fn weighted_root_stake(hotkey: &T::AccountId) -> u64 {
        let root = TotalHotkeyAlpha::<T>::get(hotkey, NetUid::ROOT);
        arbor_math::wide::mul_div(root, TaoWeight::<T>::get(), u64::MAX)
    }

    /// Adds alpha to what a coldkey has staked to a hotkey.
    pub(crate) fn increase_stake(hotkey: &T::AccountId, coldkey: &T::AccountId, netuid: NetUid, alpha: u64) {
        if alpha == 0 {
            return;
        }
        let amount = TotalHotkeyAlpha::<T>::get(hotkey, netuid);
        let all = TotalHotkeyShares::<T>::get(hotkey, netuid).bits;
        let added = if all == 0 || amount == 0 {
            u128::from(alpha) << 64
        } else {
            mul_div_128(alpha.into(), all, amount.into(), Rounding::Down)
        };
        TotalHotkeyAlpha::<T>::insert(hotkey, netuid, amount.saturating_add(alpha));
        // A sum beyond 2^64 shares is out of reach: alpha is limited to 21e15.
        TotalHotkeyShares::<T>::insert(
            hotkey,
            netuid,
            FixedU128 {
                bits: all.saturating_add(added),
            },
        );
        let share = Alpha::<T>::get((hotkey, coldkey, netuid)).bits;
        let bits = share.saturating_add(added);
        Alpha::<T>::insert((hotkey, coldkey, netuid), FixedU128 { bits });
        if share == 0 {
            Self::remember_staking(hotkey, coldkey); // only then, since blocks pay stake and the list is long
        }
    }

    /// Notes that a coldkey has staked to a hotkey.
    ///
    /// Calls add at most [`defaults::MAX_STAKING_HOTKEYS`]; blocks add only hotkeys that the coldkey owns or has
    /// chosen for its incentive, so the list stays below 1 024 + 1 024 + the number of subnets.
    fn remember_staking(hotkey: &T::AccountId, coldkey: &T::AccountId) {
        StakingHotkeys::<T>::mutate(coldkey, |hotkeys| {
            if !hotkeys.contains(hotkey) {
                hotkeys.push(hotkey.clone());
            }
        });
    }

    /// Takes alpha from what a coldkey has staked to a hotkey; at most what is there. Returns what was taken.
    pub(crate) fn decrease_stake(
        hotkey: &T::AccountId,
        coldkey: &T::AccountId,
        netuid: NetUid,
        alpha: u64,
    ) -> u64 {
        let held = Self::stake_of(hotkey, coldkey, netuid);
        let taken = alpha.min(held);
        let amount = TotalHotkeyAlpha::<T>::get(hotkey, netuid);
        let all = TotalHotkeyShares::<T>::get(hotkey, netuid).bits;
        let share = Alpha::<T>::get((hotkey, coldkey, netuid)).bits;
        let removed = if taken == held {
            share
        } else {
            mul_div_128(taken.into(), all, amount.into(), Rounding::Up).min(share)
        };
        let (left, shares_left) = (amount.saturating_sub(taken), all.saturating_sub(removed));
        if shares_left == 0 {
            Self::add_dust(netuid, left);
            TotalHotkeyShares::<T>::remove(hotkey, netuid);
            TotalHotkeyAlpha::<T>::remove(hotkey, netuid);
        } else {
            TotalHotkeyShares::<T>::insert(hotkey, netuid, FixedU128 { bits: shares_left });
            TotalHotkeyAlpha::<T>::insert(hotkey, netuid, left);
        }
        if share == removed {
            Alpha::<T>::remove((hotkey, coldkey, netuid));
        } else {
            Alpha::<T>::insert(
                (hotkey, coldkey, netuid),
                FixedU128 {
                    bits: share.saturating_sub(removed),
                },
            );
        }
        taken
    }

    /// Adds alpha to a hotkey for all its stakers in proportion; for its owner if nobody has staked.
    pub(crate) fn increase_stake_of_all(hotkey: &T::AccountId, netuid: NetUid, alpha: u64) {
        if TotalHotkeyShares::<T>::get(hotkey, netuid).bits == 0 {
            return Self::increase_stake(hotkey, &Owner::<T>::get(hotkey), netuid, alpha);
        }
        TotalHotkeyAlpha::<T>::mutate(hotkey, netuid, |amount| *amount = amount.saturating_add(alpha));
    }
}
