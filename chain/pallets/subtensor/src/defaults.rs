//! Defaults of storage items and values that a new subnet starts with, with the arithmetic behind them.

use super::*;
use codec::Decode;
use core::marker::PhantomData;
use frame_support::traits::Get;
use sp_runtime::traits::TrailingZeroInput;

/// Highest and first delegate take: 11 796 / 65 535 is 18 %.
pub const DELEGATE_TAKE: u16 = 11_796;
/// Share of alpha emission for the subnet owner: 11 796 / 65 535 is 18 %.
pub const OWNER_CUT: u16 = 11_796;
/// Lowest price of a subnet: 1 000 TAO in rao.
pub const NETWORK_MIN_LOCK: u64 = 1_000_000_000_000;
/// Least stake that may be moved, in rao: 0.002 TAO.
pub const MIN_STAKE: u64 = 2_000_000;
/// Lowest tempo that an owner may set: 360 × 12 s = 72 min.
pub const MIN_TEMPO: u16 = 360;
/// Blocks after which an epoch runs whatever the tempo: 50 400 × 12 s = 7 days.
pub const MAX_TEMPO: u16 = 50_400;
/// Bounds of the activity cutoff factor, in thousandths of a tempo.
pub const ACTIVITY_CUTOFF_FACTOR_BOUNDS: (u32, u32) = (1_000, 50_000);
/// Largest number of neurons on a subnet: uids are u16, and the epoch is quadratic.
pub const MAX_UIDS: u16 = 256;

/// Most mechanisms that a subnet may have; the index of their storage has room for 16.
pub const MAX_MECHANISMS: u8 = 16;
/// Most neurons of the root network.
pub const ROOT_MAX_UIDS: u16 = 64;
/// Registrations on root that an interval of 100 blocks aims at; three times as many fit.
pub const ROOT_TARGET_REGISTRATIONS: u16 = 1;
/// Most hotkeys that a coldkey may own: its list is read and written whole, 32 kB at most.
pub const MAX_OWNED_HOTKEYS: usize = 1_024;
/// Most hotkeys that a coldkey may stake to by calls; what it earns may add hotkeys that it owns.
pub const MAX_STAKING_HOTKEYS: usize = 1_024;
/// Longest sign of a token, in bytes.
pub const MAX_SYMBOL_BYTES: usize = 16;
/// Most subnets in one call of many.
pub const MAX_BATCH: usize = 128;
/// Blocks between two choices of the owner's hotkey: 50 400 × 12 s = 7 days.
pub const SN_OWNER_HOTKEY_RATE_LIMIT: u64 = 50_400;
/// Blocks between two changes of a subnet's mechanisms: 7 200 × 12 s = 1 day.
pub const MECHANISM_RATE_LIMIT: u64 = 7_200;
/// Blocks that a hotkey waits after a free call of its own has failed. A call is at most about 0.5 ms of work, so
/// the 33 000 hotkeys that fit on 128 subnets could fill but a block in five.
pub const FREE_FAILURE_PAUSE: u64 = 5;

/// What `register_network` sets on a new subnet where it differs from the storage default.
pub mod new_subnet {
    /// Price of the first registration: 1 TAO in rao.
    pub const BURN: u64 = 1_000_000_000;
    /// Immunity of new neurons, in blocks.
    pub const IMMUNITY_PERIOD: u16 = 5_000;
    /// Number of validator permits.
    pub const MAX_ALLOWED_VALIDATORS: u16 = 64;
    /// Least number of weights in a row.
    pub const MIN_ALLOWED_WEIGHTS: u16 = 1;
}

/// The account of 32 zero bytes, which stands for nobody.
pub struct ZeroAccount<T>(PhantomData<T>);

impl<T: Config> Get<T::AccountId> for ZeroAccount<T> {
    fn get() -> T::AccountId {
        T::AccountId::decode(&mut TrailingZeroInput::zeroes())
            .expect("every account id decodes from zeroes; this is what the Trie stores for absent ones")
    }
}

/// Bounds of bond speed: (45 875, 58 982) / 65 535 is (0.7, 0.9).
pub struct AlphaValues;

impl Get<(u16, u16)> for AlphaValues {
    fn get() -> (u16, u16) {
        (45_875, 58_982)
    }
}

/// Speed of the moving price: 0.000003 with 32 fractional bits.
pub struct SubnetMovingAlpha;

impl Get<FixedI128> for SubnetMovingAlpha {
    fn get() -> FixedI128 {
        FixedI128 { bits: 12_885 } // 0.000003 × 2^32
    }
}

/// Factor of the registration price: 1.26 with 64 fractional bits.
pub struct BurnIncreaseMult;

impl Get<FixedU128> for BurnIncreaseMult {
    fn get() -> FixedU128 {
        FixedU128 {
            bits: 23_242_897_532_874_035_200,
        } // 1.26 × 2^64 as subtensor rounds it
    }
}

/// Sign of the root token: mathematical sans-serif capital tau in UTF-8.
pub struct RootSymbol;

impl Get<Vec<u8>> for RootSymbol {
    fn get() -> Vec<u8> {
        alloc::vec![0xf0, 0x9d, 0x9c, 0x8f]
    }
}

/// Blocks between the announcement of a coldkey swap and the swap: 36 000 × 12 s = 5 days.
pub struct ColdkeySwapAnnouncementDelay;

impl<N: From<u32>> Get<N> for ColdkeySwapAnnouncementDelay {
    fn get() -> N {
        36_000.into()
    }
}

/// Blocks before a coldkey swap may be announced again: 7 200 × 12 s = 1 day.
pub struct ColdkeySwapReannouncementDelay;

impl<N: From<u32>> Get<N> for ColdkeySwapReannouncementDelay {
    fn get() -> N {
        7_200.into()
    }
}
