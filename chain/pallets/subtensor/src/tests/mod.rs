//! Tests of the pallet in a mock runtime, by behaviour.

mod books;
mod commit_reveal;
mod emission;
mod genesis;
mod identities;
mod mechanisms;
mod metadata;
mod mock;
mod owner;
mod registration;
mod root;
mod serving;
mod staking;
mod subnets;
mod takes;
mod timelocked;
mod unstaking;
mod vectors;
mod weights;
