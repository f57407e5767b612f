//! The form in which weight rows are stored.

use alloc::vec::Vec;

use crate::fixed::I32F32;

/// Scales a row so that its largest value is 65 535: `round(w * 65535 / max)`; above a maximum of 32 768 the
/// ratio is rounded first. A row of zeros stays as it is.
pub fn max_upscale(weights: &[u16]) -> Vec<u16> {
    let full = I32F32::from_int(u16::MAX.into());
    let max = weights.iter().copied().max().unwrap_or(0);
    let divisor = I32F32::from_int(max.into());
    let scale = |weight: &u16| {
        let weight = I32F32::from_int((*weight).into());
        let scaled = if max > 32_768 {
            weight.mul(full.div(divisor))
        } else {
            weight.mul(full).div(divisor)
        };
        scaled.round_to_int().clamp(0, u16::MAX.into()) as u16
    };
    weights.iter().map(scale).collect()
}
