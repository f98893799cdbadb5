//! Names of things: 32-byte identifiers that are all hashes or public keys (spec/terms).
//!
//! `Debug` prints eight hex digits of a hash of the value and never the value, so that no
//! identifier reaches a log by accident; [`core::fmt::Display`] is left out on purpose. Use
//! `to_hex` where a person asked for the identifier.

use std::fmt;

use sha2::{Digest, Sha256};

/// Lower-case hexadecimal of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from(*DIGITS.get(usize::from(nibble)).unwrap_or(&b'?')));
        }
    }
    out
}

/// The bytes of a hexadecimal string of exactly 64 digits, or `None`.
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(digits.chunks(2)) {
        let text = std::str::from_utf8(pair).ok()?;
        if text.starts_with('+') {
            return None;
        }
        *byte = u8::from_str_radix(text, 16).ok()?;
    }
    Some(out)
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The identifier's bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The first eight bytes, as entry headers carry them (spec entry, E-3).
            pub fn hint(&self) -> [u8; 8] {
                let mut hint = [0; 8];
                hint.copy_from_slice(self.0.split_at(8).0);
                hint
            }

            /// 64 lower-case hexadecimal digits.
            pub fn to_hex(&self) -> String {
                hex(&self.0)
            }

            /// Reads what `to_hex` wrote.
            pub fn from_hex(text: &str) -> Option<Self> {
                from_hex(text).map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let blind = Sha256::digest(self.0);
                write!(f, concat!(stringify!($name), "~{}"), hex(blind.split_at(4).0))
            }
        }

        impl From<[u8; 32]> for $name {
            fn from(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }
    };
}

identifier! {
    /// A group: SHA-256 of its genesis parameters; also the MLS `group_id`.
    GroupId
}
identifier! {
    /// An entry: SHA-256 of its signed bytes.
    EntryId
}
identifier! {
    /// An epoch: the id of the commit entry that made it; for the first epoch the group id.
    EpochId
}
identifier! {
    /// A device: its Ed25519 public key, fresh for each group and installation.
    DeviceKey
}
identifier! {
    /// A person in one group: the key of that person's first device there.
    MemberId
}

impl From<EntryId> for EpochId {
    fn from(commit: EntryId) -> Self {
        Self(commit.0)
    }
}

impl From<GroupId> for EpochId {
    fn from(group: GroupId) -> Self {
        Self(group.0)
    }
}

impl From<DeviceKey> for MemberId {
    fn from(first_device: DeviceKey) -> Self {
        Self(first_device.0)
    }
}

impl GroupId {
    /// The first 12 bytes, as an invite code carries them (spec invite, I-1).
    pub fn fingerprint(&self) -> [u8; 12] {
        let mut out = [0; 12];
        out.copy_from_slice(self.0.split_at(12).0);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_identifier() {
        let id = GroupId([0xab; 32]);
        assert!(!format!("{id:?}").contains("abab"));
    }

    #[test]
    fn hex_round_trips_and_refuses_other_lengths_and_signs() {
        let id = EntryId([0x1f; 32]);
        assert_eq!(EntryId::from_hex(&id.to_hex()), Some(id));
        assert_eq!(EntryId::from_hex("1f"), None);
        assert_eq!(from_hex(&"+f".repeat(32)), None);
    }
}
