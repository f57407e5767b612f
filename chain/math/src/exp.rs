//! The exponential function in I32F32, term by term as the reference computes it.

use crate::fixed::I32F32;

/// Largest magnitude of an exponent; larger ones are cut to it.
const LIMIT: I32F32 = I32F32::from_int(20);

/// e in the 23 fractional bits that the reference keeps of it.
const E: I32F32 = I32F32::from_bits(22_802_600 << 9);

/// Computes e^x by the Taylor series up to the 31st term, each truncated: `e^x = 1 + x + x^2/2! + ...`;
/// a negative exponent gives the reciprocal of its opposite's power.
pub fn exp(x: I32F32) -> I32F32 {
    let x = x.clamp(I32F32::ZERO.sub(LIMIT), LIMIT);
    if x == I32F32::ONE {
        return E;
    }
    let magnitude = if x < I32F32::ZERO { I32F32::ZERO.sub(x) } else { x };
    // At most 20^20/20! < 2^31: neither a term nor the sum leaves the format.
    let factor = magnitude.to_bits().unsigned_abs();
    let mut term = factor;
    let mut sum = factor + (1 << 32);
    for i in 2..32 {
        term = ((u128::from(term) * u128::from(factor)) >> 32) as u64 / i;
        sum += term;
    }
    let sum = I32F32::from_bits(sum as i64);
    if x < I32F32::ZERO {
        I32F32::ONE.div(sum)
    } else {
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(x: f64) -> bool {
        let bits = exp(I32F32::from_bits((x * 4_294_967_296.0) as i64)).to_bits();
        let got = bits as f64 / 4_294_967_296.0;
        (got - x.exp()).abs() <= 2e-7 * x.exp().max(1.0)
    }

    #[test]
    fn exp_follows_the_real_function_when_the_series_has_converged() {
        for x in [-9.5, -5.0, -1.0, -0.25, 0.0, 0.5, 1.0, 2.0, 5.0] {
            assert!(close(x), "exp({x})");
        }
    }

    #[test]
    fn exp_stays_within_bounds_when_the_exponent_is_huge() {
        let top = exp(I32F32::MAX);
        assert_eq!(top, exp(LIMIT));
        assert!(top < I32F32::MAX);
        assert_eq!(exp(I32F32::from_bits(i64::MIN)), exp(I32F32::from_int(-20)));
    }
}
