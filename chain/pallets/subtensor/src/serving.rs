//! Telling where an axon listens.

use super::*;
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
    /// Stores where a hotkey's axon listens; `axon.block` is set here.
    pub(crate) fn do_serve_axon(hotkey: T::AccountId, netuid: NetUid, axon: AxonInfo) -> DispatchResult {
        ensure!(
            Uids::<T>::contains_key(netuid, &hotkey),
            Error::<T>::HotKeyNotRegisteredInNetwork
        );
        ensure!(matches!(axon.ip_type, 4 | 6), Error::<T>::InvalidIpType);
        ensure!(
            Self::is_reachable(axon.ip, axon.ip_type),
            Error::<T>::InvalidIpAddress
        );
        let now = Self::current_block();
        let last = Axons::<T>::get(netuid, &hotkey).map_or(0, |previous| previous.block);
        let limit = ServingRateLimit::<T>::get(netuid);
        let waited = now.saturating_sub(last) >= limit;
        ensure!(last == 0 || waited, Error::<T>::ServingRateLimitExceeded);
        ensure!(axon.port != 0, Error::<T>::InvalidPort);

        Axons::<T>::insert(netuid, &hotkey, AxonInfo { block: now, ..axon });
        Self::deposit_event(Event::AxonServed(netuid, hotkey));
        Ok(())
    }

    /// Refuses 0, all ones and the loopback address (other addresses of 127/8 pass, for nets on one machine).
    pub fn is_reachable(ip: u128, ip_type: u8) -> bool {
        match ip_type {
            4 => ip != 0 && ip < u128::from(u32::MAX) && ip != 0x7f00_0001,
            6 => ip != 0 && ip != u128::MAX && ip != 1,
            _ => false,
        }
    }
}
