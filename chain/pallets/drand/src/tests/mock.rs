//! A runtime with a clock and this pallet, on a beacon whose secret the tests know.

use crate::*;
use arbor_timelock::BeaconSecret;
use frame_support::{derive_impl, traits::ConstU64};
use sp_runtime::{BuildStorage, DispatchResult};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;
    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(2)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(26)]
    pub type Drand = crate;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

impl pallet_timestamp::Config for Test {
    type Moment = u64;
    type OnTimestampSet = ();
    type MinimumPeriod = ConstU64<1>;
    type WeightInfo = ();
}

impl crate::Config for Test {
    type Public = sp_runtime::MultiSigner;
    type Signature = sp_runtime::MultiSignature;
    type UnixTime = Timestamp;
    type WeightInfo = ();
    type UnsignedPriority = ConstU64<1_048_576>;
    type MaxKeptRounds = ConstU64<1_000>;
}

/// Seconds since 1970 at which the tests run; the test's beacon makes a round a second since then.
pub const NOW_S: u64 = 1_700_000_000;

/// The beacon of the tests.
pub fn secret() -> BeaconSecret {
    BeaconSecret::from_phrase(b"a test's beacon")
}

/// Describes a beacon of that secret with a period of 1 s that began at `genesis_time`.
pub fn description(genesis_time: u32) -> GenesisBeacon {
    let key = secret().public_key();
    let digits: alloc::string::String = key.iter().map(|byte| alloc::format!("{byte:02x}")).collect();
    GenesisBeacon {
        public_key: alloc::format!("0x{digits}"),
        period: 1,
        genesis_time,
        name: "test".into(),
    }
}

/// Runs a test at block 1, 10 000 s after the test's beacon began.
pub fn on_chain(test: impl FnOnce()) {
    with_beacon(Some(description(NOW_S as u32 - 10_000)), test);
}

/// Runs a test at block 1 on a chain that follows a beacon.
pub fn with_beacon(beacon: Option<GenesisBeacon>, test: impl FnOnce()) {
    let mut storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .expect("system genesis");
    crate::GenesisConfig::<Test> {
        beacon,
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .expect("drand genesis");
    sp_io::TestExternalities::from(storage).execute_with(|| {
        System::set_block_number(1);
        Timestamp::set_timestamp(NOW_S * 1_000);
        test();
    });
}

/// Makes the pulse of a round.
pub fn pulse(round: u64) -> Pulse {
    pulse_of(round, &secret().sign(round))
}

/// Makes a pulse of a round and the signature it claims.
pub fn pulse_of(round: u64, signature: &[u8]) -> Pulse {
    Pulse {
        round,
        randomness: BoundedVec::truncate_from(Sha256::digest(signature).to_vec()),
        signature: BoundedVec::truncate_from(signature.to_vec()),
    }
}

use frame_support::BoundedVec;

/// Wraps pulses as clients do.
pub fn call(pulses: Vec<Pulse>) -> Call<Test> {
    let pulses_payload = PulsesPayload {
        block_number: 0,
        pulses,
        public: sp_runtime::MultiSigner::Sr25519(Default::default()),
    };
    Call::write_pulse {
        pulses_payload,
        signature: None,
    }
}

/// Hands pulses in, in a block of their own.
pub fn write(pulses: Vec<Pulse>) -> DispatchResult {
    System::set_block_number(System::block_number() + 1);
    let Call::write_pulse {
        pulses_payload,
        signature,
    } = call(pulses)
    else {
        unreachable!("it was just made")
    };
    Drand::write_pulse(RuntimeOrigin::none(), pulses_payload, signature)
}
