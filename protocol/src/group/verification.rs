//! What two members read to one another in person (spec membership, M-21).

use crate::crypto;
use crate::group::invite::syllables;
use crate::id::{GroupId, MemberId};

/// Six words that a member reads out and another hears: 72 bits of who both are in which group. The two halves of
/// a meeting differ, so that nobody can type what is on his own screen.
pub fn reading(group: &GroupId, reader: &MemberId, listener: &MemberId) -> String {
    let parts: [&[u8]; 3] = [group.as_bytes(), &reader.0, &listener.0];
    let hash = crypto::hash("verify", &parts);
    syllables(hash.first_chunk::<12>().map_or(&[], |read| read.as_slice()))
}

/// Whether what was heard is what should be, however it is spaced and capitalised.
pub fn is_reading(heard: &str, expected: &str) -> bool {
    let letters = |text: &str| -> String {
        let letters = text.chars().take(128).filter(char::is_ascii_alphabetic);
        letters.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    letters(heard) == letters(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_reads_is_not_what_he_hears() {
        let (group, alice, bob) = (GroupId([1; 32]), MemberId([2; 32]), MemberId([3; 32]));
        let read = reading(&group, &alice, &bob);
        assert_eq!(read.split('-').map(str::len).collect::<Vec<_>>(), [4; 6]);
        for other in [
            reading(&group, &bob, &alice),
            reading(&GroupId([4; 32]), &alice, &bob),
            reading(&group, &alice, &MemberId([5; 32])),
        ] {
            assert!(!is_reading(&other, &read));
        }
        assert!(is_reading(&read.to_uppercase().replace('-', "  "), &read));
        assert!(!is_reading("", &read) && !is_reading(&read[..24], &read));
    }
}
