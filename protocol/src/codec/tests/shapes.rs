//! Bodies of every kind, within their bounds.

use super::*;
use crate::action::Action;
use crate::action::beacon::Beacon;
use crate::action::grievance::{
    AMOUNT_BASES, AMOUNT_KINDS, AMOUNT_PERIODS, Amount, CATEGORIES, Grievance, RHYTHMS, Support, SupportKind,
};
use crate::action::message::Message;
use crate::action::pledge::{PledgeAnswer, PledgeCount};
use crate::action::strike::{Call, CallOff, FORMS, Leg};
use crate::group::genesis::{Genesis, GenesisParameters};
use crate::group::membership::DeviceCode;
use crate::group::operation::{
    Admit, Commit, Control, DeviceDrop, Empty, Invite, Opened, OpenedEpoch, Profile, Remove, Revoke,
};

macro_rules! shape {
    ($kind:ident, $value:expr) => {
        Shape {
            name: stringify!($kind),
            payload: $value.to_payload(),
            again: |bytes| one($kind::from_payload(bytes), $kind::to_payload),
        }
    };
}

type Key = [u8; 32];

fn key() -> impl Strategy<Value = Key> {
    any::<Key>()
}

fn entry() -> impl Strategy<Value = EntryId> {
    key().prop_map(EntryId)
}

fn bytes(most: usize) -> impl Strategy<Value = ByteVec> {
    vec(any::<u8>(), 1..most).prop_map(ByteVec::from)
}

fn line() -> impl Strategy<Value = String> {
    "[a-zé½ -]{0,30}[a-z]"
}

fn boxed<S: Strategy<Value = Shape> + 'static>(shape: S) -> BoxedStrategy<Shape> {
    shape.boxed()
}

fn genesis() -> BoxedStrategy<Shape> {
    let parameters = (any::<u16>(), key(), key(), line()).prop_map(|(suite, founder, random, name)| {
        GenesisParameters::draft(suite, DeviceKey(founder), random, &name)
    });
    boxed((parameters, bytes(200), bytes(200)).prop_map(|(parameters, group_info, tree)| {
        shape!(Genesis, Genesis { parameters: to_cbor(&parameters).into(), group_info, tree, consents: None })
    }))
}

pub(super) fn operations() -> BoxedStrategy<Shape> {
    let kind = prop_oneof![Just(None), Just(Some(DeviceCode::Link)), Just(Some(DeviceCode::Recovery))];
    let invite = (key(), key(), key(), key(), 1u16.., any::<u32>(), kind);
    let admit = (key(), bytes(300), proptest::option::of((key(), any::<[u8; 32]>())));
    let opened = vec((key(), key()), 0..5);
    prop_oneof![
        genesis(),
        boxed(invite.prop_map(|(key, request, mailbox, peer, uses, expires, devices)| {
            let key = DeviceKey(key);
            let (request, mailbox, peer) = (request.into(), mailbox.into(), peer.into());
            let proof = [9; 64].into();
            shape!(Invite, Invite { key, request, mailbox, peer, uses, expires, proof, devices })
        })),
        boxed(admit.prop_map(|(device, key_package, code)| {
            let proof = code.map(|(_, half)| <[u8; 64]>::try_from([half, half].concat()).unwrap().into());
            let invite = code.map(|(key, _)| DeviceKey(key));
            shape!(Admit, Admit { device: DeviceKey(device), key_package, invite, proof })
        })),
        boxed(vec(key(), 1..5).prop_map(|members| {
            shape!(Remove, Remove { members: members.into_iter().map(DeviceKey).collect() })
        })),
        boxed((key(), proptest::option::of(key())).prop_map(|(device, phrase)| {
            let (phrase, proof) = (phrase.map(DeviceKey), phrase.map(|_| [9; 64].into()));
            shape!(DeviceDrop, DeviceDrop { device: DeviceKey(device), phrase, proof })
        })),
        boxed(key().prop_map(|invite| shape!(Revoke, Revoke { invite: DeviceKey(invite) }))),
        boxed(Just(()).prop_map(|()| shape!(Empty, Empty {}))),
        boxed(
            (line(), bytes(40))
                .prop_map(|(name, mail)| { shape!(Profile, Profile { name: name.trim().to_owned(), mail }) })
        ),
        boxed((bytes(300), btree_set(entry(), 0..5)).prop_map(|(message, operations)| {
            shape!(Commit, Commit { message, operations: operations.into_iter().collect() })
        })),
        boxed(opened.prop_map(|epochs| {
            let epoch =
                |(epoch, control): (Key, Key)| OpenedEpoch { epoch: EpochId(epoch), control: control.into() };
            shape!(Opened, Opened { epochs: epochs.into_iter().map(epoch).collect() })
        })),
    ]
    .boxed()
}

fn amount() -> impl Strategy<Value = Amount> {
    let basis = proptest::option::of(any::<prop::sample::Index>());
    (any::<prop::sample::Index>(), any::<u64>(), 0u8..5, any::<prop::sample::Index>(), basis).prop_map(
        |(kind, value, scale, per, basis)| Amount {
            kind: kind.get(&AMOUNT_KINDS).to_string(),
            value,
            scale,
            unit: "EUR".into(),
            per: per.get(&AMOUNT_PERIODS).to_string(),
            basis: basis.map(|basis| basis.get(&AMOUNT_BASES).to_string()),
        },
    )
}

fn grievance() -> BoxedStrategy<Shape> {
    let parts = (
        any::<prop::sample::Index>(),
        line(),
        "|2026|2026-11|2026-11-20|2026-11-20[.][.]2026-11-24",
        vec(amount(), 0..4),
        "[a-z\n]{0,90}",
        proptest::option::of(any::<prop::sample::Index>()),
    );
    boxed(parts.prop_map(|(category, platform, when, amounts, text, every)| {
        let category = category.get(&CATEGORIES).to_string();
        let every = every.map(|every| every.get(&RHYTHMS).to_string());
        let (place, zone) = (String::new(), Some("Africa/Nairobi".to_owned()));
        shape!(Grievance, Grievance { category, platform, when, place, amounts, text, every, zone })
    }))
}

fn leg() -> impl Strategy<Value = Leg> {
    (line(), 1_000u64..9_000, 1u64..9_000, any::<u32>()).prop_map(|(place, start, lasts, threshold)| Leg {
        zone: "Europe/Paris".into(),
        place,
        start_local: "2026-12-04T18:00".into(),
        end_local: "2026-12-04T22:00".into(),
        start,
        end: start + lasts,
        threshold,
    })
}

fn call() -> BoxedStrategy<Shape> {
    let changes = proptest::option::of(entry());
    let parts =
        (changes, 1u32.., line(), vec(line(), 0..4), vec(leg(), 1..4), any::<prop::sample::Index>(), key());
    boxed(parts.prop_map(|(changes, sequence, title, demands, legs, form, counter)| {
        let call = Call {
            changes,
            sequence,
            title,
            demands,
            forms: vec![form.get(&FORMS).to_string()],
            legs,
            threshold: 3,
            closes: 900,
            answer_window: 60,
            expires: 20_000,
            counter_key: counter.to_vec().into(),
            counters: vec![MemberId(counter)],
            tzdb: "2026a".into(),
        };
        shape!(Call, call)
    }))
}

pub(super) fn actions() -> BoxedStrategy<Shape> {
    let support =
        prop_oneof![Just(SupportKind::Same), Just(SupportKind::Witness), Just(SupportKind::Document)];
    prop_oneof![
        grievance(),
        call(),
        boxed(
            (vec(line(), 0..4), vec(entry(), 0..3), vec(entry(), 0..3))
                .prop_map(|(contacts, acts, talk)| { shape!(Beacon, Beacon { contacts, acts, talk }) })
        ),
        boxed((entry(), support).prop_map(|(grievance, kind)| shape!(Support, Support { grievance, kind }))),
        boxed((line(), proptest::option::of(entry()), any::<u32>(), proptest::option::of(entry())).prop_map(
            |(text, reply_to, clock, edits)| shape!(Message, Message { text, reply_to, clock, edits })
        )),
        boxed(
            (entry(), bytes(120))
                .prop_map(|(call, sealed)| shape!(PledgeAnswer, PledgeAnswer { call, sealed }))
        ),
        boxed((entry(), 1u32..99).prop_map(|(call, steps)| {
            shape!(PledgeCount, PledgeCount { call, count: steps * 5, closed: steps % 2 == 0 })
        })),
        boxed(
            (entry(), 1u32.., line())
                .prop_map(|(call, sequence, reason)| { shape!(CallOff, CallOff { call, sequence, reason }) })
        ),
    ]
    .boxed()
}
