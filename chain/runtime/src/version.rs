//! The version of the runtime as it uses it itself.

use super::*;

use frame_support::traits::Get;

/// The spec version behind a mark, in the blob's data.
#[repr(C)]
struct Marked {
    mark: [u8; 16],
    spec_version: u32,
}

static STATED: Marked = Marked {
    mark: *b"arbor:version=\0\0",
    spec_version: VERSION.spec_version,
};

/// The runtime's version. Its spec version is read from the data of the blob when it is asked for, so that it stands
/// there once instead of in every comparison that the optimiser folds: a test of upgrades makes a second runtime by
/// changing those four bytes.
pub struct Version;

impl Get<RuntimeVersion> for Version {
    fn get() -> RuntimeVersion {
        let stated: &Marked = core::hint::black_box(&STATED);
        debug_assert!(stated.mark.starts_with(b"arbor:version="));
        RuntimeVersion {
            spec_version: stated.spec_version,
            ..VERSION
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_should_be_the_one_that_the_blob_states_in_its_section() {
        assert_eq!(Version::get(), VERSION);
    }
}
