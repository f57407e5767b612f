//! A runtime with balances and this pallet, and the few steps that tests share.

use crate::*;
use frame_support::{
    assert_ok, derive_impl,
    traits::{ConstU64, Hooks},
};
use sp_runtime::BuildStorage;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeTask,
        RuntimeHoldReason,
        RuntimeFreezeReason
    )]
    pub struct Test;
    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(5)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(7)]
    pub type SubtensorModule = crate;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type ExistentialDeposit = ConstU64<500>;
    type DustRemoval = RecycleImbalance<Test>;
}

impl crate::Config for Test {
    type Currency = Balances;
    type WeightInfo = ();
    type Beacon = TestBeacon;
    type MaxOpenedPerBlock = frame_support::traits::ConstU32<4>;
}

/// A beacon that signs every round up to the one that a test named, but for those it skips.
pub struct TestBeacon;

const ROUNDS: &[u8] = b"test:rounds";
const SKIPPED: &[u8] = b"test:skipped";

impl TestBeacon {
    /// Lets the beacon sign all rounds up to one.
    pub fn sign_up_to(round: u64) {
        frame_support::storage::unhashed::put(ROUNDS, &round);
    }

    /// Keeps the pulses of some rounds away.
    pub fn skip(rounds: Vec<u64>) {
        frame_support::storage::unhashed::put(SKIPPED, &rounds);
    }

    /// Returns the secret that it signs with.
    pub fn secret() -> arbor_timelock::BeaconSecret {
        arbor_timelock::BeaconSecret::from_phrase(b"a test's beacon")
    }
}

impl Beacon for TestBeacon {
    fn last_round() -> u64 {
        frame_support::storage::unhashed::get_or_default(ROUNDS)
    }

    fn signature(round: u64) -> Option<[u8; 48]> {
        let skipped: Vec<u64> = frame_support::storage::unhashed::get_or_default(SKIPPED);
        let signed = round <= Self::last_round() && !skipped.contains(&round);
        signed.then(|| Self::secret().sign(round))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn store(round: u64, _signature: [u8; 48]) {
        Self::sign_up_to(round);
    }
}

/// One TAO in rao, one alpha in its smallest unit.
pub const TAO: u64 = 1_000_000_000;
/// Coldkey that owns subnet 1.
pub const OWNER: u64 = 1;
/// Hotkey that stands for it.
pub const OWNER_HOTKEY: u64 = 101;
/// A coldkey with TAO that owns nothing.
pub const ALICE: u64 = 2;
/// Another one.
pub const BOB: u64 = 3;
/// The subnet that most tests use.
pub const NET: NetUid = NetUid(1);

/// Describes subnet `netuid` as tests want it: free of limits, epochs every 10 blocks.
pub fn subnet(netuid: u16) -> GenesisSubnet<u64> {
    serde_json::from_value(serde_json::json!({
        "netuid": netuid, "ownerColdkey": OWNER, "ownerHotkey": OWNER_HOTKEY, "tempo": 10,
        "commitRevealEnabled": false, "weightsSetRateLimit": 0, "maxRegistrationsPerBlock": 64,
        "immunityPeriod": 20, "minBurn": 500_000, "burn": 1_000_000,
    }))
    .expect("the description is valid")
}

/// Builds a chain whose coldkeys 1 to 9 hold 10 000 TAO each.
pub fn chain(subnets: Vec<GenesisSubnet<u64>>) -> sp_io::TestExternalities {
    let mut storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .expect("system genesis");
    pallet_balances::GenesisConfig::<Test> {
        balances: (1..10).map(|who| (who, 10_000 * TAO)).collect(),
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .expect("balances genesis");
    crate::GenesisConfig::<Test> {
        subnets,
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .expect("subtensor genesis");
    let mut chain: sp_io::TestExternalities = storage.into();
    chain.execute_with(|| System::set_block_number(0));
    chain.execute_with(next_block);
    chain
}

/// Runs a test on a chain with subnet 1, from block 1 on.
pub fn on_chain(test: impl FnOnce()) {
    chain(vec![subnet(1)]).execute_with(test);
}

/// Makes one block without transactions and checks the books.
pub fn next_block() {
    check_books();
    let next = System::block_number() + 1;
    System::set_block_number(next);
    SubtensorModule::on_initialize(next);
    check_books();
}

/// Makes blocks up to and including a number.
pub fn run_to(block: u64) {
    while System::block_number() < block {
        next_block();
    }
}

/// Fails if the books do not balance.
pub fn check_books() {
    if let Err(why) = SubtensorModule::check_invariants() {
        panic!("block {}: {why}", System::block_number());
    }
}

/// Registers a hotkey of a coldkey on subnet 1 and returns its uid.
pub fn register(coldkey: u64, hotkey: u64) -> u16 {
    assert_ok!(SubtensorModule::burned_register(
        RuntimeOrigin::signed(coldkey),
        NET,
        hotkey
    ));
    Uids::<Test>::get(NET, hotkey).expect("it was just registered")
}

/// Stakes rao of a coldkey to a hotkey on subnet 1.
pub fn stake(coldkey: u64, hotkey: u64, rao: u64) {
    assert_ok!(SubtensorModule::add_stake(
        RuntimeOrigin::signed(coldkey),
        hotkey,
        NET,
        rao
    ));
}

/// A small generator of numbers that are the same on every run.
pub struct Seeded(pub u64);

impl Seeded {
    /// Returns a number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}
