//! Tests of the pallet in a mock runtime.

mod genesis;
mod mock;
mod pool;
mod storing;
