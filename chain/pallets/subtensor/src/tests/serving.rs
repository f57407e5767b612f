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
