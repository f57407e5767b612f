//! Tests of the pallet in a mock runtime, by behaviour.

mod books;
mod commit_reveal;
mod emission;
mod genesis;
mod metadata;
mod mock;
mod registration;
mod serving;
mod staking;
mod subnets;
mod vectors;
mod weights;
