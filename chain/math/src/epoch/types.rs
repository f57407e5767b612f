//! What one epoch reads and what it leaves behind.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// One sparse storage row: `(uid, u16 proportion)` in submitted order.
pub type Row = Vec<(u16, u16)>;

/// Everything one epoch of one mechanism reads. Vectors are indexed by uid; a short vector reads as zero
/// (false, empty) past its end, entries past `n` and row entries with a uid of `n` or more are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EpochInput {
    /// Number of neurons.
    pub n: u16,
    pub current_block: u64,
    /// Blocks per epoch; used for the bond mask while `last_mechanism_step_block` is 0.
    pub tempo: u16,
    /// Blocks after which a neuron that set no weights is inactive.
    pub activity_cutoff: u64,
    pub last_update: Vec<u64>,
    pub block_at_registration: Vec<u64>,
    /// Block of the previous epoch, 0 if there was none.
    pub last_mechanism_step_block: u64,
    /// Combined stake weight in rao.
    pub stake: Vec<u64>,
    /// Stake below which a neuron counts for nothing, in rao; the owner is exempt.
    pub min_stake: u64,
    /// Neuron of the subnet's owner: keeps its permit and its self weight.
    pub owner_uid: Option<u16>,
    pub validator_permits: Vec<bool>,
    pub max_allowed_validators: u16,
    /// Weight rows as stored (max-upscaled).
    pub weights: Vec<Row>,
    /// Bond rows as stored.
    pub bonds: Vec<Row>,
    /// Majority ratio, 65 535 = 1.
    pub kappa: u16,
    /// Share of the clipped weights in the bonds, 65 535 = 1.
    pub bonds_penalty: u16,
    /// Weight of the old bonds in parts per million.
    pub bonds_moving_average: u64,
    pub yuma3: bool,
    pub liquid_alpha: bool,
    /// Bounds of liquid alpha, 65 535 = 1.
    pub alpha_low: u16,
    pub alpha_high: u16,
    /// Steepness of the liquid alpha sigmoid in hundredths.
    pub alpha_sigmoid_steepness: i16,
    /// With commit-reveal: block of each neuron's earliest open commit, `u64::MAX` for none.
    pub commit_blocks: Option<Vec<u64>>,
    /// Alpha to divide, in rao.
    pub rao_emission: u64,
}

/// What one epoch leaves: storage values, indexed by uid, all of length `n`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EpochOutput {
    pub active: Vec<bool>,
    pub stake_weight: Vec<u16>,
    /// Permits that hold from the next epoch on.
    pub new_validator_permits: Vec<bool>,
    pub consensus: Vec<u16>,
    pub validator_trust: Vec<u16>,
    pub incentive: Vec<u16>,
    pub dividends: Vec<u16>,
    /// Bond rows to store: the new ones of uids with a new permit, empty for those that lost theirs,
    /// unchanged for the rest.
    pub bonds: Vec<Row>,
    /// Rao for mining.
    pub server_emission: Vec<u64>,
    /// Rao for validating.
    pub validator_emission: Vec<u64>,
    /// Rao for both (`Emission`).
    pub emission: Vec<u64>,
    /// The same results before they were rounded for storage.
    pub bits: EpochBits,
}

/// Intermediate results as raw I32F32 bits: 2^32 = 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EpochBits {
    pub stake: Vec<i64>,
    pub active_stake: Vec<i64>,
    pub consensus: Vec<i64>,
    pub validator_trust: Vec<i64>,
    pub incentive: Vec<i64>,
    pub dividends: Vec<i64>,
    pub weights: Vec<Vec<(u16, i64)>>,
    pub ema_bonds: Vec<Vec<(u16, i64)>>,
}
