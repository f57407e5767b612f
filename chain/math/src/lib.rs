//! Consensus and emission arithmetic of Arbor, without storage.
//!
//! Everything here is a pure, total function over integers and small fixed-point types: no floats, no
//! panics, no input that loops without bound. The pallet feeds its storage in and writes the answers back;
//! the runtime API serves the same functions, so a test can ask the shipped runtime for any single result.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod burn;
pub mod coinbase;
pub mod epoch;
pub mod exp;
pub mod fixed;
pub mod issuance;
pub mod mechanisms;
pub mod query;
pub mod schedule;
pub mod shares;
pub mod sparse;
pub mod upscale;
pub mod wide;

pub use epoch::{run_epoch, EpochBits, EpochInput, EpochOutput};
pub use query::{compute, MathAnswer, MathQuery};
