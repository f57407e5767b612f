//! Neurons, one by one and all at once.

use super::*;

use arbor_runtime_api::rpc_info::neuron_info::{NeuronInfo, NeuronInfoLite};
use pallet_subtensor::{
    Active, Axons, Bonds, Consensus, Dividends, Emission, Incentive, Keys, LastUpdate, NetUidStorageIndex,
    Owner, Prometheus, TotalHotkeyAlpha, Uids, ValidatorPermit, ValidatorTrust, Weights,
};

/// What subtensor reports as pruning score since it prunes by emission.
const PRUNING_SCORE: Compact<u16> = Compact(u16::MAX);

/// Columns of a subnet that every neuron's answer needs; read once per call.
struct Columns {
    netuid: NetUid,
    index: NetUidStorageIndex,
    active: Vec<bool>,
    emission: Vec<u64>,
    incentive: Vec<u16>,
    consensus: Vec<u16>,
    validator_trust: Vec<u16>,
    dividends: Vec<u16>,
    last_update: Vec<u64>,
    validator_permit: Vec<bool>,
}

fn at<T: Copy + Default>(column: &[T], uid: u16) -> T {
    column.get(usize::from(uid)).copied().unwrap_or_default()
}

impl Columns {
    fn read(netuid: NetUid) -> Self {
        let index = NetUidStorageIndex(netuid.0);
        Columns {
            netuid,
            index,
            active: Active::<Runtime>::get(netuid),
            emission: Emission::<Runtime>::get(netuid),
            incentive: Incentive::<Runtime>::get(index),
            consensus: Consensus::<Runtime>::get(netuid),
            validator_trust: ValidatorTrust::<Runtime>::get(netuid),
            dividends: Dividends::<Runtime>::get(netuid),
            last_update: LastUpdate::<Runtime>::get(index),
            validator_permit: ValidatorPermit::<Runtime>::get(netuid),
        }
    }

    fn neuron(&self, uid: u16) -> Option<NeuronInfoLite> {
        let netuid = self.netuid;
        let hotkey = Keys::<Runtime>::try_get(netuid, uid).ok()?;
        // A slot whose hotkey points elsewhere is no neuron.
        if Uids::<Runtime>::get(netuid, &hotkey) != Some(uid) {
            return None;
        }
        let coldkey = Owner::<Runtime>::get(&hotkey);
        let stake = Compact(TotalHotkeyAlpha::<Runtime>::get(&hotkey, netuid));
        Some(NeuronInfoLite {
            coldkey: coldkey.clone(),
            uid: Compact(uid),
            netuid: Compact(netuid.0),
            active: at(&self.active, uid),
            axon_info: Axons::<Runtime>::get(netuid, &hotkey).unwrap_or_default(),
            prometheus_info: Prometheus::<Runtime>::get(netuid, &hotkey).unwrap_or_default(),
            stake: alloc::vec![(coldkey, stake)],
            // Rank and incentive are one vector; trust is not computed any more.
            rank: Compact(at(&self.incentive, uid)),
            emission: Compact(at(&self.emission, uid)),
            incentive: Compact(at(&self.incentive, uid)),
            consensus: Compact(at(&self.consensus, uid)),
            trust: Compact(0),
            validator_trust: Compact(at(&self.validator_trust, uid)),
            dividends: Compact(at(&self.dividends, uid)),
            last_update: Compact(at(&self.last_update, uid)),
            validator_permit: at(&self.validator_permit, uid),
            pruning_score: PRUNING_SCORE,
            hotkey,
        })
    }

    fn with_rows(&self, lite: NeuronInfoLite) -> NeuronInfo {
        let uid = lite.uid.0;
        let row = |entries: Vec<(u16, u16)>| {
            entries
                .into_iter()
                .filter(|(_, value)| *value > 0)
                .map(|(uid, value)| (Compact(uid), Compact(value)))
                .collect()
        };
        NeuronInfo {
            hotkey: lite.hotkey,
            coldkey: lite.coldkey,
            uid: lite.uid,
            netuid: lite.netuid,
            active: lite.active,
            axon_info: lite.axon_info,
            prometheus_info: lite.prometheus_info,
            stake: lite.stake,
            rank: lite.rank,
            emission: lite.emission,
            incentive: lite.incentive,
            consensus: lite.consensus,
            trust: lite.trust,
            validator_trust: lite.validator_trust,
            dividends: lite.dividends,
            last_update: lite.last_update,
            validator_permit: lite.validator_permit,
            weights: row(Weights::<Runtime>::get(self.index, uid)),
            bonds: row(Bonds::<Runtime>::get(self.index, uid)),
            pruning_score: lite.pruning_score,
        }
    }
}

/// Lists the neurons of a subnet in the order of their uids, without weights and bonds.
pub fn all_lite(netuid: u16) -> Vec<NeuronInfoLite> {
    let Some(netuid) = existing(netuid) else {
        return Vec::new();
    };
    let columns = Columns::read(netuid);
    (0..SubnetworkN::<Runtime>::get(netuid))
        .filter_map(|uid| columns.neuron(uid))
        .collect()
}

/// Lists the neurons of a subnet in the order of their uids.
pub fn all(netuid: u16) -> Vec<NeuronInfo> {
    let Some(netuid) = existing(netuid) else {
        return Vec::new();
    };
    let columns = Columns::read(netuid);
    (0..SubnetworkN::<Runtime>::get(netuid))
        .filter_map(|uid| columns.neuron(uid))
        .map(|lite| columns.with_rows(lite))
        .collect()
}

/// Returns one neuron without weights and bonds.
pub fn one_lite(netuid: u16, uid: u16) -> Option<NeuronInfoLite> {
    Columns::read(existing(netuid)?).neuron(uid)
}

/// Returns one neuron.
pub fn one(netuid: u16, uid: u16) -> Option<NeuronInfo> {
    let columns = Columns::read(existing(netuid)?);
    columns.neuron(uid).map(|lite| columns.with_rows(lite))
}
