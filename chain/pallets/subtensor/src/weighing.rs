//! Weights that put several benchmarks together, or depend on more than a call's arguments.

use super::*;
use arbor_math::EpochInput;
use codec::Compact;
use frame_support::weights::Weight;
use weight_info::WeightInfo;

/// Weighs a registration at its worst: on a full subnet, where every neuron has weights on the one that gives way.
pub(crate) fn registration_weight<T: Config>() -> Weight {
    T::WeightInfo::register_replacing(defaults::MAX_UIDS.into()).max(T::WeightInfo::burned_register())
}

/// Weighs making a subnet beside as many as there may be.
pub(crate) fn register_network_weight<T: Config>() -> Weight {
    T::WeightInfo::register_network(SubnetLimit::<T>::get().into())
}

/// Weighs a batch of weight rows: each like a call of its own.
pub(crate) fn batch_weight<T: Config>(rows: &[Vec<(Compact<u16>, Compact<u16>)>]) -> Weight {
    rows.iter()
        .map(|row| T::WeightInfo::set_weights(row.len() as u32))
        .fold(T::WeightInfo::refused(), |sum, weight| sum.saturating_add(weight))
}

/// Weighs a batch of reveals: each like a call of its own, and not less than was measured of a batch.
pub(crate) fn batch_reveal_weight<T: Config>(uids: &[Vec<u16>], salts: &[Vec<u16>]) -> Weight {
    let length = |list: Option<&Vec<u16>>| list.map_or(0, Vec::len) as u32;
    let count = uids.len().max(salts.len());
    (0..count)
        .map(|at| T::WeightInfo::reveal_weights(length(uids.get(at)), length(salts.get(at))))
        .fold(T::WeightInfo::refused(), |sum, weight| sum.saturating_add(weight))
        .max(T::WeightInfo::batch_reveal_weights(count as u32))
}

/// Counts the neurons that have weights or bonds.
pub(crate) fn rows_of(input: &EpochInput) -> u32 {
    let rows = input.weights.iter().zip(&input.bonds);
    rows.filter(|(weights, bonds)| !weights.is_empty() || !bonds.is_empty())
        .count() as u32
}

impl<T: Config> Pallet<T> {
    /// Weighs an epoch: its neurons on every mechanism, and each row like a full one of 256 entries.
    pub(crate) fn epoch_weight(netuid: NetUid, rows: u32) -> Weight {
        let mechanisms = u64::from(MechanismCountCurrent::<T>::get(netuid).max(1));
        let neurons = T::WeightInfo::epoch_neurons(SubnetworkN::<T>::get(netuid).into());
        let of_rows = if LiquidAlphaOn::<T>::get(netuid) {
            T::WeightInfo::epoch_liquid_rows(rows).saturating_sub(T::WeightInfo::epoch_liquid_rows(0))
        } else {
            T::WeightInfo::epoch_rows(rows).saturating_sub(T::WeightInfo::epoch_rows(0))
        };
        neurons.saturating_mul(mechanisms).saturating_add(of_rows)
    }
}
