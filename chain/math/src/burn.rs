//! The price of a registration: halves over time, jumps with every registration.

use crate::wide::mul_u64f64;

/// One in 32 fractional bits.
pub const ONE_Q32: u64 = 1 << 32;

/// Factor per registration, 1.26 with 64 fractional bits.
pub const BURN_INCREASE_MULT: u128 = 0x0001_428F_5C28_F5C2_9000;

const fn mul_q32(value: u64, factor: u64) -> u64 {
    let product = (value as u128 * factor as u128) >> 32;
    if product > u64::MAX as u128 {
        u64::MAX
    } else {
        product as u64
    }
}

/// Raises a Q32 number to a power by squaring, each product rounded down.
const fn pow_q32(base: u64, exponent: u16) -> u64 {
    let (mut result, mut factor, mut left) = (ONE_Q32, base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = mul_q32(result, factor);
        }
        factor = mul_q32(factor, factor);
        left >>= 1;
    }
    result
}

/// Finds the factor per block in Q32: the largest `f` with `f^half_life <= 1/2`; 1 if `half_life` is 0.
pub const fn decay_factor_q32(half_life: u16) -> u64 {
    if half_life == 0 {
        return ONE_Q32;
    }
    let (mut low, mut high) = (0, ONE_Q32);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if pow_q32(middle, half_life) > ONE_Q32 / 2 {
            high = middle;
        } else {
            low = middle;
        }
    }
    low
}

/// Keeps a price within its bounds; `max` wins if they cross.
pub fn clamp_price(price: u64, min: u64, max: u64) -> u64 {
    price.max(min).min(max)
}

/// Lets the price decay by one block, in rao: `floor(price * factor)` within the bounds.
pub fn decay(price: u64, factor_q32: u64, min: u64, max: u64) -> u64 {
    clamp_price(mul_q32(price, factor_q32), min, max)
}

/// Lets the price decay block by block, in rao.
pub fn price_after(price: u64, factor_q32: u64, blocks: u32, min: u64, max: u64) -> u64 {
    let mut price = price;
    for _ in 0..blocks {
        let next = decay(price, factor_q32, min, max);
        if next == price {
            break; // it has settled: the same step gives the same price for ever
        }
        price = next;
    }
    price
}

/// Raises the price after a registration, in rao: `floor(price * mult)` within the bounds, `mult` with 64
/// fractional bits.
pub fn bump(price: u64, mult: u128, min: u64, max: u64) -> u64 {
    let raised = mul_u64f64(u128::from(price) << 64, mult) >> 64;
    clamp_price(u64::try_from(raised).unwrap_or(u64::MAX), min, max)
}

/// Adjusts the price by the rule of older chains, once per interval, in rao:
/// `alpha*price + (1-alpha)*price*(registrations+target)/(2*target)`, `alpha` in `1/u64::MAX`.
pub fn adjust_legacy(price: u64, registrations: u16, target: u16, alpha: u64, min: u64, max: u64) -> u64 {
    let doubled = u128::from(target.max(1)) * 2;
    let wanted = u128::from(price) * (u128::from(registrations) + u128::from(target)) / doubled;
    let wanted = wanted.min(u64::MAX.into());
    // The factors add up to u64::MAX, so the sum of the products is at most u64::MAX squared.
    let sum = u128::from(price) * u128::from(alpha) + wanted * u128::from(u64::MAX - alpha);
    clamp_price((sum / u128::from(u64::MAX)) as u64, min, max)
}
