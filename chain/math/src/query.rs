//! Every scalar rule behind one question and one answer type, for the runtime API.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use scale_info::TypeInfo;

use crate::{burn, coinbase, issuance, schedule, shares, upscale};

/// A question about one rule. Fixed-point arguments are raw bits.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum MathQuery {
    /// TAO (or alpha) minted in a block at this issuance, in rao.
    BlockEmission { issuance: u64 },
    /// A weight row as it is stored.
    MaxUpscale { weights: Vec<u16> },
    /// Burn price factor per block, 2^32 = 1.
    BurnDecayFactor { half_life: u16 },
    /// Burn price after `blocks` blocks without a registration, in rao.
    BurnPriceAfter {
        price: u64,
        half_life: u16,
        blocks: u32,
        min: u64,
        max: u64,
    },
    /// Burn price after one registration; `mult` has 64 fractional bits.
    BurnPriceBumped {
        price: u64,
        mult: u128,
        min: u64,
        max: u64,
    },
    /// Whether a subnet's epoch is due.
    EpochDue { state: schedule::EpochState, block: u64 },
    /// The same by the rule of older chains, which keeps no state.
    LegacyEpochDue { netuid: u16, tempo: u16, block: u64 },
    /// Division of a block's alpha; `owner_cut` in 1/65 535, `root_proportion` with 32 fractional bits.
    SplitEmission {
        alpha_out: u64,
        owner_cut: u16,
        root_proportion: u64,
    },
    /// Each subnet's share of the block's TAO.
    SubnetShares { subnets: Vec<shares::SubnetPrice> },
    /// Blocks without an update after which a neuron is inactive.
    ActivityCutoff { factor_milli: u32, tempo: u16 },
}

/// The answer to a [`MathQuery`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum MathAnswer {
    /// Rao, blocks or Q32 bits, as the question says.
    Amount(u64),
    /// To `MaxUpscale`.
    Weights(Vec<u16>),
    /// To `EpochDue`.
    Due { run: bool, blocks_until_auto: u64 },
    /// To `LegacyEpochDue`.
    Flag(bool),
    /// To `SplitEmission`.
    Split(coinbase::EmissionSplit),
    /// To `SubnetShares`: fractions with 64 fractional bits.
    Shares(Vec<u128>),
}

/// Answers one question about a rule.
pub fn compute(query: &MathQuery) -> MathAnswer {
    match query {
        MathQuery::BlockEmission { issuance } => MathAnswer::Amount(issuance::block_emission(*issuance)),
        MathQuery::MaxUpscale { weights } => MathAnswer::Weights(upscale::max_upscale(weights)),
        MathQuery::BurnDecayFactor { half_life } => MathAnswer::Amount(burn::decay_factor_q32(*half_life)),
        MathQuery::BurnPriceAfter {
            price,
            half_life,
            blocks,
            min,
            max,
        } => {
            let factor = burn::decay_factor_q32(*half_life);
            MathAnswer::Amount(burn::price_after(*price, factor, *blocks, *min, *max))
        }
        MathQuery::BurnPriceBumped {
            price,
            mult,
            min,
            max,
        } => MathAnswer::Amount(burn::bump(*price, *mult, *min, *max)),
        MathQuery::EpochDue { state, block } => MathAnswer::Due {
            run: schedule::is_due(state, *block),
            blocks_until_auto: schedule::blocks_until_auto(state, *block),
        },
        MathQuery::LegacyEpochDue { netuid, tempo, block } => {
            MathAnswer::Flag(schedule::is_due_legacy(*netuid, *tempo, *block))
        }
        MathQuery::SplitEmission {
            alpha_out,
            owner_cut,
            root_proportion,
        } => MathAnswer::Split(coinbase::split_emission(*alpha_out, *owner_cut, *root_proportion)),
        MathQuery::SubnetShares { subnets } => MathAnswer::Shares(shares::subnet_shares(subnets)),
        MathQuery::ActivityCutoff { factor_milli, tempo } => {
            MathAnswer::Amount(schedule::activity_cutoff(*factor_milli, *tempo))
        }
    }
}
