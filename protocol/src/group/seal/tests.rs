//! Honest groups, and what an insider with MLS in his hands could try.

mod clock;
mod closed;
mod crowd;
pub(crate) mod evil;
mod swap;

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use openmls::prelude::{BasicCredential, CredentialWithKey, LeafNodeParameters};
use openmls::prelude::{
    Extension, Extensions, ExternalSender, KeyPackage, Lifetime, MlsGroup, OpenMlsProvider,
    SignaturePublicKey,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tls_codec::Serialize;

use super::provider::{DeviceSigner, Provider};
use super::*;
use crate::crypto::{Secret, device_key};
use crate::id::{DeviceKey, EntryId, EpochId, GroupId};

const GROUP: GroupId = GroupId([1; 32]);
const E0: EpochId = EpochId([10; 32]);
const E1: EpochId = EpochId([11; 32]);
const E2: EpochId = EpochId([12; 32]);

struct Person {
    key: SigningKey,
    rng: ChaCha20Rng,
}

fn person(n: u8) -> Person {
    Person { key: SigningKey::from_bytes(&[n; 32]), rng: ChaCha20Rng::from_seed([n; 32]) }
}

impl Person {
    fn device(&self) -> DeviceKey {
        device_key(&self.key)
    }
}

fn set<T: Ord + Clone>(items: &[T]) -> BTreeSet<T> {
    items.iter().cloned().collect()
}

fn operation(n: u8) -> EntryId {
    EntryId([n; 32])
}

fn expected(author: &Person, adds: &[&Person], removes: &[&Person], roster: &[&Person]) -> Expected {
    let devices = |people: &[&Person]| people.iter().map(|p| p.device()).collect();
    Expected {
        author: author.device(),
        adds: devices(adds),
        removes: devices(removes),
        operations: set(&[operation(1)]),
        roster: devices(roster),
    }
}

/// Alice's group with Bob in it: both states of epoch 1, and the genesis.
struct Pair {
    alice: Person,
    bob: Person,
    genesis: GenesisTree,
    first: Commit,
    a: EpochState,
    b: EpochState,
}

fn pair() -> Pair {
    let (mut alice, mut bob) = (person(1), person(2));
    let (a0, genesis) = EpochState::create(&GROUP, &alice.key, Suite::Classical, &mut alice.rng).unwrap();
    let (package, secrets) = key_package(&bob.key, Suite::Classical, &mut bob.rng).unwrap();
    let change = Change { adds: vec![(bob.device(), package)], removes: BTreeSet::new() };
    let first = a0.commit(&E0, &alice.key, &change, &set(&[operation(1)]), &mut alice.rng).unwrap();
    let b = EpochState::join(first.welcome.as_ref().unwrap(), &secrets).unwrap();
    let a = first.next.clone();
    Pair { alice, bob, genesis, first, a, b }
}

fn add(
    state: &EpochState,
    by: &mut Person,
    parent: &EpochId,
    joiner: &mut Person,
) -> (Commit, JoinerSecrets) {
    let (package, secrets) = key_package(&joiner.key, Suite::Classical, &mut joiner.rng).unwrap();
    let change = Change { adds: vec![(joiner.device(), package)], removes: BTreeSet::new() };
    (state.commit(parent, &by.key, &change, &set(&[operation(1)]), &mut by.rng).unwrap(), secrets)
}

/// Lets an insider do to his own state what he likes, and returns his message.
fn insider(
    state: &EpochState,
    who: &mut Person,
    aad: bool,
    act: impl FnOnce(&mut MlsGroup, &Provider, &DeviceSigner<'_>) -> Vec<u8>,
) -> Vec<u8> {
    let provider = Provider::new(&state.records, Secret::random(&mut who.rng));
    let mut mls = state.load(&provider).unwrap();
    if aad {
        mls.set_aad(checklist::binding(&E1, &set(&[operation(1)])));
    }
    act(&mut mls, &provider, &DeviceSigner(&who.key))
}

#[test]
fn members_of_an_epoch_export_the_same_secret_and_others_none() {
    for suite in [Suite::Classical, Suite::Hybrid] {
        let (mut alice, mut bob) = (person(1), person(2));
        let (a0, _) = EpochState::create(&GROUP, &alice.key, suite, &mut alice.rng).unwrap();
        let (package, secrets) = key_package(&bob.key, suite, &mut bob.rng).unwrap();
        check_key_package(&package, &bob.device(), suite).unwrap();
        let change = Change { adds: vec![(bob.device(), package)], removes: BTreeSet::new() };
        let commit = a0.commit(&E0, &alice.key, &change, &set(&[operation(1)]), &mut alice.rng).unwrap();
        let b = EpochState::join(commit.welcome.as_ref().unwrap(), &secrets).unwrap();
        assert_eq!(b.group(), GROUP);
        assert_eq!(b.export(&E1).unwrap(), commit.next.export(&E1).unwrap());
        assert_ne!(b.export(&E1).unwrap(), b.export(&E2).unwrap(), "bound to the epoch's id");
        assert_ne!(a0.export(&E1).unwrap(), b.export(&E1).unwrap());
    }
}

#[test]
fn a_state_survives_the_store() {
    let pair = pair();
    let back = EpochState::from_bytes(&pair.b.to_bytes()).unwrap();
    assert_eq!(back.export(&E1).unwrap(), pair.b.export(&E1).unwrap());
    let bytes = pair.b.to_bytes();
    for cut in [0, 31, 33, bytes.len() - 1] {
        assert!(EpochState::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn siblings_of_one_parent_live_side_by_side() {
    let Pair { mut alice, mut bob, a, b, .. } = pair();
    let (mut carla, mut dan) = (person(3), person(4));
    let (by_alice, _) = add(&a, &mut alice, &E1, &mut carla);
    let (by_bob, _) = add(&b, &mut bob, &E1, &mut dan);
    let at_alice =
        a.apply(&E1, &by_bob.message, &expected(&bob, &[&dan], &[], &[&alice, &bob, &dan])).unwrap();
    let at_bob =
        b.apply(&E1, &by_alice.message, &expected(&alice, &[&carla], &[], &[&alice, &bob, &carla])).unwrap();
    assert_eq!(at_alice.export(&E2).unwrap(), by_bob.next.export(&E2).unwrap());
    assert_eq!(at_bob.export(&E2).unwrap(), by_alice.next.export(&E2).unwrap());
    assert_ne!(at_alice.export(&E2).unwrap(), at_bob.export(&E2).unwrap());
    assert_eq!(a.leaves().unwrap(), set(&[alice.device(), bob.device()]), "the parent is untouched");
}

#[test]
fn a_removed_device_has_no_next_state() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let change = Change { adds: vec![], removes: set(&[bob.device()]) };
    let commit = a.commit(&E1, &alice.key, &change, &set(&[operation(1)]), &mut alice.rng).unwrap();
    let expected = expected(&alice, &[], &[&bob], &[&alice]);
    assert_eq!(b.apply(&E1, &commit.message, &expected).err(), Some(SealError::Removed));
    assert_eq!(commit.next.leaves().unwrap(), set(&[alice.device()]));
}

#[test]
fn a_replay_from_genesis_reaches_the_joiners_context() {
    let Pair { alice, bob, genesis, first, b, .. } = pair();
    let mut replay = PublicReplay::start(&genesis, &GROUP, &alice.device()).unwrap();
    let right = expected(&alice, &[&bob], &[], &[&alice, &bob]);
    assert_eq!(replay.apply(&E1, &first.message, &right), Err(SealError::Binding), "another parent");
    replay.apply(&E0, &first.message, &right).unwrap();
    assert_eq!(replay.context_bytes().unwrap(), b.context_bytes().unwrap());
    assert_eq!(replay.leaves().unwrap(), b.leaves().unwrap());
}

#[test]
fn a_shadow_group_of_the_same_id_is_another_context() {
    let Pair { alice, bob, genesis, first, .. } = pair();
    let (mut eve, mut joiner) = (person(6), person(7));
    let (shadow, _) = EpochState::create(&GROUP, &eve.key, Suite::Classical, &mut eve.rng).unwrap();
    let (commit, secrets) = add(&shadow, &mut eve, &E0, &mut joiner);
    let trapped = EpochState::join(commit.welcome.as_ref().unwrap(), &secrets).unwrap();
    assert_eq!(trapped.group(), GROUP);
    let mut replay = PublicReplay::start(&genesis, &GROUP, &alice.device()).unwrap();
    replay.apply(&E0, &first.message, &expected(&alice, &[&bob], &[], &[&alice, &bob])).unwrap();
    assert_ne!(replay.context_bytes().unwrap(), trapped.context_bytes().unwrap());
    assert!(PublicReplay::start(&genesis, &GROUP, &eve.device()).is_err(), "another founder");
    assert!(PublicReplay::start(&genesis, &GroupId([9; 32]), &alice.device()).is_err(), "another id");
}

#[test]
fn a_bogus_welcome_uses_nothing_up() {
    let mut pair = pair();
    let mut carla = person(3);
    let (commit, secrets) = add(&pair.a, &mut pair.alice, &E1, &mut carla);
    let good = commit.welcome.unwrap();
    let mut bogus = good.clone();
    *bogus.last_mut().unwrap() ^= 1;
    assert!(EpochState::join(&bogus, &secrets).is_err());
    assert!(EpochState::join(&good, &secrets).is_ok());
    assert!(EpochState::join(&good, &JoinerSecrets::from_bytes(&secrets.to_bytes()).unwrap()).is_ok());
}

#[test]
fn the_author_of_the_entry_must_be_the_sender() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let mut carla = person(3);
    let (commit, _) = add(&a, &mut alice, &E1, &mut carla);
    let wrong = expected(&bob, &[&carla], &[], &[&alice, &bob, &carla]);
    assert_eq!(b.apply(&E1, &commit.message, &wrong).err(), Some(SealError::Sender));
}

#[test]
fn uncited_adds_omitted_removes_and_strangers_on_the_roster_are_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let mut carla = person(3);
    let all = [&alice, &bob, &carla].map(Person::device);
    let (commit, _) = add(&a, &mut alice, &E1, &mut carla);
    let apply = |expected: Expected| b.apply(&E1, &commit.message, &expected).err();
    let base = Expected {
        author: all[0],
        adds: set(&all[2..]),
        removes: set(&[]),
        operations: set(&[operation(1)]),
        roster: set(&all),
    };
    assert_eq!(apply(base.clone()), None);
    assert_eq!(apply(Expected { adds: set(&[]), ..base.clone() }), Some(SealError::Changes), "uncited");
    assert_eq!(
        apply(Expected { removes: set(&all[1..2]), ..base.clone() }),
        Some(SealError::Changes),
        "omitted"
    );
    assert_eq!(
        apply(Expected { operations: set(&[operation(2)]), ..base.clone() }),
        Some(SealError::Binding)
    );
    assert_eq!(apply(Expected { roster: set(&all[..2]), ..base }), Some(SealError::Roster));
}

#[test]
fn a_commit_replayed_under_another_parent_is_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let mut carla = person(3);
    let (commit, _) = add(&a, &mut alice, &E1, &mut carla);
    let expected = expected(&alice, &[&carla], &[], &[&alice, &bob, &carla]);
    assert_eq!(b.apply(&E2, &commit.message, &expected).err(), Some(SealError::Binding));
}

#[test]
fn a_commit_that_renames_its_leaf_is_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let mallory = person(9);
    let message = insider(&a, &mut alice, true, |mls, provider, signer| {
        let renamed = CredentialWithKey {
            credential: BasicCredential::new(mallory.device().as_bytes().to_vec()).into(),
            signature_key: SignaturePublicKey::from(device_key(signer.0).as_bytes().to_vec()),
        };
        let leaf = LeafNodeParameters::builder().with_credential_with_key(renamed).build();
        let built = mls
            .commit_builder()
            .leaf_node_parameters(leaf)
            .force_self_update(true)
            .load_psks(provider.storage())
            .unwrap();
        let built = built.build(provider.rand(), provider.crypto(), signer, |_| true).unwrap();
        built.stage_commit(provider).unwrap().into_commit().tls_serialize_detached().unwrap()
    });
    let refused = b.apply(&E1, &message, &expected(&alice, &[], &[], &[&alice, &bob])).err();
    assert_eq!(refused, Some(SealError::Path));
}

#[test]
fn a_standalone_proposal_is_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let message = insider(&a, &mut alice, true, |mls, provider, signer| {
        let bob = mls.members().map(|m| m.index).last().unwrap();
        mls.propose_remove_member(provider, signer, bob).unwrap().0.tls_serialize_detached().unwrap()
    });
    let refused = b.apply(&E1, &message, &expected(&alice, &[], &[&bob], &[&alice])).err();
    assert_eq!(refused, Some(SealError::Proposal));
}

#[test]
fn a_commit_by_reference_is_refused() {
    let Pair { mut alice, mut bob, a, b, .. } = pair();
    let mut carla = person(3);
    let mut proposal = Vec::new();
    let message = insider(&a, &mut alice, true, |mls, provider, signer| {
        let (package, _) = key_package(&carla.key, Suite::Classical, &mut carla.rng).unwrap();
        let package = key_package::read(&package, &carla.device(), Suite::Classical).unwrap();
        proposal =
            mls.propose_add_member(provider, signer, &package).unwrap().0.tls_serialize_detached().unwrap();
        mls.set_aad(checklist::binding(&E1, &set(&[operation(1)])));
        let (commit, _, _) = mls.commit_to_pending_proposals(provider, signer).unwrap();
        commit.tls_serialize_detached().unwrap()
    });
    // Even a node that somehow held the proposal would refuse the commit: feed it to a copy first.
    let fed = {
        let provider = Provider::new(&b.records, Secret::random(&mut bob.rng));
        let mut mls = b.load(&provider).unwrap();
        let processed = mls.process_message(&provider, state::read_commit(&proposal).unwrap()).unwrap();
        if let openmls::prelude::ProcessedMessageContent::ProposalMessage(queued) = processed.into_content() {
            mls.store_pending_proposal(provider.storage(), *queued).unwrap();
        }
        EpochState::snapshot(GROUP, &provider)
    };
    let expected = expected(&alice, &[&carla], &[], &[&alice, &bob, &carla]);
    assert_eq!(fed.apply(&E1, &message, &expected).err(), Some(SealError::Proposal));
    assert!(b.apply(&E1, &message, &expected).is_err());
}

#[test]
fn a_change_of_the_group_context_is_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let message = insider(&a, &mut alice, true, |mls, provider, signer| {
        let senders = vec![ExternalSender::new(
            SignaturePublicKey::from(vec![7; 32]),
            BasicCredential::new(b"mallory".to_vec()).into(),
        )];
        let extensions = Extensions::single(Extension::ExternalSenders(senders)).unwrap();
        let built = mls.commit_builder().propose_group_context_extensions(extensions).unwrap();
        let built = built.force_self_update(true).load_psks(provider.storage()).unwrap();
        let built = built.build(provider.rand(), provider.crypto(), signer, |_| true).unwrap();
        built.stage_commit(provider).unwrap().into_commit().tls_serialize_detached().unwrap()
    });
    let refused = b.apply(&E1, &message, &expected(&alice, &[], &[], &[&alice, &bob])).err();
    assert_eq!(refused, Some(SealError::Proposal));
}

#[test]
fn a_commit_without_a_path_is_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let mut carla = person(3);
    let message = insider(&a, &mut alice, true, |mls, provider, signer| {
        let (package, _) = key_package(&carla.key, Suite::Classical, &mut carla.rng).unwrap();
        let package = key_package::read(&package, &carla.device(), Suite::Classical).unwrap();
        let built = mls.commit_builder().propose_adds([package]).load_psks(provider.storage()).unwrap();
        let built = built.build(provider.rand(), provider.crypto(), signer, |_| true).unwrap();
        built.stage_commit(provider).unwrap().into_commit().tls_serialize_detached().unwrap()
    });
    let refused = b.apply(&E1, &message, &expected(&alice, &[&carla], &[], &[&alice, &bob, &carla])).err();
    assert_eq!(refused, Some(SealError::Path));
}

#[test]
fn an_external_commit_is_refused() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let mut eve = person(6);
    let info = insider(&a, &mut alice, false, |mls, provider, signer| {
        mls.export_group_info(provider.crypto(), signer, true).unwrap().tls_serialize_detached().unwrap()
    });
    let info =
        <openmls::prelude::MlsMessageIn as tls_codec::DeserializeBytes>::tls_deserialize_exact_bytes(&info)
            .unwrap();
    let openmls::prelude::MlsMessageBodyIn::GroupInfo(info) = info.extract() else {
        panic!("not a group info")
    };
    let provider = Provider::new(&provider::Records::new(), Secret::random(&mut eve.rng));
    let builder =
        MlsGroup::external_commit_builder().with_aad(checklist::binding(&E1, &set(&[operation(1)])));
    let credential = key_package::credential(&eve.device());
    let built =
        builder.build_group(&provider, info, credential).unwrap().load_psks(provider.storage()).unwrap();
    let built = built.build(provider.rand(), provider.crypto(), &DeviceSigner(&eve.key), |_| true).unwrap();
    let (_, bundle) = built.finalize(&provider).unwrap();
    let message = bundle.into_commit().tls_serialize_detached().unwrap();
    for author in [&eve, &alice] {
        let refused = b.apply(&E1, &message, &expected(author, &[&eve], &[], &[&alice, &bob, &eve])).err();
        assert!(matches!(refused, Some(SealError::Sender | SealError::Invalid)), "{refused:?}");
    }
}

#[test]
fn a_limited_lifetime_is_refused_in_a_package_and_in_a_commit() {
    let Pair { mut alice, bob, a, b, .. } = pair();
    let carla = person(3);
    let provider = Provider::new(&provider::Records::new(), Secret::new([5; 32]));
    let package = KeyPackage::builder()
        .key_package_lifetime(Lifetime::new(3600))
        .leaf_node_capabilities(Suite::Classical.capabilities())
        .build(
            Suite::Classical.mls(),
            &provider,
            &DeviceSigner(&carla.key),
            key_package::credential(&carla.device()),
        )
        .unwrap();
    let bytes = package.key_package().tls_serialize_detached().unwrap();
    assert_eq!(check_key_package(&bytes, &carla.device(), Suite::Classical), Err(SealError::Lifetime));
    let message = insider(&a, &mut alice, true, |mls, provider, signer| {
        let built =
            mls.commit_builder().propose_adds([package.key_package().clone()]).force_self_update(true);
        let built = built.load_psks(provider.storage()).unwrap();
        let built = built.build(provider.rand(), provider.crypto(), signer, |_| true).unwrap();
        built.stage_commit(provider).unwrap().into_commit().tls_serialize_detached().unwrap()
    });
    let refused = b.apply(&E1, &message, &expected(&alice, &[&carla], &[], &[&alice, &bob, &carla])).err();
    assert_eq!(refused, Some(SealError::Lifetime));
}

#[test]
fn a_key_package_of_another_device_or_suite_or_with_a_flipped_bit_is_refused() {
    let mut bob = person(2);
    let (bytes, _) = key_package(&bob.key, Suite::Classical, &mut bob.rng).unwrap();
    assert_eq!(check_key_package(&bytes, &bob.device(), Suite::Classical), Ok(()));
    assert_eq!(check_key_package(&bytes, &person(3).device(), Suite::Classical), Err(SealError::Other));
    assert_eq!(check_key_package(&bytes, &bob.device(), Suite::Hybrid), Err(SealError::Other));
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(check_key_package(&flipped, &bob.device(), Suite::Classical).is_err(), "byte {at}");
    }
    let mut long = bytes;
    long.resize(MAX_KEY_PACKAGE + 1, 0);
    assert_eq!(check_key_package(&long, &bob.device(), Suite::Classical), Err(SealError::Malformed));
}

#[test]
fn a_poisoned_init_key_is_refused() {
    // Signed by its owner, but nothing can be sealed to it: all-zero and short X25519 keys.
    for poison in [vec![0; 32], vec![9; 31]] {
        let carla = person(3);
        let provider = Provider::new(&provider::Records::new(), Secret::new([5; 32]));
        let bundle = KeyPackage::builder()
            .key_package_lifetime(key_package::unlimited())
            .leaf_node_capabilities(Suite::Classical.capabilities())
            .build(
                Suite::Classical.mls(),
                &provider,
                &DeviceSigner(&carla.key),
                key_package::credential(&carla.device()),
            )
            .unwrap();
        let package = poisoned_package(bundle.key_package(), &poison, &carla);
        assert_eq!(check_key_package(&package, &carla.device(), Suite::Classical), Err(SealError::Poisoned));
    }
}

/// Rewrites the init key of a key package and signs it again (RFC 9420 §10: version, suite,
/// init_key, leaf_node, extensions, signature).
fn poisoned_package(package: &KeyPackage, poison: &[u8], owner: &Person) -> Vec<u8> {
    use openmls_traits::signatures::Signer;
    let bytes = package.tls_serialize_detached().unwrap();
    let init = package.hpke_init_key().as_slice();
    let mut content = bytes[..4].to_vec();
    content.push(poison.len() as u8);
    content.extend_from_slice(poison);
    content.extend_from_slice(&bytes[4 + 1 + init.len()..bytes.len() - 66]);
    // SignWithLabel (RFC 9420 §5.1.2).
    let label = b"MLS 1.0 KeyPackageTBS";
    let mut signed = vec![label.len() as u8];
    signed.extend_from_slice(label);
    signed.extend_from_slice(&(0x4000 | content.len() as u16).to_be_bytes());
    signed.extend_from_slice(&content);
    let signature = DeviceSigner(&owner.key).sign(&signed).unwrap();
    content.extend_from_slice(&[0x40, 64]);
    content.extend_from_slice(&signature);
    content
}

#[test]
fn sealed_answers_open_for_their_counter_alone() {
    for suite in [Suite::Classical, Suite::Hybrid] {
        let mut rng = ChaCha20Rng::from_seed([8; 32]);
        let (counter, other) = (
            hpke::MailKey::generate(suite, &mut rng).unwrap(),
            hpke::MailKey::generate(suite, &mut rng).unwrap(),
        );
        let sealed = hpke::seal(suite, &counter.public, b"info", b"ad", b"yes").unwrap();
        let counter = hpke::MailKey::from_bytes(&counter.to_bytes()).unwrap();
        assert_eq!(counter.open(suite, b"info", b"ad", &sealed).unwrap().as_slice(), b"yes");
        assert!(counter.open(suite, b"info", b"AD", &sealed).is_err());
        assert!(other.open(suite, b"info", b"ad", &sealed).is_err());
        assert!(hpke::seal(suite, &[0; 32], b"info", b"ad", b"yes").is_err());
    }
}
