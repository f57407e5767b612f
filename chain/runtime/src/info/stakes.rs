//! Stakes: per uid, as the epoch weighs them, and per coldkey.

use super::*;

use arbor_runtime_api::rpc_info::stake_info::StakeInfo;
use pallet_subtensor::*;
use sp_runtime::helpers_128bit::multiply_by_rational_with_rounding;
use sp_runtime::Rounding;

/// Stake of the uids of a subnet, in rao.
pub(super) struct StakeColumns {
    /// Alpha weight and TAO weight together: what the epoch uses.
    pub total: Vec<u64>,
    pub alpha: Vec<u64>,
    /// Root stake times the weight of TAO.
    pub tao: Vec<u64>,
}

/// Reads the stake columns of a subnet.
pub(super) fn columns(netuid: NetUid) -> StakeColumns {
    let weight = u128::from(TaoWeight::<Runtime>::get());
    let mut columns = StakeColumns {
        total: Vec::new(),
        alpha: Vec::new(),
        tao: Vec::new(),
    };
    for uid in 0..SubnetworkN::<Runtime>::get(netuid) {
        let hotkey = Keys::<Runtime>::get(netuid, uid);
        let alpha = TotalHotkeyAlpha::<Runtime>::get(&hotkey, netuid);
        let root = TotalHotkeyAlpha::<Runtime>::get(&hotkey, NetUid::ROOT);
        let tao = (u128::from(root) * weight / u128::from(u64::MAX)) as u64;
        columns.alpha.push(alpha);
        columns.tao.push(tao);
        columns.total.push(alpha.saturating_add(tao));
    }
    columns
}

/// Returns the alpha in rao that a coldkey holds behind a hotkey on a subnet.
pub(super) fn alpha_of(hotkey: &AccountId, coldkey: &AccountId, netuid: NetUid) -> u64 {
    let shares = Alpha::<Runtime>::get((hotkey, coldkey, netuid)).bits;
    let all = TotalHotkeyShares::<Runtime>::get(hotkey, netuid).bits;
    if all == 0 {
        return 0;
    }
    let total = u128::from(TotalHotkeyAlpha::<Runtime>::get(hotkey, netuid));
    multiply_by_rational_with_rounding(total, shares, all, Rounding::Down)
        .and_then(|alpha| alpha.try_into().ok())
        .unwrap_or(u64::MAX)
}

/// Returns the stake of a coldkey behind a hotkey on a subnet, zero included.
pub fn one(hotkey: AccountId, coldkey: AccountId, netuid: u16) -> Option<StakeInfo> {
    let id = existing(netuid)?;
    Some(StakeInfo {
        netuid: Compact(netuid),
        stake: Compact(alpha_of(&hotkey, &coldkey, id)),
        locked: Compact(0),
        emission: Compact(AlphaDividendsPerSubnet::<Runtime>::get(id, &hotkey)),
        tao_emission: Compact(0),
        drain: Compact(0),
        is_registered: IsNetworkMember::<Runtime>::get(&hotkey, id),
        hotkey,
        coldkey,
    })
}

/// Lists all stakes of a coldkey that are not zero.
pub fn of_coldkey(coldkey: AccountId) -> Vec<StakeInfo> {
    let netuids = netuids();
    StakingHotkeys::<Runtime>::get(&coldkey)
        .into_iter()
        .flat_map(|hotkey| netuids.iter().map(move |netuid| (hotkey.clone(), *netuid)))
        .filter_map(|(hotkey, netuid)| one(hotkey, coldkey.clone(), netuid))
        .filter(|info| info.stake.0 > 0)
        .collect()
}

/// Lists the stakes of several coldkeys.
pub fn of_coldkeys(coldkeys: Vec<AccountId>) -> Vec<(AccountId, Vec<StakeInfo>)> {
    coldkeys
        .into_iter()
        .map(|coldkey| (coldkey.clone(), of_coldkey(coldkey)))
        .collect()
}
