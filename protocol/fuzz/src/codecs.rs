//! Fixed-width formats, CBOR bodies, codes on paper.

use std::fmt::Debug;

use bech32::{Bech32m, Hrp};
use piquet_protocol::action::Action;
use piquet_protocol::action::beacon::Beacon;
use piquet_protocol::action::grievance::{Grievance, Support};
use piquet_protocol::action::message::Message as Chat;
use piquet_protocol::action::pledge::{PledgeAnswer, PledgeCount};
use piquet_protocol::action::strike::{Call, CallOff};
use piquet_protocol::codec::{DecodeError, check_canonical, from_cbor, to_cbor};
use piquet_protocol::crypto::{self, Secret};
use piquet_protocol::entry::UnverifiedEntry;
use piquet_protocol::group::invite::{InviteCode, JoinRequest};
use piquet_protocol::group::genesis::{Found, Genesis, GenesisParameters};
use piquet_protocol::group::operation::{
    Admit, Approve, Commit, Control, Dismiss, Empty, Invite, Move, Opened, Persons, Profile, Promote, Remove,
    Revoke, Rule,
};
use piquet_protocol::id::{DeviceKey, EntryId, EpochId, GroupId};
use piquet_protocol::sync::Message;

use crate::script::Script;

/// An entry's header has one encoding, and no bytes verify for a device that did not sign.
pub fn entry(data: &[u8]) {
    let Ok(entry) = UnverifiedEntry::decode(data) else { return };
    let header = entry.header().encode();
    assert_eq!(data.get(..header.len()), Some(header.as_slice()));
    assert_eq!(entry.bytes(), data);
    let (mut device, mut epoch) = ([7; 32], [9; 32]);
    device[..8].copy_from_slice(&entry.header().author_hint);
    epoch[..8].copy_from_slice(&entry.header().epoch_hint);
    let (group, device, epoch) = (GroupId([1; 32]), DeviceKey(device), EpochId(epoch));
    assert!(entry.id(&group, &device, &epoch).is_some());
    assert!(entry.verify(&group, &device, &epoch).is_none());
}

/// What passes the walk can be skipped by the reader as one item, whole.
pub fn cbor(data: &[u8]) {
    if check_canonical(data).is_ok() {
        let mut decoder = minicbor::Decoder::new(data);
        assert!(decoder.skip().is_ok());
        assert_eq!(decoder.position(), data.len());
    }
}

/// A body's own encoding is shortest: whatever else decodes to the same value has more fields.
fn one_form<T: PartialEq + Debug>(
    payload: &[u8],
    from: impl Fn(&[u8]) -> Result<T, DecodeError>,
    to: impl Fn(&T) -> Vec<u8>,
) {
    let Ok(value) = from(payload) else { return };
    let again = to(&value);
    assert!(again.len() < payload.len() || again == payload, "a second encoding of {value:?}");
    assert_eq!(from(&again), Ok(value));
}

/// Every body, chosen by the first byte.
pub fn body(data: &[u8]) {
    let mut script = Script::new(data);
    let which = script.byte();
    let bytes = script.rest();
    macro_rules! one_of {
        ($($number:literal $kind:ty,)*) => {
            match which % 28 {
                $($number => one_form::<$kind>(bytes, <$kind>::from_payload, <$kind>::to_payload),)*
                _ => one_form::<GenesisParameters>(bytes, |b| from_cbor(b, 40_960), to_cbor),
            }
        };
    }
    one_of! {
        0 Genesis, 1 Invite, 2 Admit, 3 Remove, 4 Revoke, 5 Empty, 6 Profile, 7 Commit, 8 Opened,
        9 Beacon, 10 Grievance, 11 Support, 12 Chat, 13 PledgeAnswer, 14 PledgeCount, 15 Call, 16 CallOff,
        17 Persons, 18 Promote, 19 Rule, 20 Dismiss, 21 Approve, 22 Found, 23 Move,
    }
    if let Ok(genesis) = Genesis::from_payload(bytes) {
        let _ = genesis.read();
    }
}

/// A code has one text (either case, spaces and dashes aside).
pub fn code(data: &[u8]) {
    let mut script = Script::new(data);
    let as_bytes = script.byte().is_multiple_of(2);
    let rest = script.rest();
    let text = if as_bytes {
        bech32::encode_upper::<Bech32m>(Hrp::parse_unchecked("pq"), rest).unwrap_or_default()
    } else {
        String::from_utf8_lossy(rest).into_owned()
    };
    let Ok(code) = InviteCode::parse(&text) else { return };
    let typed: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    assert_eq!(code.to_text(), typed.to_uppercase());
    let _ = (code.words(), code.expires(), code.keys());
    for hint in &code.hints {
        let _ = hint.multiaddr();
    }
}

/// A join request, sealed by somebody who has the code: one encoding, and signed or refused.
pub fn request(data: &[u8]) {
    const NONCE: [u8; 24] = [3; 24];
    let key = Secret::new([5; 32]);
    let (group, invite) = (GroupId([1; 32]), DeviceKey([2; 32]));
    assert!(JoinRequest::open(data, &key, &group, &invite).is_err());
    let mut plain = data.to_vec();
    plain.resize(4096 - 24 - crypto::BOX_OVERHEAD, 0);
    let sealed = [&NONCE[..], &crypto::seal_box(&key, &NONCE, b"join request", &plain)].concat();
    assert!(JoinRequest::open(&sealed, &key, &group, &invite).is_err());
}

/// A frame has one encoding (`Hello` has room for later fields).
pub fn frame(data: &[u8]) {
    match Message::decode(data) {
        Ok(Message::Hello { nonce }) => {
            let again = Message::Hello { nonce }.encode();
            assert_eq!(Message::decode(&again), Ok(Message::Hello { nonce }));
        }
        Ok(message) => assert_eq!(message.encode(), data),
        Err(_) => {}
    }
    let _ = EntryId::from_hex(&String::from_utf8_lossy(data));
}
