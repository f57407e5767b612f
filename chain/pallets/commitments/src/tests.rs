use super::*;
use codec::{Decode, Encode};
use frame_support::{assert_noop, assert_ok, derive_impl, traits::ConstU32, traits::ConstU64, BoundedVec};
use polkadot_sdk::sp_io;
use polkadot_sdk::sp_runtime::{BuildStorage, DispatchError};

type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(18)]
    pub type Commitments = crate;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
}

/// Hotkeys 1 to 9 are registered on subnet 1; an epoch has ten blocks; bonds reset for hotkey 1 alone.
pub struct TenBlockEpochs;
impl Subnets<u64> for TenBlockEpochs {
    fn is_registered(netuid: u16, hotkey: &u64) -> bool {
        netuid == 1 && (1..10).contains(hotkey)
    }
    fn epoch_index(_netuid: u16) -> u64 {
        System::block_number() / 10
    }
    fn reset_bonds(_netuid: u16, hotkey: &u64) -> bool {
        *hotkey == 1
    }
}

impl Config for Test {
    type WeightInfo = ();
    type Subnets = TenBlockEpochs;
    type MaxFields = ConstU32<3>;
    type InitialDeposit = ConstU64<0>;
    type FieldDeposit = ConstU64<0>;
}

fn run(test: impl FnOnce()) {
    let storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .expect("genesis");
    sp_io::TestExternalities::from(storage).execute_with(|| {
        System::set_block_number(1);
        test()
    });
}

fn info(fields: Vec<Data>) -> Box<CommitmentInfo<ConstU32<3>>> {
    Box::new(CommitmentInfo {
        fields: fields.try_into().expect("three fields"),
    })
}

fn raw(len: usize) -> Data {
    Data::Raw(vec![7; len].try_into().expect("128 bytes"))
}

fn big(len: usize) -> Data {
    Data::BigRaw(vec![7; len].try_into().expect("512 bytes"))
}

#[test]
fn commitment_is_stored_with_its_block_when_the_hotkey_is_registered() {
    run(|| {
        assert_ok!(Commitments::set_commitment(
            RuntimeOrigin::signed(2),
            1,
            info(vec![raw(5)])
        ));
        let stored = CommitmentOf::<Test>::get(1, 2).expect("stored");
        assert_eq!(
            (stored.deposit, stored.block, stored.info),
            (0, 1, *info(vec![raw(5)]))
        );
        assert_eq!(LastCommitment::<Test>::get(1, 2), Some(1));
        System::assert_last_event(Event::Commitment { netuid: 1, who: 2 }.into());
    });
}

#[test]
fn commitment_is_refused_when_the_hotkey_is_a_stranger_or_the_field_is_time_locked() {
    run(|| {
        assert_noop!(
            Commitments::set_commitment(RuntimeOrigin::signed(10), 1, info(vec![raw(5)])),
            Error::<Test>::AccountNotAllowedCommit
        );
        assert_noop!(
            Commitments::set_commitment(RuntimeOrigin::signed(2), 2, info(vec![raw(5)])),
            Error::<Test>::AccountNotAllowedCommit
        );
        let locked = Data::TimelockEncrypted {
            encrypted: BoundedVec::default(),
            reveal_round: 1,
        };
        assert_noop!(
            Commitments::set_commitment(RuntimeOrigin::signed(2), 1, info(vec![raw(5), locked])),
            Error::<Test>::TimelockUnsupported
        );
    });
}

#[test]
fn commitment_is_refused_until_the_next_epoch_when_the_quota_is_used() {
    run(|| {
        // 3 100 bytes an epoch: six of 512, and what is left is less than the least that is counted.
        for _ in 0..6 {
            assert_ok!(Commitments::set_commitment(
                RuntimeOrigin::signed(2),
                1,
                info(vec![big(512)])
            ));
        }
        assert_noop!(
            Commitments::set_commitment(RuntimeOrigin::signed(2), 1, info(vec![raw(1)])),
            Error::<Test>::SpaceLimitExceeded
        );
        assert_ok!(Commitments::set_commitment(
            RuntimeOrigin::signed(3),
            1,
            info(vec![raw(1)])
        ));
        System::set_block_number(10);
        assert_ok!(Commitments::set_commitment(
            RuntimeOrigin::signed(2),
            1,
            info(vec![raw(1)])
        ));
        let usage = UsedSpaceOf::<Test>::get(1, 2).expect("tracked");
        assert_eq!((usage.last_epoch, usage.used_space), (1, 100));
    });
}

#[test]
fn bonds_reset_is_recorded_when_the_subnet_allows_it() {
    run(|| {
        for hotkey in [1, 2] {
            assert_ok!(Commitments::set_commitment(
                RuntimeOrigin::signed(hotkey),
                1,
                info(vec![Data::ResetBondsFlag])
            ));
        }
        assert_eq!(
            (
                LastBondsReset::<Test>::get(1, 1),
                LastBondsReset::<Test>::get(1, 2)
            ),
            (Some(1), None)
        );
    });
}

#[test]
fn quota_changes_when_root_asks() {
    run(|| {
        assert_noop!(
            Commitments::set_max_space(RuntimeOrigin::signed(1), 1),
            DispatchError::BadOrigin
        );
        assert_ok!(Commitments::set_max_space(RuntimeOrigin::root(), 99));
        assert_noop!(
            Commitments::set_commitment(RuntimeOrigin::signed(1), 1, info(vec![raw(1)])),
            Error::<Test>::SpaceLimitExceeded
        );
    });
}

#[test]
fn data_round_trips_with_the_reference_tags() {
    let cases = [
        (Data::None, 0u8, 1),
        (raw(0), 1, 1),
        (raw(1), 2, 2),
        (raw(128), 129, 129),
        (Data::BlakeTwo256([3; 32]), 130, 33),
        (Data::Sha256([3; 32]), 131, 33),
        (Data::Keccak256([3; 32]), 132, 33),
        (Data::ShaThree256([3; 32]), 133, 33),
        (Data::ResetBondsFlag, 135, 1),
        (big(300), 136, 303),
    ];
    for (data, tag, len) in cases {
        let bytes = data.encode();
        assert_eq!((bytes[0], bytes.len()), (tag, len));
        assert_eq!(Data::decode(&mut &bytes[..]), Ok(data));
    }
    assert!(Data::decode(&mut &[137u8][..]).is_err());
    assert!(
        Data::decode(&mut &[129u8, 1][..]).is_err(),
        "a truncated text is refused"
    );
}
