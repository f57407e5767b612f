//! Answers of the runtime APIs, read from the pallets' storage.

pub mod delegates;
pub mod hyperparams;
pub mod metagraph;
pub mod neurons;
pub mod stakes;
pub mod subnets;
pub mod swaps;

use super::*;

use codec::Compact;
use pallet_subtensor::{NetUid, NetworksAdded, SubnetworkN};

pub(crate) type Subtensor = pallet_subtensor::Pallet<Runtime>;

/// Returns the netuid if such a subnet exists.
pub(crate) fn existing(netuid: u16) -> Option<NetUid> {
    let netuid = NetUid(netuid);
    NetworksAdded::<Runtime>::get(netuid).then_some(netuid)
}

/// Lists all netuids in ascending order.
pub(crate) fn netuids() -> Vec<u16> {
    let mut all: Vec<u16> = NetworksAdded::<Runtime>::iter()
        .filter(|(_, added)| *added)
        .map(|(netuid, _)| netuid.0)
        .collect();
    all.sort_unstable();
    all
}

/// Applies `answer` to every netuid from 0 to the greatest; holes are None.
pub fn for_all<T>(answer: impl Fn(u16) -> Option<T>) -> Vec<Option<T>> {
    let Some(last) = netuids().last().copied() else {
        return Vec::new();
    };
    (0..=last).map(answer).collect()
}

/// Returns a column of a subnet with one entry per uid, missing ones as zero.
pub(crate) fn column<T: Clone + Default, U>(netuid: NetUid, stored: &[T], map: impl Fn(T) -> U) -> Vec<U> {
    (0..usize::from(SubnetworkN::<Runtime>::get(netuid)))
        .map(|uid| map(stored.get(uid).cloned().unwrap_or_default()))
        .collect()
}

/// Encodes text as clients expect it in these answers: every byte compact.
pub(crate) fn compact_bytes(text: &[u8]) -> Vec<Compact<u8>> {
    text.iter().map(|byte| Compact(*byte)).collect()
}
