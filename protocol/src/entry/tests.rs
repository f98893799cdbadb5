use super::*;
use crate::crypto::Secret;
use ed25519_dalek::SigningKey;

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
    }
}
