//! The recovery phrase: what its member keeps on paper and no laptop keeps (M-18, I-12).

use zeroize::Zeroizing;

use crate::crypto::{self, Secret};

/// The entropy of a BIP 39 phrase of twelve words: 128 bits. Of each group another code follows from it, so that nobody
/// who is in two can tell that they have a member in common.
#[derive(PartialEq, Eq)]
pub struct Phrase(Zeroizing<[u8; 16]>);

impl Phrase {
    /// From its entropy.
    pub fn new(entropy: [u8; 16]) -> Self {
        Self(Zeroizing::new(entropy))
    }

    /// What the secret of its code in a group is cut from.
    pub(super) fn code_secret(&self, fingerprint: &[u8; 12]) -> Secret {
        crypto::extract("recovery", self.0.as_slice()).expand("code", &[fingerprint])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{InviteCode, Phrase};
    use crate::group::seal::Suite;

    #[test]
    fn a_phrase_has_another_code_in_each_group_and_always_the_same_there() {
        let code = |entropy: u8, group: u8| {
            InviteCode::of_phrase(&Phrase::new([entropy; 16]), [group; 12], Suite::Classical, Vec::new())
        };
        let key = |code: &InviteCode| code.keys().public();
        assert_eq!(key(&code(1, 1)), key(&code(1, 1)));
        assert_ne!(key(&code(1, 1)), key(&code(1, 2)));
        assert_ne!(key(&code(1, 1)), key(&code(2, 1)));
        assert_eq!(InviteCode::parse(&code(1, 1).to_text()), Ok(code(1, 1)), "it can be typed like any code");
    }
}
