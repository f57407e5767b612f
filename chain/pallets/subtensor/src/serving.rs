//! Telling where a neuron's axon and Prometheus endpoint listen.

use super::*;
use frame_support::ensure;
use sp_runtime::DispatchResult;

/// What both kinds of endpoint are checked for.
struct Endpoint {
    ip: u128,
    ip_type: u8,
    port: u16,
    /// Block of the last serve; 0 if there was none.
    last: u64,
}

impl<T: Config> Pallet<T> {
    /// Stores where a hotkey's axon listens; `axon.block` is set here.
    pub(crate) fn do_serve_axon(hotkey: T::AccountId, netuid: NetUid, axon: AxonInfo) -> DispatchResult {
        Self::check_axon(&hotkey, netuid, &axon)?;
        let block = Self::current_block();
        Axons::<T>::insert(netuid, &hotkey, AxonInfo { block, ..axon });
        Self::deposit_event(Event::AxonServed(netuid, hotkey));
        Ok(())
    }

    /// Stores where a hotkey's axon listens and by which key it proves itself.
    pub(crate) fn do_serve_axon_tls(
        hotkey: T::AccountId,
        netuid: NetUid,
        axon: AxonInfo,
        certificate: &[u8],
    ) -> DispatchResult {
        let certificate = NeuronCertificate::parse(certificate).ok_or(Error::<T>::InvalidValue)?;
        Self::do_serve_axon(hotkey.clone(), netuid, axon)?;
        NeuronCertificates::<T>::insert(netuid, hotkey, certificate);
        Ok(())
    }

    /// Stores where a hotkey's Prometheus endpoint listens; `endpoint.block` is set here.
    pub(crate) fn do_serve_prometheus(
        hotkey: T::AccountId,
        netuid: NetUid,
        endpoint: PrometheusInfo,
    ) -> DispatchResult {
        Self::check_prometheus(&hotkey, netuid, &endpoint)?;
        let block = Self::current_block();
        Prometheus::<T>::insert(netuid, &hotkey, PrometheusInfo { block, ..endpoint });
        Self::deposit_event(Event::PrometheusServed(netuid, hotkey));
        Ok(())
    }

    /// Refuses what `serve_axon` refuses.
    pub(crate) fn check_axon(hotkey: &T::AccountId, netuid: NetUid, axon: &AxonInfo) -> Result<(), Error<T>> {
        let last = Axons::<T>::get(netuid, hotkey).map_or(0, |previous| previous.block);
        let endpoint = Endpoint {
            ip: axon.ip,
            ip_type: axon.ip_type,
            port: axon.port,
            last,
        };
        Self::check_endpoint(hotkey, netuid, endpoint)
    }

    /// Refuses what `serve_prometheus` refuses.
    pub(crate) fn check_prometheus(
        hotkey: &T::AccountId,
        netuid: NetUid,
        info: &PrometheusInfo,
    ) -> Result<(), Error<T>> {
        let last = Prometheus::<T>::get(netuid, hotkey).map_or(0, |previous| previous.block);
        let endpoint = Endpoint {
            ip: info.ip,
            ip_type: info.ip_type,
            port: info.port,
            last,
        };
        Self::check_endpoint(hotkey, netuid, endpoint)
    }

    fn check_endpoint(hotkey: &T::AccountId, netuid: NetUid, endpoint: Endpoint) -> Result<(), Error<T>> {
        ensure!(
            Uids::<T>::contains_key(netuid, hotkey),
            Error::<T>::HotKeyNotRegisteredInNetwork
        );
        ensure!(matches!(endpoint.ip_type, 4 | 6), Error::<T>::InvalidIpType);
        ensure!(
            Self::is_reachable(endpoint.ip, endpoint.ip_type),
            Error::<T>::InvalidIpAddress
        );
        let waited =
            Self::current_block().saturating_sub(endpoint.last) >= ServingRateLimit::<T>::get(netuid);
        ensure!(endpoint.last == 0 || waited, Error::<T>::ServingRateLimitExceeded);
        ensure!(endpoint.port != 0, Error::<T>::InvalidPort);
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
