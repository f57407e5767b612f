//! Fixed-point numbers as clients see them: the raw bits, lower 32 of them behind the point.

use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// Number with 32 bits before and 32 bits behind the point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct FixedI64 {
    pub bits: i64,
}
