//! Codes, what follows from them, and requests made with them (I-1 … I-5).

use std::net::{Ipv4Addr, Ipv6Addr};

use bech32::{Bech32, Bech32m, Hrp};
use ed25519_dalek::SigningKey;
use piquet_protocol::crypto::{self, Secret};
use piquet_protocol::group::invite::{
    Hint, InviteCode, InviteKeys, JoinRequest, Phrase, RequestError, proof_message,
};
use piquet_protocol::group::operation::{Control, DeviceDrop, Invite};
use piquet_protocol::group::seal::Suite;
use piquet_protocol::group::verification::reading;
use piquet_protocol::id::{DeviceKey, GroupId, MemberId};
use piquet_protocol::sim::SeededRng;
use serde_json::{Value, json};

use crate::file::{array, bytes, committed, hex, list, number, text};

const GROUP: GroupId = GroupId([7; 32]);
const DEVICE: DeviceKey = DeviceKey([3; 32]);

fn bare() -> Vec<u8> {
    let mut out = vec![0x10];
    out.extend_from_slice(&[0x51; 16]);
    out.extend_from_slice(&GROUP.fingerprint());
    out.extend_from_slice(&4000u16.to_be_bytes());
    out
}

fn upper(prefix: &str, bytes: &[u8]) -> String {
    bech32::encode_upper::<Bech32m>(Hrp::parse(prefix).unwrap(), bytes).unwrap()
}

fn code(rule: &str, name: &str, hints: &[u8]) -> Value {
    let text = upper("pq", &[bare(), hints.to_vec()].concat());
    let code = InviteCode::parse(&text).unwrap();
    let keys = code.keys();
    json!({
        "rule": rule, "name": name, "code": text, "secret": hex([0x51; 16]), "fingerprint": hex(code.fingerprint),
        "day": 4000, "until": code.expires().as_secs(), "words": code.words(),
        "hints": code.hints.iter().map(Hint::multiaddr).collect::<Vec<_>>(),
        "sign_seed": hex(keys.sign.to_bytes()), "public": hex(keys.public().0), "request": hex(keys.request.as_bytes()),
        "mailbox": hex(keys.mailbox.as_bytes()), "peer": hex(keys.peer.as_bytes()),
    })
}

fn codes() -> Vec<Value> {
    let v4 = [&[1], Ipv4Addr::new(203, 0, 113, 9).octets().as_slice(), &4001u16.to_be_bytes()].concat();
    let v6 = [&[2], Ipv6Addr::LOCALHOST.octets().as_slice(), &[0, 1]].concat();
    let name = [&[4, 12], b"node.example".as_slice(), &[0, 9]].concat();
    vec![
        code("I-1", "bare", &[]),
        code("I-1", "one IPv4 address", &v4),
        code("I-1", "three hints", &[v4.clone(), v6, name].concat()),
        code("I-1", "four hints", &v4.repeat(4)),
    ]
}

/// Of the code of another group.
fn words(fingerprint: &[u8]) -> String {
    InviteCode::parse(&upper("pq", &[&bare()[..17], fingerprint, &[0, 1]].concat())).unwrap().words()
}

fn typed() -> Vec<Value> {
    let text = upper("pq", &bare());
    let four: Vec<&str> = text.as_bytes().chunks(4).map(|c| std::str::from_utf8(c).unwrap()).collect();
    let of = |name: &str, typed: String| json!({"rule": "I-1", "name": name, "typed": typed, "code": text});
    vec![
        of("lower case", text.to_lowercase()),
        of("groups of four", four.join(" ")),
        of("dashes and a line feed", four.join("-") + "\n"),
    ]
}

fn refused_codes() -> Vec<Value> {
    let good = bare();
    let text = upper("pq", &good);
    let mut mistyped = text.clone().into_bytes();
    mistyped[10] = if mistyped[10] == b'Q' { b'P' } else { b'Q' };
    let other_first = |first: u8| upper("pq", &[&[first], &good[1..]].concat());
    let with = |hints: &[u8]| upper("pq", &[good.as_slice(), hints].concat());
    let of = |name: &str, text: String| json!({"rule": "I-1", "name": name, "error": InviteCode::parse(&text).unwrap_err().to_string(), "code": text});
    vec![
        of("a letter mistyped", String::from_utf8(mistyped).unwrap()),
        of("the last letter missing", text[..text.len() - 1].to_owned()),
        of("both cases", text[..20].to_owned() + &text[20..].to_lowercase()),
        of(
            "the checksum of Bech32",
            bech32::encode_upper::<Bech32>(Hrp::parse("pq").unwrap(), &good).unwrap(),
        ),
        of("another prefix", upper("pr", &good)),
        of("version 2", other_first(0x20)),
        of("a flag", other_first(0x18)),
        of("cut in the expiry", upper("pq", &good[..30])),
        of("hint of type 3", with(&[3; 36])),
        of("hint of type 0", with(&[0])),
        of("a hint cut short", with(&[1, 127, 0, 0, 1, 15])),
        of("five hints", with(&[1, 127, 0, 0, 1, 15, 161].repeat(5))),
        of("a name of no letters", with(&[4, 0, 0, 9])),
        of("a name with a slash", with(&[4, 3, b'a', b'/', b'b', 0, 9])),
        of("empty", String::new()),
        of("701 characters", "Q".repeat(701)),
    ]
}

fn keys() -> InviteKeys {
    InviteCode::parse(&upper("pq", &bare())).unwrap().keys()
}

fn good_request() -> JoinRequest {
    JoinRequest::sign(&keys(), &GROUP.fingerprint(), DEVICE, vec![5; 300])
}

fn sealed(request: &JoinRequest) -> Vec<u8> {
    request.seal(&keys().request, &mut SeededRng::new(4))
}

fn accepted_requests() -> Vec<Value> {
    let request = good_request();
    let message = proof_message(&GROUP, &keys().public(), &DEVICE, &request.key_package);
    vec![json!({
        "rule": "I-4", "name": "a request", "group": hex(GROUP.0), "invite": hex(keys().public().0), "request_key": hex(keys().request.as_bytes()),
        "device": hex(DEVICE.0), "key_package": hex(&request.key_package), "proof": hex(request.proof),
        "proof_message": hex(message), "sealed": hex(sealed(&request)),
    })]
}

fn refused_requests() -> Vec<Value> {
    let good = sealed(&good_request());
    let stranger = SigningKey::from_bytes(&[2; 32]);
    let message = proof_message(&GROUP, &keys().public(), &DEVICE, &[5; 300]);
    let by_other = JoinRequest { proof: crypto::sign(&stranger, &message), ..good_request() };
    let flipped = {
        let mut bytes = good.clone();
        bytes[100] ^= 1;
        bytes
    };
    let of = |rule: &str, name: &str, group: GroupId, invite: DeviceKey, key: &Secret, sealed: &[u8]| {
        json!({
            "rule": rule, "name": name, "group": hex(group.0), "invite": hex(invite.0), "request_key": hex(key.as_bytes()),
            "sealed": hex(sealed), "error": JoinRequest::open(sealed, key, &group, &invite).unwrap_err().to_string(),
        })
    };
    let (public, key) = (keys().public(), keys().request);
    let here = |rule, name, request: &JoinRequest| of(rule, name, GROUP, public, &key, &sealed(request));
    vec![
        of("I-4", "a byte flipped", GROUP, public, &key, &flipped),
        of("I-4", "a byte missing", GROUP, public, &key, &good[1..]),
        of("I-4", "another request key", GROUP, public, &Secret::new([0; 32]), &good),
        here(
            "I-4",
            "a key package of 3,501 bytes",
            &JoinRequest::sign(&keys(), &GROUP.fingerprint(), DEVICE, vec![5; 3501]),
        ),
        here("I-5", "for another device", &JoinRequest { device: DeviceKey([9; 32]), ..good_request() }),
        here("I-5", "with another key package", &JoinRequest { key_package: vec![6; 300], ..good_request() }),
        here("I-5", "signed by somebody who has not the code", &by_other),
        of("I-5", "in another group", GroupId([8; 32]), public, &key, &good),
        of("I-5", "by another code", GROUP, DeviceKey([1; 32]), &key, &good),
    ]
}

/// Invite acts by a device of this group: with their maker's proof, and with none that holds.
fn invite_acts(good: bool) -> Value {
    let keys = InviteCode::parse(&upper("pq", &bare())).unwrap().keys();
    let (issuer, other) = (DeviceKey([5; 32]), DeviceKey([6; 32]));
    let act = Invite::publish(&keys, &GROUP, &issuer, 3, 1_900_000_000);
    let of = |name: &str, group: &GroupId, issuer: &DeviceKey, act: &Invite| {
        assert_eq!(act.is_proven(group, issuer), good, "{name}");
        json!({"rule": "B-3", "name": name, "group": hex(group.0), "issuer": hex(issuer.0), "payload": hex(act.to_payload())})
    };
    if good {
        return json!([of("by who made the code", &GROUP, &issuer, &act)]);
    }
    let forged = Invite { proof: [0; 64].into(), ..act.clone() };
    json!([
        of("copied by another member", &GROUP, &other, &act),
        of("copied into another group", &GroupId([1; 32]), &issuer, &act),
        of("without the code", &GROUP, &issuer, &forged),
    ])
}

/// What two members read to one another, and one of them to a third.
fn readings() -> Vec<Value> {
    let members =
        [(1, 2), (2, 1), (1, 3)].map(|(reader, listener)| (MemberId([reader; 32]), MemberId([listener; 32])));
    let one = |(reader, listener): &(MemberId, MemberId)| {
        json!({
            "rule": "M-21", "group": hex(GROUP.as_bytes()), "reader": hex(reader.0), "listener": hex(listener.0),
            "words": reading(&GROUP, reader, listener),
        })
    };
    members.iter().map(one).collect()
}

/// What follows from a recovery phrase in two groups.
fn phrases() -> Vec<Value> {
    let one = |(entropy, fingerprint): &([u8; 16], [u8; 12])| {
        let code = InviteCode::of_phrase(&Phrase::new(*entropy), *fingerprint, Suite::Classical, Vec::new());
        json!({"rule": "I-12", "entropy": hex(entropy), "fingerprint": hex(fingerprint), "code": code.to_text()})
    };
    [([0; 16], [9; 12]), ([0xa5; 16], [9; 12]), ([0xa5; 16], GROUP.fingerprint())].iter().map(one).collect()
}

/// Drops of a device: signed by a phrase, or told by who wrote them; and what no phrase has signed.
fn drops(good: bool) -> Vec<Value> {
    let phrase = Phrase::new([0xa5; 16]);
    let keys = InviteCode::of_phrase(&phrase, GROUP.fingerprint(), Suite::Classical, Vec::new()).keys();
    let signed = DeviceDrop::by_phrase(&keys, &GROUP, DEVICE);
    let of = |name: &str, group: &GroupId, drop: &DeviceDrop| {
        assert_eq!(drop.is_proven(group), good, "{name}");
        json!({"rule": "B-22", "name": name, "group": hex(group.0), "payload": hex(drop.to_payload())})
    };
    if good {
        let own = DeviceDrop { device: DEVICE, phrase: None, proof: None };
        return vec![of("by the phrase", &GROUP, &signed), of("by its member", &GROUP, &own)];
    }
    vec![
        of("copied into another group", &GroupId([1; 32]), &signed),
        of("of another device", &GROUP, &DeviceDrop { device: DeviceKey([4; 32]), ..signed.clone() }),
        of("by another phrase", &GROUP, &DeviceDrop { phrase: Some(DEVICE), ..signed }),
    ]
}

fn made() -> Value {
    json!({
        "about": "Invite codes with what follows from them, and requests to join.",
        "words": [{"rule": "I-10", "fingerprint": hex(GROUP.fingerprint()), "words": InviteCode::parse(&upper("pq", &bare())).unwrap().words()},
                  {"rule": "I-10", "fingerprint": hex((0..12).map(|n| n * 23).collect::<Vec<u8>>()), "words": words(&(0..12).map(|n| n * 23).collect::<Vec<u8>>())}],
        "readings": readings(),
        "phrases": phrases(), "drops": drops(true), "refused_drops": drops(false),
        "accepted": codes(), "typed": typed(), "refused": refused_codes(),
        "acts": invite_acts(true), "refused_acts": invite_acts(false),
        "requests": accepted_requests(), "refused_requests": refused_requests(),
    })
}

#[test]
fn codes_are_as_written() {
    let file = committed("invite", &made());
    for vector in list(&file, "accepted") {
        let code = InviteCode::parse(text(vector, "code")).unwrap();
        assert_eq!(code.to_text(), text(vector, "code"));
        assert_eq!(code.expires().as_secs(), number(vector, "until"));
    }
    for vector in list(&file, "readings") {
        let [reader, listener] = ["reader", "listener"].map(|who| MemberId(array(vector, who)));
        assert_eq!(reading(&GroupId(array(vector, "group")), &reader, &listener), text(vector, "words"));
    }
    for vector in list(&file, "phrases") {
        let phrase = Phrase::new(array(vector, "entropy"));
        let code = InviteCode::of_phrase(&phrase, array(vector, "fingerprint"), Suite::Classical, Vec::new());
        assert_eq!(code.to_text(), text(vector, "code"));
    }
    for vector in list(&file, "typed") {
        assert_eq!(InviteCode::parse(text(vector, "typed")).unwrap().to_text(), text(vector, "code"));
    }
    for vector in list(&file, "refused") {
        let refused = InviteCode::parse(text(vector, "code")).unwrap_err();
        assert_eq!(refused.to_string(), text(vector, "error"), "{vector}");
    }
}

fn open(vector: &Value) -> Result<JoinRequest, RequestError> {
    let key = Secret::new(array(vector, "request_key"));
    JoinRequest::open(
        &bytes(vector, "sealed"),
        &key,
        &GroupId(array(vector, "group")),
        &DeviceKey(array(vector, "invite")),
    )
}

#[test]
fn requests_are_as_written() {
    let file = committed("invite", &made());
    for vector in list(&file, "requests") {
        assert_eq!(open(vector), Ok(good_request()));
    }
    for vector in list(&file, "refused_requests") {
        assert_eq!(open(vector).unwrap_err().to_string(), text(vector, "error"), "{vector}");
    }
}
