//! What the pallet wants to know of a randomness beacon.

/// A beacon that signs one round after another; a signature opens what was sealed for its round.
pub trait Beacon {
    /// Returns the newest round whose signature is known, 0 for none.
    fn last_round() -> u64;

    /// Returns the checked signature of a round, 48 bytes, if it is known.
    fn signature(round: u64) -> Option<[u8; 48]>;

    /// Makes a signature known, unchecked.
    #[cfg(feature = "runtime-benchmarks")]
    fn store(round: u64, signature: [u8; 48]);
}

/// A beacon that never signs.
impl Beacon for () {
    fn last_round() -> u64 {
        0
    }

    fn signature(_round: u64) -> Option<[u8; 48]> {
        None
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn store(_round: u64, _signature: [u8; 48]) {}
}
