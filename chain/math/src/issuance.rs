//! The halving curve that TAO and every subnet's alpha follow.

/// Supply that is never exceeded, in rao.
pub const TOTAL_SUPPLY: u64 = 21_000_000_000_000_000;

/// Emission per block before the first halving, in rao.
pub const INITIAL_BLOCK_EMISSION: u64 = 1_000_000_000;

/// Computes what one block mints at this issuance, in rao: `1e9 / 2^r` with
/// `r = floor(log2(1 / (1 - issuance/supply)))`, all of it in 32 fractional bits; 0 at full supply.
pub const fn block_emission(issuance: u64) -> u64 {
    if issuance >= TOTAL_SUPPLY {
        return 0;
    }
    let issued = ((issuance as u128) << 32) / TOTAL_SUPPLY as u128;
    let left = (1 << 32) - issued; // at least 1, since issued < 2^32
    let halvings = ((1u128 << 64) / left).ilog2() - 32;
    INITIAL_BLOCK_EMISSION >> halvings
}
