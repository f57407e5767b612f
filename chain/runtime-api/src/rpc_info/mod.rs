//! Layouts of the answers: field for field those of subtensor, so that its clients decode them.

pub mod delegate_info;
pub mod dynamic_info;
pub mod fixed;
pub mod metagraph;
pub mod neuron_info;
pub mod records;
pub mod show_subnet;
pub mod stake_info;
pub mod subnet_info;
