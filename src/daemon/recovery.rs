//! Recovery phrases in words (BIP 39): twelve of them, which say 128 bits and a checksum.

use bip39::{Language, Mnemonic};
use piquet_protocol::group::invite::Phrase;
use rand_core::Rng;
use zeroize::Zeroizing;

use super::profile;
use crate::control::Failure;
use crate::control::request::Words;

/// Words of a phrase.
pub const WORDS: usize = 12;
/// Longest phrase as typed, in bytes.
const MAX: usize = 512;

/// A fresh phrase, in French words or in English ones.
///
/// # Errors
/// None that a person can meet.
pub fn fresh(french: bool) -> Result<Words, Failure> {
    let mut entropy = Zeroizing::new([0; 16]);
    profile::os_rng().fill_bytes(entropy.as_mut_slice());
    let language = if french { Language::French } else { Language::English };
    let words = Mnemonic::from_entropy_in(language, entropy.as_slice());
    words.map(|words| Words(words.to_string())).map_err(|_| bad())
}

/// A phrase as typed, in any language that there is a list of, whatever the spaces and capitals.
///
/// # Errors
/// `bad_phrase` if it is none: a word is unknown, or the last one does not fit the others.
pub fn read(typed: &Words) -> Result<Phrase, Failure> {
    if typed.0.len() > MAX {
        return Err(bad());
    }
    let spaced = Zeroizing::new(typed.0.split_whitespace().collect::<Vec<_>>().join(" "));
    let typed = Zeroizing::new(spaced.to_lowercase());
    let phrase = Mnemonic::parse(typed.as_str()).map_err(|_| bad())?;
    let (entropy, length) = phrase.to_entropy_array();
    let entropy = Zeroizing::new(entropy);
    match entropy.first_chunk::<16>() {
        Some(entropy) if length == entropy.len() => Ok(Phrase::new(*entropy)),
        _ => Err(bad()),
    }
}

/// Whether somebody typed the word of a phrase at a place (from 0), with or without its capitals, its accents in
/// whatever form.
pub fn has_word(phrase: &Words, at: usize, typed: &str) -> bool {
    let mut words: Vec<&str> = phrase.0.split(' ').collect();
    let Some(word) = words.get_mut(at) else { return false };
    *word = typed.trim();
    let said = Words(words.join(" "));
    matches!((read(&said), read(phrase)), (Ok(said), Ok(phrase)) if said == phrase)
}

fn bad() -> Failure {
    Failure::new("bad_phrase", 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_read_as_it_was_shown_however_it_is_typed() {
        for french in [false, true] {
            let shown = fresh(french).unwrap();
            assert_eq!(shown.0.split(' ').count(), WORDS);
            let typed = Words(format!("  {}\n", shown.0.to_uppercase().replace(' ', "   ")));
            let (one, other) = (read(&shown).unwrap(), read(&typed).unwrap());
            assert!(one == other && one != read(&fresh(french).unwrap()).unwrap());
        }
    }

    #[test]
    fn a_word_is_known_again_in_capitals_and_with_accents_of_either_form() {
        let accented = |words: &Words| words.0.split(' ').position(|word| word.contains("e\u{301}"));
        let (phrase, at) = std::iter::repeat_with(|| fresh(true).unwrap())
            .find_map(|words| accented(&words).map(|at| (words, at)))
            .unwrap();
        let word = phrase.0.split(' ').nth(at).unwrap();
        let composed = word.replace("e\u{301}", "é");
        for typed in [word, &composed, &format!(" {}\n", composed.to_uppercase())] {
            assert!(has_word(&phrase, at, typed), "{typed}");
        }
        let other = phrase.0.split(' ').find(|other| *other != word).unwrap();
        let cut: String = composed.chars().skip(1).collect();
        for wrong in ["", "zebra", &cut, other] {
            assert!(!has_word(&phrase, at, wrong), "{wrong}");
        }
        assert!(!has_word(&phrase, WORDS, word));
    }

    #[test]
    fn a_word_that_is_wrong_missing_or_swapped_is_noticed() {
        let known = "legal winner thank year wave sausage worth useful legal winner thank yellow";
        let read = |text: &str| read(&Words(text.to_owned()));
        assert!(read(known) == Ok(Phrase::new([0x7f; 16])), "the first vector of BIP 39 that is not zeros");
        let wrong = known.replace("yellow", "zebra");
        let short = known.trim_end_matches(" yellow").to_owned();
        let swapped = known.replacen("legal winner", "winner legal", 1);
        let long = "zoo ".repeat(23) + "vote";
        for text in [wrong, short, swapped, long, String::new(), "é".repeat(600)] {
            assert!(read(&text).is_err_and(|failure| failure.code == "bad_phrase"), "{text}");
        }
    }
}
