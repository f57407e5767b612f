//! The bytes of a sealed message, in the order of arkworks' serialisation; lists start with their length as u64,
//! little endian:
//!
//! | part | bytes |
//! |---|---|
//! | `u`, a point of G2 | 96 |
//! | `v` | 8 + 32 |
//! | `w` | 8 + 32 |
//! | body: AES-GCM ciphertext with its tag, then the nonce | 8 + (8 + n) + (8 + 12) |
//! | name of the cipher, `AES_GCM_` | 8 + 8 |

use ark_bls12_381::G2Affine;

/// Name of the only cipher.
pub(crate) const CIPHER: &[u8] = b"AES_GCM_";
/// Length of an AES-GCM tag.
pub(crate) const TAG_BYTES: usize = 16;

/// A sealed message, taken apart.
pub(crate) struct Ciphertext<'a> {
    /// r · g2
    pub u: G2Affine,
    /// sigma xor H2(e(identity, key)^r)
    pub v: [u8; 32],
    /// message key xor H4(sigma)
    pub w: [u8; 32],
    /// AES-256-GCM of the message, tag last.
    pub body: &'a [u8],
    pub nonce: [u8; 12],
}

impl<'a> Ciphertext<'a> {
    /// Takes a sealed message apart; None for anything that is not exactly one.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (point, rest) = bytes.split_at_checked(crate::PUBLIC_KEY_BYTES)?;
        let (v, rest) = take_list(rest)?;
        let (w, rest) = take_list(rest)?;
        let (sealed, rest) = take_list(rest)?;
        let (cipher, rest) = take_list(rest)?;
        let (body, nonce) = take_list(sealed)?;
        let (nonce, sealed_rest) = take_list(nonce)?;
        let whole = rest.is_empty() && sealed_rest.is_empty() && cipher == CIPHER && body.len() >= TAG_BYTES;
        if !whole {
            return None;
        }
        Some(Self {
            v: v.try_into().ok()?,
            w: w.try_into().ok()?,
            nonce: nonce.try_into().ok()?,
            body,
            // Last, because this is the part that costs.
            u: crate::beacon::parse_point(point, crate::PUBLIC_KEY_BYTES)?,
        })
    }
}

/// Splits a list off: its length as u64, little endian, then its bytes.
fn take_list(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}
