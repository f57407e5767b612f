//! The chain's own epoch arithmetic, callable on values of the caller's choice.

use arbor_math::{EpochInput, EpochOutput, MathAnswer, MathQuery};
use polkadot_sdk::sp_api;

sp_api::decl_runtime_apis! {
    /// Runs the chain's arithmetic without touching its state.
    pub trait YumaRuntimeApi {
        /// Runs one epoch of Yuma consensus.
        fn run_epoch(input: EpochInput) -> EpochOutput;
        /// Answers one question about a scalar rule: issuance, registration price, schedule, shares.
        fn compute(query: MathQuery) -> MathAnswer;
    }
}
