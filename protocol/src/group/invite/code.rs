//! The code itself: 31 bytes and address hints in Bech32m (BIP 350), upper case for QR (I-1, I-2).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32m, Hrp};
use ed25519_dalek::SigningKey;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::phrase::Phrase;
use crate::codec::{DecodeError, Reader};
use crate::crypto::{self, Secret};
use crate::group::seal::Suite;
use crate::id::{DeviceKey, GroupId};
use crate::time::Timestamp;

/// Longest code in characters.
pub const MAX_CODE: usize = 700;

const PREFIX: &str = "pq";
const VERSION: u8 = 1 << 4;
/// Flag of a group of the hybrid suite (I-1).
const HYBRID: u8 = 1;
const BARE: usize = 31;
/// 2020-01-01T00:00:00Z.
const EPOCH_SECS: u64 = 1_577_836_800;
const DAY: u64 = 86_400;
const MAX_HINTS: usize = 4;

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CodeError {
    /// A character is wrong or missing: the checksum says so.
    #[error("mistyped or incomplete")]
    Mistyped,
    /// Made by a newer version.
    #[error("made by a newer version")]
    Newer,
    /// Well typed, but no code.
    #[error("not a code: {0}")]
    Malformed(#[from] DecodeError),
}

/// Where a door-opener may be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Type 1: an IPv4 address and TCP port.
    V4(Ipv4Addr, u16),
    /// Type 2: an IPv6 address and TCP port.
    V6(Ipv6Addr, u16),
    /// Type 4: a name, with its port, of at most 100 bytes.
    Name(String, u16),
}

impl Hint {
    /// The libp2p address, without a peer id.
    pub fn multiaddr(&self) -> String {
        match self {
            Self::V4(ip, port) => format!("/ip4/{ip}/tcp/{port}"),
            Self::V6(ip, port) => format!("/ip6/{ip}/tcp/{port}"),
            Self::Name(name, port) => format!("/dns/{name}/tcp/{port}"),
        }
    }

    /// The hint of a libp2p TCP address, if it has one of the known forms.
    pub fn from_multiaddr(address: &str) -> Option<Self> {
        let mut parts = address.split('/').skip(1);
        let (kind, host, tcp, port) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let port = port.parse().ok()?;
        match (kind, tcp) {
            ("ip4", "tcp") => Some(Self::V4(host.parse().ok()?, port)),
            ("ip6", "tcp") => Some(Self::V6(host.parse().ok()?, port)),
            ("dns" | "dns4" | "dns6", "tcp") if is_name(host) => Some(Self::Name(host.to_owned(), port)),
            _ => None,
        }
    }

    fn push(&self, out: &mut Vec<u8>) {
        let (kind, host, port) = match self {
            Self::V4(ip, port) => (1, ip.octets().to_vec(), port),
            Self::V6(ip, port) => (2, ip.octets().to_vec(), port),
            Self::Name(name, port) => (4, [&[name.len() as u8], name.as_bytes()].concat(), port),
        };
        out.push(kind);
        out.extend_from_slice(&host);
        out.extend_from_slice(&port.to_be_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            1 => Ok(Self::V4(Ipv4Addr::from(reader.array::<4>()?), reader.u16()?)),
            2 => Ok(Self::V6(Ipv6Addr::from(reader.array::<16>()?), reader.u16()?)),
            4 => {
                let length = usize::from(reader.u8()?);
                let name = std::str::from_utf8(reader.bytes(length)?).map_err(|_| DecodeError::Value)?;
                if is_name(name) {
                    Ok(Self::Name(name.to_owned(), reader.u16()?))
                } else {
                    Err(DecodeError::Value)
                }
            }
            _ => Err(DecodeError::Value),
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

/// An invite code. Whoever sees it can use it; it is never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteCode {
    secret: Zeroizing<[u8; 16]>,
    /// First 12 bytes of the group's id.
    pub fingerprint: [u8; 12],
    /// Days since 2020-01-01, rounded up; the invite act holds the second that binds.
    expiry_day: u16,
    /// The group's suite: what a request has to bring a key package of.
    pub suite: Suite,
    /// Where to look for a door-opener.
    pub hints: Vec<Hint>,
}

impl InviteCode {
    /// A fresh code for a group.
    pub fn generate(
        group: &GroupId,
        suite: Suite,
        expires: Timestamp,
        hints: Vec<Hint>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Self {
        let mut secret = Zeroizing::new([0; 16]);
        rng.fill_bytes(secret.as_mut_slice());
        let days = expires.as_secs().saturating_sub(EPOCH_SECS).div_ceil(DAY);
        let expiry_day = u16::try_from(days).unwrap_or(u16::MAX);
        let hints = hints.into_iter().take(MAX_HINTS).collect();
        Self { secret, fingerprint: group.fingerprint(), expiry_day, suite, hints }
    }

    /// The code of a recovery phrase in a group (I-12): nobody keeps it, whoever has the phrase makes it again.
    pub fn of_phrase(phrase: &Phrase, fingerprint: [u8; 12], suite: Suite, hints: Vec<Hint>) -> Self {
        let derived = phrase.code_secret(&fingerprint);
        let mut secret = Zeroizing::new([0; 16]);
        secret.copy_from_slice(derived.as_bytes().split_at(16).0);
        Self { secret, fingerprint, expiry_day: u16::MAX, suite, hints }
    }

    /// Reads a code as typed: either case, spaces and dashes between characters allowed; otherwise a
    /// code has one text.
    ///
    /// # Errors
    /// See [`CodeError`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        if text.len() > MAX_CODE {
            return Err(DecodeError::TooLarge.into());
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let checked = CheckedHrpstring::new::<Bech32m>(&text).map_err(|_| CodeError::Mistyped)?;
        if !checked.hrp().to_lowercase().eq(PREFIX) {
            return Err(DecodeError::Value.into());
        }
        let bytes = Zeroizing::new(checked.byte_iter().collect::<Vec<u8>>());
        let mut reader = Reader::new(&bytes);
        let suite = match reader.u8()? {
            VERSION => Suite::Classical,
            hybrid if hybrid == VERSION | HYBRID => Suite::Hybrid,
            _ => return Err(CodeError::Newer),
        };
        let mut code = Self {
            suite,
            secret: Zeroizing::new(reader.array()?),
            fingerprint: reader.array()?,
            expiry_day: reader.u16()?,
            hints: Vec::new(),
        };
        while !reader.rest().is_empty() {
            if code.hints.len() == MAX_HINTS {
                return Err(DecodeError::TooLarge.into());
            }
            code.hints.push(Hint::read(&mut reader)?);
        }
        // Bech32m's last character has bits that no byte takes up.
        if code.to_text() == text.to_uppercase() { Ok(code) } else { Err(DecodeError::NotCanonical.into()) }
    }

    /// The code for paper and QR: Bech32m in upper case.
    pub fn to_text(&self) -> String {
        let mut bytes = self.bare();
        for hint in &self.hints {
            hint.push(&mut bytes);
        }
        let hrp = Hrp::parse_unchecked(PREFIX);
        bech32::encode_upper::<Bech32m>(hrp, &bytes).unwrap_or_default()
    }

    /// The end of the last day on which the code can be valid.
    pub fn expires(&self) -> Timestamp {
        Timestamp::from_secs(EPOCH_SECS.saturating_add(u64::from(self.expiry_day) * DAY))
    }

    /// See [`words`].
    pub fn words(&self) -> String {
        words(&self.fingerprint)
    }

    /// What follows from the code (I-2).
    pub fn keys(&self) -> InviteKeys {
        let prk = crypto::extract("invite", &self.bare());
        InviteKeys {
            sign: SigningKey::from_bytes(prk.expand("sign", &[]).as_bytes()),
            request: prk.expand("request", &[]),
            mailbox: prk.expand("mailbox", &[]),
            peer: prk.expand("peer", &[]),
        }
    }

    /// The whole code without hints: every bit of it changes every key.
    fn bare(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BARE);
        out.push(if self.suite == Suite::Hybrid { VERSION | HYBRID } else { VERSION });
        out.extend_from_slice(self.secret.as_slice());
        out.extend_from_slice(&self.fingerprint);
        out.extend_from_slice(&self.expiry_day.to_be_bytes());
        out
    }
}

/// Four words of a group's fingerprint, to compare by voice before joining (I-10).
pub fn words(fingerprint: &[u8; 12]) -> String {
    syllables(fingerprint.split_at(8).0)
}

/// Bytes to be read aloud, six bits of each, two a word.
pub fn syllables(bytes: &[u8]) -> String {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    const VOWELS: &[u8; 4] = b"aiou";
    let letter = |set: &[u8], at: u8| set.get(usize::from(at)).copied().map_or('?', char::from);
    let syllable = |byte: &u8| [letter(CONSONANTS, byte >> 4), letter(VOWELS, byte & 3)];
    let word = |pair: &[u8]| pair.iter().flat_map(syllable).collect::<String>();
    bytes.chunks(2).map(word).collect::<Vec<_>>().join("-")
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InviteCode({} hints)", self.hints.len())
    }
}

/// The keys of a code.
#[derive(Clone)]
pub struct InviteKeys {
    /// i_sk: signs requests; its public half is in the invite act.
    pub sign: SigningKey,
    /// Seals requests.
    pub request: Secret,
    /// Seek key of the code's mailbox.
    pub mailbox: Secret,
    /// Handshake key of the joiner.
    pub peer: Secret,
}

impl InviteKeys {
    /// I_pk.
    pub fn public(&self) -> DeviceKey {
        crypto::device_key(&self.sign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    fn code(hints: Vec<Hint>) -> InviteCode {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        InviteCode::generate(
            &GroupId([7; 32]),
            Suite::Classical,
            Timestamp::from_secs(EPOCH_SECS + DAY + 1),
            hints,
            &mut rng,
        )
    }

    #[test]
    fn lengths_are_as_the_paper_says() {
        assert_eq!(code(vec![]).to_text().len(), 59);
        assert_eq!(code(vec![Hint::V4(Ipv4Addr::LOCALHOST, 4001)]).to_text().len(), 70);
    }

    #[test]
    fn a_code_can_be_retyped_in_either_case_and_in_groups_of_four() {
        let code = code(vec![
            Hint::V4(Ipv4Addr::LOCALHOST, 4001),
            Hint::V6(Ipv6Addr::LOCALHOST, 1),
            Hint::Name("node.example".into(), 9),
        ]);
        let text = code.to_text();
        assert_eq!(text, text.to_uppercase());
        let spoken =
            text.as_bytes().chunks(4).map(|c| std::str::from_utf8(c).unwrap()).collect::<Vec<_>>().join(" ");
        for typed in [text.clone(), text.to_lowercase(), spoken] {
            assert_eq!(InviteCode::parse(&typed), Ok(code.clone()));
        }
    }

    #[test]
    fn every_mistyped_character_is_noticed() {
        let text = code(vec![]).to_text();
        for at in 0..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'Q' { b'P' } else { b'Q' };
            assert!(InviteCode::parse(std::str::from_utf8(&wrong).unwrap()).is_err(), "character {at}");
        }
        let mixed = format!("{}{}", &text[..20], text[20..].to_lowercase());
        assert_eq!(InviteCode::parse(&mixed), Err(CodeError::Mistyped));
    }

    #[test]
    fn garbage_is_refused_without_panic() {
        for text in ["", "PQ1", "hello", &"Q".repeat(5000), "pq1\u{fe0f}"] {
            assert!(InviteCode::parse(text).is_err());
        }
    }

    #[test]
    fn a_code_has_one_text() {
        use bech32::Fe32;
        use bech32::primitives::iter::Fe32IterExt;
        let text = code(vec![]).to_text();
        let letters: Vec<char> = text[3..text.len() - 6].chars().collect();
        let (last, rest) = letters.split_last().unwrap();
        let hrp = Hrp::parse_unchecked(PREFIX);
        let mut taken = 0;
        for spare in 0..32u8 {
            let letter = Fe32::try_from(spare).unwrap();
            let data = rest.iter().map(|c| Fe32::from_char(*c).unwrap()).chain([letter]);
            let other: String = data.with_checksum::<Bech32m>(&hrp).chars().collect();
            let same_bytes = spare >> 2 == Fe32::from_char(*last).unwrap().to_u8() >> 2;
            let parsed = InviteCode::parse(&other);
            assert_eq!(parsed.as_ref() == Ok(&code(vec![])), other.to_uppercase() == text);
            taken += u32::from(same_bytes && parsed.is_ok());
        }
        assert_eq!(taken, 1, "three more texts say the same bytes");
        let longer: String = letters
            .iter()
            .map(|c| Fe32::from_char(*c).unwrap())
            .chain([Fe32::try_from(0u8).unwrap()])
            .with_checksum::<Bech32m>(&hrp)
            .chars()
            .collect();
        assert!(InviteCode::parse(&longer).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_code_is_typed_back(hosts in proptest::collection::vec((0u8..3, proptest::prelude::any::<(u128, u16)>()), 0..4)) {
            let hint = |(kind, (host, port)): (u8, (u128, u16))| match kind {
                0 => Hint::V4(Ipv4Addr::from(host as u32), port),
                1 => Hint::V6(Ipv6Addr::from(host), port),
                _ => Hint::Name(format!("node{host}.example"), port),
            };
            let code = code(hosts.into_iter().map(hint).collect());
            proptest::prop_assert_eq!(InviteCode::parse(&code.to_text()), Ok(code));
        }

        #[test]
        fn any_bytes_are_one_codes_or_nobodys(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..90)) {
            let bytes = [&[VERSION], bytes.as_slice()].concat();
            let text = bech32::encode_upper::<Bech32m>(Hrp::parse_unchecked(PREFIX), &bytes).unwrap();
            if let Ok(code) = InviteCode::parse(&text) {
                proptest::prop_assert_eq!(code.to_text(), text);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,120}") {
            let _ = InviteCode::parse(&text);
            let _ = Hint::from_multiaddr(&text);
        }
    }

    #[test]
    fn expiry_is_rounded_up_and_bound_into_the_keys() {
        let code = code(vec![]);
        assert_eq!(code.expires(), Timestamp::from_secs(EPOCH_SECS + 2 * DAY));
        let later = InviteCode { expiry_day: code.expiry_day + 1, ..code.clone() };
        assert_ne!(later.keys().public(), code.keys().public(), "an altered expiry is another code");
        let moved = InviteCode { hints: vec![Hint::V4(Ipv4Addr::LOCALHOST, 1)], ..code.clone() };
        assert_eq!(moved.keys().public(), code.keys().public(), "hints are not part of the secret");
    }

    #[test]
    fn addresses_round_trip() {
        for address in ["/ip4/127.0.0.1/tcp/4001", "/ip6/::1/tcp/1", "/dns/node.example/tcp/9"] {
            assert_eq!(Hint::from_multiaddr(address).unwrap().multiaddr(), address);
        }
        assert_eq!(Hint::from_multiaddr("/ip4/127.0.0.1/udp/1/quic-v1"), None);
        assert_eq!(Hint::from_multiaddr(""), None);
    }
}
