//! Hotkeys that take stake of others.

use super::*;

use alloc::collections::BTreeMap;
use arbor_runtime_api::rpc_info::delegate_info::DelegateInfo;
use pallet_subtensor::*;

/// Most delegates in one answer. Every hotkey with an owner is one, and a subnet alone may have 256 of them.
const MAX_DELEGATES: usize = 1_024;

/// Stakes of nominators of one delegate that an answer counts: what a person can look at, and a bound for the chain.
const MAX_NOMINATIONS: usize = 1_024;

/// Milliseconds in a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Returns a delegate; any hotkey that has an owner is one.
pub fn one(hotkey: AccountId) -> Option<DelegateInfo> {
    let owner = Owner::<Runtime>::try_get(&hotkey).ok()?;
    let take = Delegates::<Runtime>::get(&hotkey);
    let registrations: Vec<NetUid> = netuids()
        .into_iter()
        .map(NetUid)
        .filter(|id| IsNetworkMember::<Runtime>::get(&hotkey, id))
        .collect();
    let permits = registrations
        .iter()
        .filter(|id| has_permit(**id, &hotkey))
        .map(|id| Compact(id.0))
        .collect();
    let per_day = registrations
        .iter()
        .map(|id| daily_return(*id, &hotkey))
        .fold(0, u64::saturating_add);
    Some(DelegateInfo {
        take: Compact(take),
        nominators: nominators(&hotkey),
        owner_ss58: owner,
        registrations: registrations.iter().map(|id| Compact(id.0)).collect(),
        validator_permits: permits,
        return_per_1000: Compact(return_per_1000(per_day, take, total_stake(&hotkey))),
        total_daily_return: Compact(per_day),
        delegate_ss58: hotkey,
    })
}

fn has_permit(netuid: NetUid, hotkey: &AccountId) -> bool {
    Uids::<Runtime>::get(netuid, hotkey)
        .and_then(|uid| {
            ValidatorPermit::<Runtime>::get(netuid)
                .get(usize::from(uid))
                .copied()
        })
        .unwrap_or(false)
}

/// Worth of an amount of alpha in rao of TAO.
fn in_tao(netuid: NetUid, alpha: u64) -> u64 {
    let tao = u128::from(alpha) * u128::from(swaps::price(netuid.0)) / u128::from(TAO);
    tao.try_into().unwrap_or(u64::MAX)
}

/// What a day of epochs like the last one is worth, in rao of TAO.
fn daily_return(netuid: NetUid, hotkey: &AccountId) -> u64 {
    let Some(uid) = Uids::<Runtime>::get(netuid, hotkey) else {
        return 0;
    };
    let emission = Emission::<Runtime>::get(netuid)
        .get(usize::from(uid))
        .copied()
        .unwrap_or(0);
    let epoch_ms = u64::from(Tempo::<Runtime>::get(netuid))
        .saturating_mul(pallet_block_time::SlotDurationMs::<Runtime>::get());
    let epochs = DAY_MS.checked_div(epoch_ms).unwrap_or(0);
    in_tao(netuid, emission).saturating_mul(epochs)
}

/// Worth of all stake behind a hotkey, in rao of TAO.
fn total_stake(hotkey: &AccountId) -> u64 {
    netuids()
        .into_iter()
        .map(|netuid| {
            in_tao(
                NetUid(netuid),
                TotalHotkeyAlpha::<Runtime>::get(hotkey, NetUid(netuid)),
            )
        })
        .fold(0, u64::saturating_add)
}

/// Daily return in rao on 1 000 TAO of stake after the delegate's take.
fn return_per_1000(per_day: u64, take: u16, stake: u64) -> u64 {
    let after_take = u128::from(per_day) * u128::from(u16::MAX - take) / u128::from(u16::MAX);
    let thousand = 1_000 * u128::from(TAO);
    (after_take * thousand)
        .checked_div(stake.into())
        .and_then(|rao| rao.try_into().ok())
        .unwrap_or(0)
}

/// Lists who has staked behind a hotkey, the first [`MAX_NOMINATIONS`] stakes in the order of storage.
fn nominators(hotkey: &AccountId) -> Vec<(AccountId, Vec<(Compact<u16>, Compact<u64>)>)> {
    let mut by_coldkey: BTreeMap<AccountId, Vec<(Compact<u16>, Compact<u64>)>> = BTreeMap::new();
    for ((coldkey, netuid), _) in Alpha::<Runtime>::iter_prefix((hotkey,)).take(MAX_NOMINATIONS) {
        let alpha = Subtensor::stake_of(hotkey, &coldkey, netuid);
        if alpha > 0 {
            by_coldkey
                .entry(coldkey)
                .or_default()
                .push((Compact(netuid.0), Compact(alpha)));
        }
    }
    by_coldkey.into_iter().collect()
}

/// Lists the delegates: first those whose owners chose a take, then others, [`MAX_DELEGATES`] at most.
pub fn all() -> Vec<DelegateInfo> {
    let chose = |hotkey: &AccountId| Delegates::<Runtime>::contains_key(hotkey);
    Delegates::<Runtime>::iter_keys()
        .chain(Owner::<Runtime>::iter_keys().filter(|hotkey| !chose(hotkey)))
        .filter_map(one)
        .take(MAX_DELEGATES)
        .collect()
}

/// Lists what a coldkey has staked behind which delegate, [`MAX_DELEGATES`] stakes at most.
pub fn of_nominator(coldkey: AccountId) -> Vec<(DelegateInfo, (Compact<u16>, Compact<u64>))> {
    let mut found = Vec::new();
    for stake in stakes::of_coldkey(coldkey).into_iter().take(MAX_DELEGATES) {
        if let Some(info) = one(stake.hotkey) {
            found.push((info, (stake.netuid, stake.stake)));
        }
    }
    found
}
