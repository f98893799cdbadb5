//! Keys of what strangers' machines carry: envelopes, mailboxes, bundles (spec carriers, R-1 … R-4).
//!
//! Values only. Nothing seals or carries an envelope yet; the derivations stand so that the keys of
//! epochs made today serve carriers later.

use crate::crypto::{self, Secret};

/// Seals the envelopes of one epoch. The nonce follows from the entry: the same entry is the same
/// bytes, whoever puts it, so that carriers drop doubles.
pub struct EnvelopeKeys {
    key: Secret,
    nonce: Secret,
}

impl EnvelopeKeys {
    /// From the epoch's envelope key V.
    pub fn derive(envelope: &Secret) -> Self {
        Self { key: envelope.expand("key", &[]), nonce: envelope.expand("nonce", &[]) }
    }

    /// The key of the box.
    pub fn key(&self) -> &Secret {
        &self.key
    }

    /// The nonce for one whole entry, its signature included.
    pub fn nonce(&self, entry: &[u8]) -> [u8; 24] {
        let mut out = [0; 24];
        out.copy_from_slice(self.nonce.mac("envelope", &[entry]).split_at(24).0);
        out
    }
}

/// W: who knows it may put into the mailbox of an epoch on a relay. `seek` is the epoch's S,
/// `relay` the bytes of the relay's peer id.
pub fn write_capability(seek: &Secret, relay: &[u8]) -> Secret {
    seek.expand("mailbox", &[relay])
}

/// A: the address of a mailbox; who knows it may read, and only read.
pub fn address(write_capability: &Secret) -> [u8; 32] {
    crypto::hash("mailbox", &[write_capability.as_bytes()])
}

/// Wraps the random key of a bundle for the members of an epoch. `envelope` is its V.
pub fn bundle_key(envelope: &Secret) -> Secret {
    envelope.expand("bundle", &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_entry_is_the_same_envelope_and_another_is_not() {
        let one = EnvelopeKeys::derive(&Secret::new([1; 32]));
        let again = EnvelopeKeys::derive(&Secret::new([1; 32]));
        assert_eq!(one.nonce(b"entry"), again.nonce(b"entry"));
        assert_ne!(one.nonce(b"entry"), one.nonce(b"entrz"));
        assert_ne!(one.nonce(b"entry"), EnvelopeKeys::derive(&Secret::new([2; 32])).nonce(b"entry"));
        assert_ne!(*one.key(), bundle_key(&Secret::new([1; 32])));
    }

    #[test]
    fn mailboxes_on_two_relays_or_of_two_epochs_have_nothing_in_common() {
        let of = |seek: u8, relay: &[u8]| address(&write_capability(&Secret::new([seek; 32]), relay));
        assert_ne!(of(1, b"one"), of(1, b"two"));
        assert_ne!(of(1, b"one"), of(2, b"one"));
    }
}
