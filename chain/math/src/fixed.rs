//! The one fixed-point type of the epoch: signed, 32 integer and 32 fractional bits.

use core::iter::Sum;

/// A number as `bits / 2^32`. All arithmetic saturates; products round toward minus infinity, quotients
/// toward zero, and division by zero gives zero. They are methods, not operators, so that no line of the epoch
/// reads as if it were exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct I32F32(i64);

#[allow(clippy::should_implement_trait)]
impl I32F32 {
    pub const ZERO: Self = Self(0);
    pub const HALF: Self = Self(1 << 31);
    pub const ONE: Self = Self(1 << 32);
    pub const MAX: Self = Self(i64::MAX);

    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    pub const fn to_bits(self) -> i64 {
        self.0
    }

    pub const fn from_int(value: i32) -> Self {
        Self((value as i64) << 32)
    }

    /// Reads a storage proportion: `value / 65 535`.
    pub fn from_u16_proportion(value: u16) -> Self {
        Self::from_int(value.into()).div(Self::from_int(u16::MAX.into()))
    }

    /// Rounds down to a storage proportion: `floor(self * 65 535)`, limited to `0..=65 535`.
    pub fn to_u16_proportion(self) -> u16 {
        let scaled = self.mul(Self::from_int(u16::MAX.into())).0 >> 32;
        scaled.clamp(0, u16::MAX.into()) as u16
    }

    pub const fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub const fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub fn mul(self, other: Self) -> Self {
        if other.is_share() {
            self.mul_share(other)
        } else if self.is_share() {
            other.mul_share(self)
        } else {
            let product = (i128::from(self.0) * i128::from(other.0)) >> 32;
            Self(product.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
        }
    }

    /// Tells whether this lies in `0..=1`.
    const fn is_share(self) -> bool {
        self.0 as u64 <= Self::ONE.0 as u64
    }

    /// Multiplies by a share, integer and fractional part apart: 64 bits hold either product, and the sum too,
    /// because it is not above the multiplied number. Nearly every product of an epoch is of this kind, and 128 bits
    /// are slow in WebAssembly.
    const fn mul_share(self, share: Self) -> Self {
        let fraction = ((self.0 as u32 as u64) * (share.0 as u64)) >> 32;
        Self((self.0 >> 32) * share.0 + fraction as i64)
    }

    /// Divides; zero if `other` is zero.
    pub fn div(self, other: Self) -> Self {
        if other.0 == 0 {
            return Self::ZERO;
        }
        // Dropping common factors of two changes no quotient and lets most divisions run in 64 bits.
        let shift = (self.0 | other.0).trailing_zeros();
        let (a, b) = (self.0 >> shift, other.0 >> shift);
        if let (Ok(a), Ok(b)) = (u32::try_from(a), u64::try_from(b)) {
            let quotient = (u64::from(a) << 32) / b;
            return Self(i64::try_from(quotient).unwrap_or(i64::MAX));
        }
        let quotient = (i128::from(a) << 32) / i128::from(b);
        Self(quotient.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }

    /// Rounds to the nearest integer, halves upward.
    pub const fn round_to_int(self) -> i64 {
        self.0.saturating_add(1 << 31) >> 32
    }

    /// Takes this share of an amount: `floor(self * amount)` in I96F32, at least 0.
    pub fn of_amount(self, amount: u64) -> u64 {
        let product = (i128::from(self.0) * i128::from(amount)) >> 32;
        u64::try_from(product.max(0)).unwrap_or(u64::MAX)
    }
}

impl Sum for I32F32 {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Self::add)
    }
}

impl<'a> Sum<&'a I32F32> for I32F32 {
    fn sum<I: Iterator<Item = &'a Self>>(items: I) -> Self {
        items.copied().sum()
    }
}

/// Divides a vector by `sum`; leaves it as it is if `sum` is zero.
pub fn normalize_by(values: &mut [I32F32], sum: I32F32) {
    if sum == I32F32::ZERO {
        return;
    }
    for value in values {
        *value = value.div(sum);
    }
}

/// Divides a vector by its own sum; leaves it as it is if that is zero.
pub fn normalize(values: &mut [I32F32]) {
    let sum = values.iter().sum();
    normalize_by(values, sum);
}
