//! When a subnet's epoch runs and how long a neuron counts as active.

use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// Blocks without an epoch after which one runs whatever the tempo says.
pub const MAX_TEMPO: u64 = 50_400;

/// What the schedule of one subnet depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EpochState {
    pub tempo: u16,
    pub last_epoch_block: u64,
    /// Block from which a requested or deferred epoch is due, 0 for none.
    pub pending_epoch_at: u64,
    pub blocks_since_last_step: u64,
}

/// Tells whether the epoch runs at `block`: never at tempo 0; else when a pending one is due, when none ran
/// for more than [`MAX_TEMPO`] blocks, or when `tempo` blocks have passed since the last.
pub fn is_due(state: &EpochState, block: u64) -> bool {
    if state.tempo == 0 {
        return false;
    }
    (state.pending_epoch_at > 0 && block >= state.pending_epoch_at)
        || state.blocks_since_last_step > MAX_TEMPO
        || block.saturating_sub(state.last_epoch_block) >= state.tempo.into()
}

/// Counts the blocks until the tempo alone makes the epoch due; `u64::MAX` for never.
pub fn blocks_until_auto(state: &EpochState, block: u64) -> u64 {
    if state.tempo == 0 {
        return u64::MAX;
    }
    state
        .last_epoch_block
        .saturating_add(state.tempo.into())
        .saturating_sub(block)
}

/// Tells whether the epoch runs at `block` by the rule of older chains:
/// `(block + netuid + 1) mod (tempo + 1) = tempo`, never at tempo 0.
pub fn is_due_legacy(netuid: u16, tempo: u16, block: u64) -> bool {
    let shifted = u128::from(block) + u128::from(netuid) + 1;
    tempo != 0 && shifted % (u128::from(tempo) + 1) == u128::from(tempo)
}

/// Computes the activity cutoff in blocks: `max(1, factor_milli * tempo / 1000)`.
pub fn activity_cutoff(factor_milli: u32, tempo: u16) -> u64 {
    (u64::from(factor_milli) * u64::from(tempo) / 1000).max(1)
}

/// Places the last epoch of a new subnet so that subnets do not all run in one block:
/// `now - (netuid mod tempo)`.
pub fn staggered_start(netuid: u16, tempo: u16, now: u64) -> u64 {
    now.saturating_sub(netuid.checked_rem(tempo).unwrap_or(0).into())
}
