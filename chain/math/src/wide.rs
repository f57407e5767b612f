//! U64F64 products and quotients that need more than 128 bits on the way.

/// One in U64F64.
pub const ONE_U64F64: u128 = 1 << 64;

const LOW: u128 = u64::MAX as u128;

/// Multiplies two U64F64 numbers, rounding down; saturates.
pub const fn mul_u64f64(a: u128, b: u128) -> u128 {
    let (a_hi, a_lo, b_hi, b_lo) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let Some(top) = (a_hi * b_hi).checked_mul(ONE_U64F64) else {
        return u128::MAX;
    };
    top.saturating_add(a_hi * b_lo)
        .saturating_add(a_lo * b_hi)
        .saturating_add((a_lo * b_lo) >> 64)
}

/// Divides two numbers of the same format into a U64F64, rounding down; zero if `b` is zero; saturates.
pub const fn div_u64f64(a: u128, b: u128) -> u128 {
    if b == 0 {
        return 0;
    }
    let (mut quotient, mut rest) = (a / b, a % b);
    if quotient > LOW {
        return u128::MAX;
    }
    let mut bit = 0;
    while bit < 64 {
        let carry = rest >> 127 == 1;
        rest <<= 1;
        quotient <<= 1;
        if carry || rest >= b {
            rest = rest.wrapping_sub(b);
            quotient |= 1;
        }
        bit += 1;
    }
    quotient
}

/// Computes `floor(a * b / c)` without losing the product; zero if `c` is zero; saturates.
pub const fn mul_div(a: u64, b: u64, c: u64) -> u64 {
    if c == 0 {
        return 0;
    }
    let quotient = a as u128 * b as u128 / c as u128;
    if quotient > LOW {
        u64::MAX
    } else {
        quotient as u64
    }
}
