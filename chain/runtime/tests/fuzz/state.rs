//! What the chain holds now, for calls that are to succeed.

use arbor_runtime::*;
use codec::Encode;
use pallet_subtensor::{
    Alpha, CommitRevealWeightsEnabled, Keys, LastUpdate, MechId, MechanismCountCurrent, MinAllowedWeights,
    NetUid, NetUidStorageIndex, NetworksAdded, Owner, Pallet, StakeThreshold, SubnetOwnerHotkey, SubnetworkN,
    SubtokenEnabled, ValidatorPermit, WeightsSetRateLimit, WeightsVersionKey,
};
use polkadot_sdk::*;

use crate::arguments::Seeded;

/// A neuron.
#[derive(Clone, Debug)]
pub struct Neuron {
    pub netuid: NetUid,
    pub uid: u16,
    pub hotkey: AccountId,
}

/// What a coldkey has staked to a hotkey.
#[derive(Clone, Debug)]
pub struct Stake {
    pub hotkey: AccountId,
    pub coldkey: AccountId,
    pub netuid: NetUid,
    pub alpha: u64,
}

/// A weight row.
#[derive(Clone, Debug)]
pub struct Row {
    pub uids: Vec<u16>,
    pub values: Vec<u16>,
    pub version_key: u64,
}

pub fn now() -> u64 {
    Pallet::<Runtime>::current_block()
}

/// Lists the subnets but root, in order.
pub fn subnets() -> Vec<NetUid> {
    let mut all: Vec<NetUid> = NetworksAdded::<Runtime>::iter()
        .filter_map(|(netuid, added)| (added && !netuid.is_root()).then_some(netuid))
        .collect();
    all.sort_unstable();
    all
}

/// Lists the neurons of a subnet.
pub fn neurons_of(netuid: NetUid) -> Vec<Neuron> {
    (0..SubnetworkN::<Runtime>::get(netuid))
        .map(|uid| Neuron {
            netuid,
            uid,
            hotkey: Keys::<Runtime>::get(netuid, uid),
        })
        .collect()
}

/// Lists the neurons of all subnets but root.
pub fn neurons() -> Vec<Neuron> {
    subnets().into_iter().flat_map(neurons_of).collect()
}

/// Lists the known hotkeys with their coldkeys, in an order that is the same on every run.
pub fn hotkeys() -> Vec<(AccountId, AccountId)> {
    let mut all: Vec<_> = Owner::<Runtime>::iter().collect();
    all.sort_unstable();
    all
}

/// Lists the stakes that may be sold.
pub fn stakes() -> Vec<Stake> {
    let mut all: Vec<Stake> = Alpha::<Runtime>::iter_keys()
        .map(|(hotkey, coldkey, netuid)| Stake {
            alpha: Pallet::<Runtime>::stake_of(&hotkey, &coldkey, netuid),
            hotkey,
            coldkey,
            netuid,
        })
        .filter(|stake| stake.alpha > 0 && SubtokenEnabled::<Runtime>::get(stake.netuid))
        .collect();
    all.sort_unstable_by_key(|stake| (stake.netuid, stake.hotkey.clone(), stake.coldkey.clone()));
    all
}

/// Tells whether a neuron may set or commit weights on a mechanism in this block.
fn may_weigh(neuron: &Neuron, mechanism: MechId) -> bool {
    let Neuron { netuid, uid, hotkey } = neuron;
    let owner = SubnetOwnerHotkey::<Runtime>::get(netuid) == *hotkey;
    let permits = ValidatorPermit::<Runtime>::get(netuid);
    let permitted = permits.get(usize::from(*uid)).copied().unwrap_or(false);
    let stake = Pallet::<Runtime>::stake_weight(hotkey, *netuid) >= StakeThreshold::<Runtime>::get();
    let last = LastUpdate::<Runtime>::get(NetUidStorageIndex::new(*netuid, mechanism))
        .get(usize::from(*uid))
        .copied()
        .unwrap_or(0);
    let limit = WeightsSetRateLimit::<Runtime>::get(netuid).max(1);
    let waited = last == 0 || now().saturating_sub(last) >= limit;
    (owner || (permitted && stake)) && waited && !Pallet::<Runtime>::must_pause(hotkey)
}

/// Lists who may weigh on which mechanism now, where weights are committed or where they are not.
pub fn validators(commit_reveal: bool, main_only: bool) -> Vec<(Neuron, MechId)> {
    let mut all = Vec::new();
    for netuid in subnets() {
        if CommitRevealWeightsEnabled::<Runtime>::get(netuid) != commit_reveal {
            continue;
        }
        let count = if main_only {
            1
        } else {
            MechanismCountCurrent::<Runtime>::get(netuid)
        };
        for mechanism in (0..count).map(MechId) {
            let able = neurons_of(netuid)
                .into_iter()
                .filter(|neuron| may_weigh(neuron, mechanism));
            all.extend(able.map(|neuron| (neuron, mechanism)));
        }
    }
    all
}

/// Makes a row that the subnet accepts: distinct uids, as many as it asks for.
pub fn row(netuid: NetUid, random: &mut Seeded) -> Row {
    let n = SubnetworkN::<Runtime>::get(netuid);
    let least = n.min(MinAllowedWeights::<Runtime>::get(netuid)).max(1);
    let length = usize::from(least) + random.below(u64::from(n.saturating_sub(least)) + 1) as usize;
    let mut free: Vec<u16> = (0..n).collect();
    let mut uids = Vec::new();
    while uids.len() < length && !free.is_empty() {
        uids.push(free.swap_remove(random.below(free.len() as u64) as usize));
    }
    let values = uids
        .iter()
        .map(|_| match random.below(4) {
            0 => 0,
            1 => u16::MAX,
            _ => random.below(u64::from(u16::MAX)) as u16,
        })
        .collect();
    Row {
        uids,
        values,
        version_key: WeightsVersionKey::<Runtime>::get(netuid),
    }
}

/// Hashes a row as its signer does before committing it.
pub fn commit_hash(hotkey: &AccountId, index: NetUidStorageIndex, row: &Row, salt: &[u16]) -> Hash {
    let whole = (hotkey, index, &row.uids, &row.values, salt, row.version_key);
    sp_io::hashing::blake2_256(&whole.encode()).into()
}
