use super::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};

fn serve(hotkey: u64, ip: u128, port: u16, ip_type: u8) -> sp_runtime::DispatchResult {
    SubtensorModule::serve_axon(RuntimeOrigin::signed(hotkey), NET, 7, ip, port, ip_type, 4, 0, 0)
}

#[test]
fn serve_axon_stores_the_address_when_it_is_127_0_0_2() {
    on_chain(|| {
        register(ALICE, 201);
        assert_ok!(serve(201, 0x7f00_0002, 8091, 4));
        let axon = Axons::<Test>::get(NET, 201).expect("it was just served");
        assert_eq!(
            (axon.block, axon.ip, axon.port, axon.version),
            (1, 0x7f00_0002, 8091, 7)
        );
        System::assert_last_event(Event::AxonServed(NET, 201).into());
    });
}

#[test]
fn serve_axon_is_refused_when_nobody_could_reach_it() {
    on_chain(|| {
        register(ALICE, 201);
        for ip in [0, 0x7f00_0001, 0xffff_ffff, 0x1_0000_0000] {
            assert_noop!(serve(201, ip, 8091, 4), Error::<Test>::InvalidIpAddress);
        }
        assert_noop!(serve(201, 1, 8091, 6), Error::<Test>::InvalidIpAddress);
        assert_noop!(serve(201, 0x0808_0808, 8091, 5), Error::<Test>::InvalidIpType);
        assert_noop!(serve(201, 0x0808_0808, 0, 4), Error::<Test>::InvalidPort);
        assert_noop!(
            serve(999, 0x0808_0808, 8091, 4),
            Error::<Test>::HotKeyNotRegisteredInNetwork
        );
    });
}

#[test]
fn serve_axon_waits_when_it_comes_within_the_rate_limit() {
    on_chain(|| {
        register(ALICE, 201);
        ServingRateLimit::<Test>::insert(NET, 5);
        assert_ok!(serve(201, 0x0808_0808, 8091, 4));
        run_to(5);
        assert_noop!(
            serve(201, 0x0808_0808, 8092, 4),
            Error::<Test>::ServingRateLimitExceeded
        );
        run_to(6);
        assert_ok!(serve(201, 0x0808_0808, 8092, 4));
    });
}

#[test]
fn serve_axon_tls_keeps_the_certificate_until_the_neuron_leaves() {
    on_chain(|| {
        register(ALICE, 201);
        let serve = |certificate: &[u8]| {
            SubtensorModule::serve_axon_tls(
                RuntimeOrigin::signed(201),
                NET,
                7,
                0x0808_0808,
                8091,
                4,
                4,
                0,
                0,
                certificate.to_vec(),
            )
        };
        assert_noop!(serve(&[]), Error::<Test>::InvalidValue);
        assert_noop!(serve(&[1; 66]), Error::<Test>::InvalidValue);
        assert_ok!(serve(&[1; 65]));
        let certificate = NeuronCertificates::<Test>::get(NET, 201).expect("it was just served");
        assert_eq!((certificate.algorithm, certificate.public_key.len()), (1, 64));
        assert_eq!(Axons::<Test>::get(NET, 201).map(|axon| axon.block), Some(1));

        MaxAllowedUids::<Test>::insert(NET, 2);
        run_to(22); // past its immunity
        register(BOB, 301);
        assert_eq!(Uids::<Test>::get(NET, 201), None);
        assert_eq!(NeuronCertificates::<Test>::get(NET, 201), None);
    });
}

#[test]
fn serve_prometheus_has_a_rate_limit_of_its_own() {
    on_chain(|| {
        register(ALICE, 201);
        let prometheus = |port| {
            SubtensorModule::serve_prometheus(RuntimeOrigin::signed(201), NET, 7, 0x0808_0808, port, 4)
        };
        assert_ok!(serve(201, 0x0808_0808, 8091, 4));
        assert_noop!(prometheus(0), Error::<Test>::InvalidPort);
        assert_ok!(prometheus(9_000));
        System::assert_last_event(Event::PrometheusServed(NET, 201).into());
        run_to(50);
        assert_noop!(prometheus(9_001), Error::<Test>::ServingRateLimitExceeded);
        next_block();
        assert_ok!(prometheus(9_001));
        assert_eq!(Prometheus::<Test>::get(NET, 201).map(|info| info.block), Some(51));
    });
}
