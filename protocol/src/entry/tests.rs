mod two_keys;

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::crypto::Secret;

const GROUP: GroupId = GroupId([1; 32]);
const EPOCH: EpochId = EpochId([2; 32]);

fn alice() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn chat_key() -> ClassKey {
    ClassKey(Secret::new([4; 32]))
}

fn body(text: &str) -> Body {
    Body { kind: 32, schema: 1, time: 9, language: Language(2), payload: text.as_bytes().to_vec() }
}

fn header(seq: u32) -> Header {
    let prev = if seq == 1 { EntryId::default() } else { EntryId([5; 32]) };
    Header::new(Class::Chat, &crypto::device_key(&alice()), &EPOCH, seq, prev)
}

fn entry(seq: u32, text: &str) -> Entry {
    author_entry(&GROUP, &EPOCH, &alice(), header(seq), &chat_key(), &body(text)).unwrap()
}

fn verify(bytes: &[u8]) -> Option<Entry> {
    let device = crypto::device_key(&alice());
    UnverifiedEntry::decode(bytes).ok()?.verify(&GROUP, &device, &EPOCH)
}

#[test]
fn an_entry_survives_the_wire_and_opens() {
    let sent = entry(1, "salut");
    let received = verify(sent.bytes()).unwrap();
    assert_eq!(received, sent);
    assert_eq!(received.open(&GROUP, &chat_key()).unwrap(), body("salut"));
}

#[test]
fn a_300_byte_message_with_one_cite_is_520_bytes() {
    let mut header = header(2);
    header.act_cites = vec![EntryId([6; 32])];
    let body = Body { payload: vec![b'x'; 300], ..body("") };
    let entry = author_entry(&GROUP, &EPOCH, &alice(), header, &chat_key(), &body).unwrap();
    assert_eq!(entry.bytes().len(), 520);
}

#[test]
fn every_flipped_bit_is_noticed() {
    let sent = entry(2, "grève");
    for bit in 0..sent.bytes().len() * 8 {
        let mut bytes = sent.bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&bytes).is_none(), "bit {bit}");
    }
}

#[test]
fn every_truncation_is_noticed() {
    let sent = entry(2, "grève");
    for len in 0..sent.bytes().len() {
        assert!(verify(&sent.bytes()[..len]).is_none(), "{len} bytes");
    }
}

#[test]
fn an_entry_belongs_to_one_group_device_and_epoch() {
    let sent = entry(1, "salut");
    let device = sent.device();
    let decode = || UnverifiedEntry::decode(sent.bytes()).unwrap();
    // The hints are equal, the full names are not.
    let mut twin = EPOCH;
    twin.0[31] ^= 1;
    assert!(decode().verify(&GROUP, &device, &twin).is_none());
    assert!(decode().verify(&GroupId([9; 32]), &device, &EPOCH).is_none());
    let mut mallory = device;
    mallory.0[31] ^= 1;
    assert!(decode().verify(&GROUP, &mallory, &EPOCH).is_none());
}

#[test]
fn a_body_signed_again_by_another_does_not_open() {
    let sent = entry(1, "salut");
    let mallory = SigningKey::from_bytes(&[8; 32]);
    let device = crypto::device_key(&mallory);
    let mut bytes = sent.bytes().to_vec();
    bytes.truncate(bytes.len() - SIGNATURE_LEN);
    bytes[2..10].copy_from_slice(&device.hint());
    let signed = signed_bytes(&GROUP, &device, &EPOCH, &bytes);
    bytes.extend_from_slice(&crypto::sign(&mallory, &signed));
    let stolen = UnverifiedEntry::decode(&bytes).unwrap().verify(&GROUP, &device, &EPOCH).unwrap();
    assert_eq!(stolen.open(&GROUP, &chat_key()), Err(OpenError::OtherKey));
}

#[test]
fn two_texts_at_one_seq_share_no_key_stream() {
    // A rolled-back profile seals twice under one key and nonce: a synthetic IV keeps the texts apart.
    let (one, two) = (entry(1, "texte un"), entry(1, "texte deux"));
    let xor = |a: &Entry, b: &Entry| {
        let (a, b) = (a.parts().unwrap().ciphertext.to_vec(), b.parts().unwrap().ciphertext.to_vec());
        a.iter().zip(&b).filter(|(a, b)| a == b).count()
    };
    assert!(xor(&one, &two) < 8, "ciphertexts of near-equal texts must look unrelated");
    assert_eq!(entry(1, "texte un").bytes(), one.bytes(), "equality is all that shows");
}

#[test]
fn a_disclosed_key_opens_its_entry_alone() {
    let (one, two) = (entry(1, "un"), entry(2, "deux"));
    let key = chat_key().entry_key(&one.device(), Lane::Talk, 1);
    assert_eq!(one.open_disclosed(&GROUP, &key).unwrap(), body("un"));
    assert_eq!(two.open_disclosed(&GROUP, &key), Err(OpenError::OtherKey));
}

#[test]
fn a_key_other_than_the_committed_one_is_refused_before_decryption() {
    let other = ClassKey(Secret::new([7; 32]));
    assert_eq!(entry(1, "un").open(&GROUP, &other), Err(OpenError::OtherKey));
}

#[test]
fn headers_that_break_a_rule_of_shape_are_refused() {
    let key = crypto::device_key(&alice());
    let act = Header::new(Class::Control, &key, &EPOCH, 1, EntryId::default());
    let cite = EntryId([1; 32]);
    let broken = [
        Header { seq: 0, ..act.clone() },
        Header { seq: 2, ..act.clone() },
        Header { prev: cite, ..act.clone() },
        Header { lane: Lane::Talk, ..act.clone() },
        Header { talk_cites: vec![cite], ..act.clone() },
        Header { act_cites: vec![cite, cite], ..act.clone() },
        Header { act_cites: vec![EntryId([2; 32]), cite], ..act.clone() },
        Header { act_cites: vec![EntryId::default()], ..act.clone() },
        Header { act_cites: (1..=65).map(|i| EntryId([i; 32])).collect(), ..act.clone() },
        Header { class: Class::Beacon, lane: Lane::Beacon, act_cites: vec![cite], ..act.clone() },
    ];
    assert!(act.check().is_ok());
    for header in broken {
        assert!(header.check().is_err(), "{header:?}");
        let bytes = [header.encode(), vec![0; 32 + 16 + 64 + 64]].concat();
        assert!(UnverifiedEntry::decode(&bytes).is_err(), "{header:?}");
    }
    let good = [act.encode(), vec![0; 32 + 16 + 64 + 64]].concat();
    assert!(UnverifiedEntry::decode(&good).is_ok());
}

#[test]
fn a_length_that_tells_more_than_its_bucket_is_refused() {
    let sized = |length: usize| {
        let bytes = [header(1).encode(), vec![0; 32 + 16 + length + 64]].concat();
        UnverifiedEntry::decode(&bytes).map(|_| ())
    };
    for length in [0, 1, 63, 65, 100, 513, 575, 1025] {
        assert_eq!(sized(length), Err(DecodeError::NotCanonical), "{length}");
    }
    for length in [64, 128, 512, 544, 1024, 1088] {
        assert_eq!(sized(length), Ok(()), "{length}");
    }
    assert_eq!(sized(65 * 1024), Err(DecodeError::TooLarge));
}

/// Entries of every shape that decodes.
fn entries() -> impl Strategy<Value = Entry> {
    let ids = |most| proptest::collection::btree_set(any::<[u8; 32]>(), 0..most);
    let class = (0usize..5).prop_map(|number| Class::ALL[number]);
    let payload = proptest::collection::vec(any::<u8>(), 0..2000);
    (class, any::<u32>(), any::<[u8; 32]>(), ids(6), ids(4), payload, any::<(u16, u8, u32, u8)>()).prop_map(
        |(class, seq, prev, acts, talk, payload, (kind, schema, time, language))| {
            let cites = |ids: BTreeSet<[u8; 32]>| ids.into_iter().map(EntryId).collect();
            let seq = seq.max(1);
            let first = seq == 1 || class == Class::Beacon;
            let prev = if first { EntryId::default() } else { EntryId(prev) };
            let mut header = Header::new(class, &crypto::device_key(&alice()), &EPOCH, seq, prev);
            if class != Class::Beacon {
                header.act_cites = cites(acts);
            }
            if class.lane() == Lane::Talk {
                header.talk_cites = cites(talk);
            }
            let body = Body { kind, schema, time, language: Language(language), payload };
            author_entry(&GROUP, &EPOCH, &alice(), header, &chat_key(), &body).unwrap()
        },
    )
}

proptest! {
    #[test]
    fn an_entry_decodes_to_itself_and_its_header_has_one_encoding(entry in entries()) {
        let again = UnverifiedEntry::decode(entry.bytes()).unwrap();
        prop_assert_eq!(again.bytes(), entry.bytes());
        let header = again.header().encode();
        prop_assert_eq!(&entry.bytes()[..header.len()], header.as_slice());
        prop_assert_eq!(verify(entry.bytes()), Some(entry));
    }

    #[test]
    fn any_bytes_decode_to_what_they_encode_or_not_at_all(
        entry in entries(),
        at in any::<prop::sample::Index>(),
        with: u8,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = entry.bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(decoded) = UnverifiedEntry::decode(&bytes) {
            let header = decoded.header().encode();
            prop_assert_eq!(&bytes[..header.len()], header.as_slice());
        }
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(verify(&bytes).is_none());
    }

    #[test]
    fn garbage_is_no_entry_of_anyones(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
        prop_assert!(verify(&bytes).is_none());
    }

    #[test]
    fn a_padded_body_has_one_form(bytes in proptest::collection::vec(any::<u8>(), 0..200), length: u8) {
        let mut padded = bytes;
        padded.resize(64, 0);
        padded[8..10].copy_from_slice(&[0, length % 70]);
        if let Ok(body) = Body::unpad(&padded) {
            prop_assert_eq!(body.pad().unwrap(), padded);
        }
    }
}
