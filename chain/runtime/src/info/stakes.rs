//! Stakes: per uid, as the epoch weighs them, and per coldkey.

use super::*;

use arbor_runtime_api::rpc_info::stake_info::StakeInfo;
use pallet_subtensor::*;

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
    let mut columns = StakeColumns {
        total: Vec::new(),
        alpha: Vec::new(),
        tao: Vec::new(),
    };
    for uid in 0..SubnetworkN::<Runtime>::get(netuid) {
        let hotkey = Keys::<Runtime>::get(netuid, uid);
        let alpha = TotalHotkeyAlpha::<Runtime>::get(&hotkey, netuid);
        let total = Subtensor::stake_weight(&hotkey, netuid);
        columns.alpha.push(alpha);
        columns.tao.push(total.saturating_sub(alpha));
        columns.total.push(total);
    }
    columns
}

/// Returns the stake of a coldkey behind a hotkey on a subnet, zero included.
pub fn one(hotkey: AccountId, coldkey: AccountId, netuid: u16) -> Option<StakeInfo> {
    let id = existing(netuid)?;
    Some(StakeInfo {
        netuid: Compact(netuid),
        stake: Compact(Subtensor::stake_of(&hotkey, &coldkey, id)),
        locked: Compact(0),
        emission: Compact(AlphaDividendsPerSubnet::<Runtime>::get(id, &hotkey)),
        tao_emission: Compact(0),
        drain: Compact(0),
        is_registered: IsNetworkMember::<Runtime>::get(&hotkey, id),
        hotkey,
        coldkey,
    })
}

/// Lists all stakes of a coldkey that are not zero. A coldkey has stake with some 2 000 hotkeys at most, on at most
/// 129 subnets each.
pub fn of_coldkey(coldkey: AccountId) -> Vec<StakeInfo> {
    let netuids = netuids();
    StakingHotkeys::<Runtime>::get(&coldkey)
        .into_iter()
        .flat_map(|hotkey| netuids.iter().map(move |netuid| (hotkey.clone(), *netuid)))
        .filter_map(|(hotkey, netuid)| one(hotkey, coldkey.clone(), netuid))
        .filter(|info| info.stake.0 > 0)
        .collect()
}

/// Most coldkeys in one question; what is asked beyond stays unanswered.
const MAX_COLDKEYS: usize = 128;

/// Lists the stakes of several coldkeys, [`MAX_COLDKEYS`] at most.
pub fn of_coldkeys(coldkeys: Vec<AccountId>) -> Vec<(AccountId, Vec<StakeInfo>)> {
    coldkeys
        .into_iter()
        .take(MAX_COLDKEYS)
        .map(|coldkey| (coldkey.clone(), of_coldkey(coldkey)))
        .collect()
}
