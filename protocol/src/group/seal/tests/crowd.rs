//! Four members, and one of them evil: partial views and poisoned keys.

use openmls::prelude::{KeyPackage, MlsGroup};
use tls_codec::Serialize;

use super::evil::{Evil, EvilProvider, poisoned};
use super::*;

/// Alice, Bob, Carla and Dan after Alice's commit that added the others.
struct Crowd {
    suite: Suite,
    people: Vec<Person>,
    states: Vec<EpochState>,
    genesis: GenesisTree,
    first: Vec<u8>,
}

fn crowd(suite: Suite) -> Crowd {
    let mut people: Vec<Person> = (1..=4).map(person).collect();
    let mut alice = person(1);
    let (root, genesis) = EpochState::create(&GROUP, &alice.key, suite, &mut alice.rng).unwrap();
    let (mut adds, mut secrets) = (Vec::new(), Vec::new());
    for joiner in &mut people[1..] {
        let (package, kept) = key_package(&joiner.key, suite, &mut joiner.rng).unwrap();
        adds.push((joiner.device(), package));
        secrets.push(kept);
    }
    let change = Change { adds, removes: BTreeSet::new() };
    let commit = root.commit(&E0, &alice.key, &change, &set(&[operation(1)]), &mut alice.rng).unwrap();
    let welcome = commit.welcome.as_ref().unwrap();
    let joined = secrets.iter().map(|secrets| EpochState::join(welcome, secrets).unwrap());
    let states = std::iter::once(commit.next.clone()).chain(joined).collect();
    Crowd { suite, people, states, genesis, first: commit.message }
}

impl Crowd {
    fn expect(&self, author: usize, adds: &[&Person]) -> Expected {
        let roster: Vec<&Person> = self.people.iter().chain(adds.iter().copied()).collect();
        expected(&self.people[author], adds, &[], &roster)
    }

    /// The leaf key of a member, as everybody sees it.
    fn leaf_key(&self, who: usize) -> Vec<u8> {
        let provider = Provider::reading(&self.states[0].records);
        let mls = self.states[0].load(&provider).unwrap();
        let key = |member: &openmls::prelude::Member| {
            (member.signature_key == self.people[who].device().as_bytes())
                .then(|| member.encryption_key.clone())
        };
        mls.members().find_map(|member| key(&member)).unwrap()
    }

    /// Alice's commit, made by evil hands.
    fn evil_commit(&self, evil: Evil, adds: &[KeyPackage]) -> Vec<u8> {
        let provider = EvilProvider::new(evil, &self.states[0].records);
        let id = openmls::prelude::GroupId::from_slice(GROUP.as_bytes());
        let mut mls = MlsGroup::load(provider.storage(), &id).unwrap().unwrap();
        mls.set_aad(checklist::binding(&E1, &set(&[operation(1)])));
        let built = mls.commit_builder().propose_adds(adds.to_vec()).force_self_update(true);
        let built = built.load_psks(provider.storage()).unwrap();
        let signer = DeviceSigner(&self.people[0].key);
        let built = built.build(provider.rand(), provider.crypto(), &signer, |_| true).unwrap();
        built.stage_commit(&provider).unwrap().into_commit().tls_serialize_detached().unwrap()
    }

    /// The public side after the first commit.
    fn replay(&self) -> PublicReplay {
        let mut replay = PublicReplay::start(&self.genesis, &GROUP, &self.people[0].device()).unwrap();
        let [alice, others @ ..] = self.people.as_slice() else { panic!("four people") };
        let others: Vec<&Person> = others.iter().collect();
        let everybody: Vec<&Person> = self.people.iter().collect();
        replay.apply(&E0, &self.first, &expected(alice, &others, &[], &everybody)).unwrap();
        replay
    }
}

/// Keys to which nothing can be sealed.
fn poisons(suite: Suite) -> Vec<Vec<u8>> {
    let hex = |text: &str| crate::id::from_hex(text).unwrap().to_vec();
    match suite {
        Suite::Classical => vec![
            vec![],
            vec![9; 31],
            vec![9; 33],
            vec![0; 32],
            // Points of order 1, 8, 8, 2 and their other encodings (RFC 7748 §6.1: the secret is zero).
            hex("0100000000000000000000000000000000000000000000000000000000000000"),
            hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
            hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
            hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ],
        // Too short, an X25519 key alone, too long.
        Suite::Hybrid => vec![vec![], vec![9; 32], vec![9; 1215], vec![9; 1217]],
    }
}

#[test]
fn a_commit_that_some_can_not_read_leaves_them_where_they_were() {
    let crowd = crowd(Suite::Classical);
    for victims in 0..8u8 {
        let is_victim = |who: usize| victims >> (who - 1) & 1 == 1;
        let deaf = (1..4).filter(|who| is_victim(*who)).map(|who| crowd.leaf_key(who)).collect();
        let message = crowd.evil_commit(Evil::deafening(deaf), &[]);
        let mut keys = BTreeSet::new();
        for who in 1..4 {
            let next = crowd.states[who].apply(&E1, &message, &crowd.expect(0, &[]));
            assert_eq!(next.is_err(), is_victim(who), "victims {victims:03b}, member {who}");
            keys.extend(next.map(|next| *next.export(&E2).unwrap().as_bytes()));
        }
        assert_eq!(keys.len(), usize::from(victims != 7), "whoever reads it is in one epoch");
        // Who watches from outside can't tell; who was left out goes on with another commit.
        assert!(crowd.replay().apply(&E1, &message, &crowd.expect(0, &[])).is_ok());
        let (carla, mut rng) = (&crowd.people[2], ChaCha20Rng::from_seed([77; 32]));
        let change = Change::default();
        let other =
            crowd.states[2].commit(&E1, &carla.key, &change, &set(&[operation(1)]), &mut rng).unwrap();
        for who in [0, 1, 3] {
            let next = crowd.states[who].apply(&E1, &other.message, &crowd.expect(2, &[])).unwrap();
            assert_eq!(next.export(&E2).unwrap(), other.next.export(&E2).unwrap());
        }
    }
}

#[test]
fn a_poisoned_key_in_a_path_is_refused_by_everybody() {
    for suite in [Suite::Classical, Suite::Hybrid] {
        let crowd = crowd(suite);
        for poison in poisons(crowd.suite) {
            // A path of Alice's has her leaf, then two nodes.
            for at in 0..3 {
                let evil = Evil::poisoning(at, &poison);
                let message = crowd.evil_commit(evil, &[]);
                for who in 1..4 {
                    let refused = crowd.states[who].apply(&E1, &message, &crowd.expect(0, &[]));
                    assert!(refused.is_err(), "{suite:?} {} bytes at {at}, member {who}", poison.len());
                }
                let watched = crowd.replay().apply(&E1, &message, &crowd.expect(0, &[]));
                assert_eq!(watched, Err(SealError::Poisoned), "{suite:?} {} bytes at {at}", poison.len());
            }
        }
    }
}

#[test]
fn a_poisoned_key_package_is_neither_admitted_nor_believed_in_a_commit() {
    for suite in [Suite::Classical, Suite::Hybrid] {
        let (crowd, eve) = (crowd(suite), person(9));
        for poison in poisons(suite) {
            for at in 0..2 {
                let package = poisoned(suite, &eve.key, at, &poison);
                let bytes = package.tls_serialize_detached().unwrap();
                let refused = check_key_package(&bytes, &eve.device(), suite);
                assert_eq!(refused, Err(SealError::Poisoned), "{suite:?} {} bytes at {at}", poison.len());
            }
            // Alice is in league with her: the leaf would stop every later commit.
            let package = poisoned(suite, &eve.key, 1, &poison);
            let message = crowd.evil_commit(Evil::default(), &[package]);
            for who in 1..4 {
                let refused = crowd.states[who].apply(&E1, &message, &crowd.expect(0, &[&eve])).err();
                assert_eq!(refused, Some(SealError::Poisoned), "{suite:?} {} bytes", poison.len());
            }
        }
    }
}
