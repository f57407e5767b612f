//! Division of a subnet's emission among its mechanisms.

use alloc::{vec, vec::Vec};

use crate::wide::mul_div;

/// Divides an amount among `count` mechanisms: by `split` (in 1/65 535, if there is one for each), else
/// evenly; mechanism 0 gets the rounding remainder.
pub fn split_amount(amount: u64, count: u8, split: Option<&[u16]>) -> Vec<u64> {
    if count == 0 {
        return Vec::new();
    }
    let mut left = amount;
    let mut take = |wanted: u64| {
        let got = wanted.min(left);
        left -= got;
        got
    };
    let mut parts: Vec<u64> = match split {
        Some(split) if split.len() == usize::from(count) => split
            .iter()
            .map(|part| take(mul_div(amount, (*part).into(), u16::MAX.into())))
            .collect(),
        _ => vec![amount / u64::from(count); count.into()]
            .into_iter()
            .map(take)
            .collect(),
    };
    if let Some(first) = parts.first_mut() {
        *first = first.saturating_add(left);
    }
    parts
}
