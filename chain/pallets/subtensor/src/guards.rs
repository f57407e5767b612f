//! What a transaction is refused for before it gets into a block.
//!
//! Calls of hotkeys are free, so a free call that fails would be a way to fill blocks. What can be told cheaply is
//! refused here, by the pool and again by the block's author; what fails all the same costs its hotkey the next
//! [`defaults::FREE_FAILURE_PAUSE`] blocks. What succeeds is bounded by rate limits and quotas, at least by one call
//! of a kind in a block.

use super::*;
use frame_support::ensure;

impl<T: Config> Pallet<T> {
    /// Refuses a call that would fail for a reason which takes few reads to see.
    pub fn check_call(who: &T::AccountId, call: &Call<T>) -> Result<(), Error<T>> {
        match call {
            Call::set_weights { netuid, .. } => Self::check_weights(who, *netuid, MechId::MAIN),
            Call::set_mechanism_weights { netuid, mecid, .. } => Self::check_weights(who, *netuid, *mecid),
            Call::batch_set_weights {
                netuids,
                weights,
                version_keys,
            } => {
                Self::check_batch(netuids.len(), weights.len(), version_keys.len())?;
                // At most MAX_BATCH subnets.
                netuids
                    .iter()
                    .try_for_each(|netuid| Self::check_weights(who, netuid.0, MechId::MAIN))
            }
            Call::commit_weights { netuid, .. } | Call::commit_timelocked_weights { netuid, .. } => {
                Self::check_commit(who, *netuid, MechId::MAIN)
            }
            Call::commit_mechanism_weights { netuid, mecid, .. }
            | Call::commit_timelocked_mechanism_weights { netuid, mecid, .. } => {
                Self::check_commit(who, *netuid, *mecid)
            }
            Call::reveal_weights { netuid, .. }
            | Call::reveal_mechanism_weights { netuid, .. }
            | Call::batch_reveal_weights { netuid, .. } => Self::ensure_weight_stake(who, *netuid),
            Call::increase_take { hotkey, take } | Call::decrease_take { hotkey, take } => {
                Self::check_take(who, hotkey, *take)
            }
            Call::register_network { .. } | Call::register_network_with_identity { .. } => {
                Self::ensure_network_rate()
            }
            _ => Self::check_serving(who, call),
        }
    }

    /// Notes that a free call of a hotkey failed in this block.
    pub fn note_free_failure(hotkey: &T::AccountId) {
        let key = RateLimitKey::FreeCallFailed(hotkey.clone());
        LastRateLimitedBlock::<T>::insert(key, Self::current_block());
    }

    /// Tells whether a hotkey must wait, because a free call of its own failed a few blocks ago.
    pub fn must_pause(hotkey: &T::AccountId) -> bool {
        let last = LastRateLimitedBlock::<T>::get(RateLimitKey::FreeCallFailed(hotkey.clone()));
        last > 0 && Self::current_block().saturating_sub(last) < defaults::FREE_FAILURE_PAUSE
    }

    fn check_serving(who: &T::AccountId, call: &Call<T>) -> Result<(), Error<T>> {
        match call {
            Call::serve_axon {
                netuid,
                ip,
                port,
                ip_type,
                ..
            }
            | Call::serve_axon_tls {
                netuid,
                ip,
                port,
                ip_type,
                ..
            } => {
                let axon = AxonInfo {
                    ip: *ip,
                    port: *port,
                    ip_type: *ip_type,
                    ..Default::default()
                };
                Self::check_axon(who, *netuid, &axon)?;
                let last = Axons::<T>::get(netuid, who).map_or(0, |previous| previous.block);
                Self::once_in_a_block(last, Error::<T>::ServingRateLimitExceeded)
            }
            Call::serve_prometheus {
                netuid,
                ip,
                port,
                ip_type,
                ..
            } => {
                let info = PrometheusInfo {
                    ip: *ip,
                    port: *port,
                    ip_type: *ip_type,
                    ..Default::default()
                };
                Self::check_prometheus(who, *netuid, &info)?;
                let last = Prometheus::<T>::get(netuid, who).map_or(0, |previous| previous.block);
                Self::once_in_a_block(last, Error::<T>::ServingRateLimitExceeded)
            }
            _ => Ok(()),
        }
    }

    fn check_weights(who: &T::AccountId, netuid: NetUid, mechanism: MechId) -> Result<(), Error<T>> {
        Self::ensure_weight_stake(who, netuid)?;
        if CommitRevealWeightsEnabled::<T>::get(netuid) {
            return Ok(()); // the call itself says that weights must be committed
        }
        Self::check_rate(who, netuid, mechanism, Error::<T>::SettingWeightsTooFast)
    }

    fn check_commit(who: &T::AccountId, netuid: NetUid, mechanism: MechId) -> Result<(), Error<T>> {
        Self::ensure_weight_stake(who, netuid)?;
        Self::check_rate(who, netuid, mechanism, Error::<T>::CommittingWeightsTooFast)
    }

    /// Refuses weights that come less than the rate limit after the last ones, or in the same block.
    fn check_rate(
        who: &T::AccountId,
        netuid: NetUid,
        mechanism: MechId,
        refusal: Error<T>,
    ) -> Result<(), Error<T>> {
        let uid = Uids::<T>::get(netuid, who).ok_or(Error::<T>::HotKeyNotRegisteredInSubNet)?;
        let last = LastUpdate::<T>::get(NetUidStorageIndex::new(netuid, mechanism))
            .get(usize::from(uid))
            .copied()
            .unwrap_or(0);
        let limit = WeightsSetRateLimit::<T>::get(netuid).max(1);
        let waited = Self::current_block().saturating_sub(last) >= limit;
        ensure!(last == 0 || waited, refusal);
        Ok(())
    }

    /// Refuses a second call of a kind in one block, also where the rate limit is 0.
    fn once_in_a_block(last: u64, refusal: Error<T>) -> Result<(), Error<T>> {
        ensure!(last == 0 || last < Self::current_block(), refusal);
        Ok(())
    }
}
