//! What a block pays into one subnet's pool, and how its alpha is divided.

use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// One in 32 fractional bits.
pub const ONE_Q32: u64 = 1 << 32;

/// Division of one block's alpha, in rao. Rounding loses at most 3 rao.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct EmissionSplit {
    pub owner_cut: u64,
    /// Miners: half of the rest.
    pub server: u64,
    /// Holders of root stake: their proportion of the other half.
    pub root_alpha: u64,
    /// Validators: what is left of it.
    pub validator: u64,
}

/// Divides a block's alpha: `cut = out*c`, `server = (out-cut)/2`, `root = root_prop*(out-cut)/2`, validators
/// the remainder; fractions of a rao (U96F32) are kept until the end. `owner_cut` in 1/65 535,
/// `root_proportion` in Q32, limited to 1.
pub fn split_emission(alpha_out: u64, owner_cut: u16, root_proportion: u64) -> EmissionSplit {
    let out = u128::from(alpha_out) << 32;
    let cut_ratio = (u128::from(owner_cut) << 32) / u128::from(u16::MAX);
    let cut = u128::from(alpha_out) * cut_ratio;
    let half = out.saturating_sub(cut) / 2;
    // half < 2^95 and the proportion has at most 33 bits: the product fits.
    let root = (half * u128::from(root_proportion.min(ONE_Q32))) >> 32;
    let floor = |amount: u128| u64::try_from(amount >> 32).unwrap_or(u64::MAX);
    EmissionSplit {
        owner_cut: floor(cut),
        server: floor(half),
        root_alpha: floor(root),
        validator: floor(half.saturating_sub(root)),
    }
}

/// Computes the share of root in a subnet, in Q32: `tw / (tw + alpha_issuance)` with
/// `tw = root_tao * tao_weight / u64::MAX`; 0 if both are 0.
pub fn root_proportion(root_tao: u64, tao_weight: u64, alpha_issuance: u64) -> u64 {
    let weighted = u128::from(root_tao) * u128::from(tao_weight) / u128::from(u64::MAX);
    let total = weighted + u128::from(alpha_issuance);
    (weighted << 32)
        .checked_div(total)
        .map_or(0, |ratio| ratio as u64)
}

/// What one block adds to a subnet's pool, in rao.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Injection {
    pub tao_in: u64,
    pub alpha_in: u64,
    /// TAO that does not fit at this price and buys alpha instead.
    pub excess_tao: u64,
}

/// Computes what a subnet's TAO emission adds to its pool: `alpha_in = tao/price`, at most
/// `root_prop * alpha_emission`; if that cuts it, `tao_in = alpha_in*price` and the rest is excess. `price` in
/// TAO per alpha, Q32; `root_proportion` in Q32.
pub fn injection(tao_emission: u64, alpha_emission: u64, root_proportion: u64, price: u64) -> Injection {
    let cap = (u128::from(alpha_emission) * u128::from(root_proportion.min(ONE_Q32))) >> 32;
    let wanted = (u128::from(tao_emission) << 32)
        .checked_div(price.into())
        .unwrap_or(u128::MAX);
    if wanted <= cap {
        return Injection {
            tao_in: tao_emission,
            alpha_in: wanted as u64,
            excess_tao: 0,
        };
    }
    let tao_in = ((cap * u128::from(price)) >> 32).min(tao_emission.into()) as u64;
    Injection {
        tao_in,
        alpha_in: cap as u64,
        excess_tao: tao_emission - tao_in,
    }
}
