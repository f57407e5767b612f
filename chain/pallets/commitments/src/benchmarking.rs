//! Calls at their most expensive; `node bench/weights.ts` measures them and writes `weight_info.rs`.

use super::*;
use alloc::{boxed::Box, vec};
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use frame_system::RawOrigin;

/// The subnet on which is committed.
const NETUID: u16 = 2;

fn big_record<F: Get<u32>>(count: u32) -> CommitmentInfo<F> {
    let text = Data::BigRaw(vec![7; 512].try_into().expect("512 bytes are allowed"));
    let fields = vec![text; count as usize];
    CommitmentInfo {
        fields: fields.try_into().expect("within the bound"),
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// A record of as many fields of 512 bytes as one may have.
    #[benchmark]
    fn set_commitment() {
        let who = T::Subnets::full_subnet(NETUID);
        let record = Box::new(big_record::<T::MaxFields>(T::MaxFields::get()));
        #[extrinsic_call]
        _(RawOrigin::Signed(who), NETUID, record);
    }

    /// A record that asks 256 validators to drop their bonds.
    #[benchmark]
    fn reset_bonds() {
        let who = T::Subnets::full_subnet(NETUID);
        let mut record = big_record::<T::MaxFields>(T::MaxFields::get() - 1);
        record
            .fields
            .try_push(Data::ResetBondsFlag)
            .expect("one place is left");
        #[extrinsic_call]
        set_commitment(RawOrigin::Signed(who), NETUID, Box::new(record));
    }

    #[benchmark]
    fn set_max_space() {
        #[extrinsic_call]
        _(RawOrigin::Root, 4_000);
    }
}
