//! MLS bytes into real states. OpenMLS' panics are contained by `group::seal`, so its panic hook must
//! not end the run: see the targets' `init`.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use ed25519_dalek::SigningKey;
use piquet_protocol::action::pledge;
use piquet_protocol::crypto::device_key;
use piquet_protocol::group::epoch::EpochKeys;
use piquet_protocol::group::membership::OpStates;
use piquet_protocol::group::seal::hpke::{self, MailKey};
use piquet_protocol::group::seal::{
    Change, Commit, EpochState, Expected, GenesisTree, JoinerSecrets, PublicReplay, Suite, check_key_package,
    key_package as fresh_package,
};
use piquet_protocol::id::{DeviceKey, EntryId, EpochId, GroupId};
use piquet_protocol::replica::Joining;
use piquet_protocol::sim::SeededRng;

use crate::script::Script;
use crate::wire;

pub(crate) const GROUP: GroupId = GroupId([1; 32]);
pub(crate) const ROOT: EpochId = EpochId([10; 32]);
pub(crate) const NEXT: EpochId = EpochId([11; 32]);
const OPERATION: EntryId = EntryId([1; 32]);

/// Alice's group; Bob comes in by her first commit, Carla by her second.
pub(crate) struct Setting {
    pub(crate) suite: Suite,
    pub(crate) alice: SigningKey,
    pub(crate) bob: SigningKey,
    pub(crate) package: Vec<u8>,
    secrets: JoinerSecrets,
    pub(crate) genesis: GenesisTree,
    pub(crate) first: Commit,
    bob_state: EpochState,
    pub(crate) second: Commit,
    carla: DeviceKey,
}

fn make(suite: Suite) -> Setting {
    let mut rng = SeededRng::new(suite as u64);
    let [alice, bob, carla] = [1, 2, 3].map(|n| SigningKey::from_bytes(&[n; 32]));
    let (root, genesis) = EpochState::create(&GROUP, &alice, suite, &mut rng).unwrap();
    let (package, secrets) = fresh_package(&bob, suite, &mut rng).unwrap();
    let operations = BTreeSet::from([OPERATION]);
    let change = Change { adds: vec![(device_key(&bob), package.clone())], removes: BTreeSet::new() };
    let first = root.commit(&ROOT, &alice, &change, &operations, &mut rng).unwrap();
    let bob_state = EpochState::join(first.welcome.as_ref().unwrap(), &secrets).unwrap();
    let (other, _) = fresh_package(&carla, suite, &mut rng).unwrap();
    let change = Change { adds: vec![(device_key(&carla), other)], removes: BTreeSet::new() };
    let second = first.next.commit(&NEXT, &alice, &change, &operations, &mut rng).unwrap();
    let carla = device_key(&carla);
    Setting { suite, alice, bob, package, secrets, genesis, first, bob_state, second, carla }
}

/// The setting of a suite, made once.
pub(crate) fn setting(hybrid: bool) -> &'static Setting {
    static SETTINGS: [OnceLock<Setting>; 2] = [OnceLock::new(), OnceLock::new()];
    let suite = if hybrid { Suite::Hybrid } else { Suite::Classical };
    SETTINGS[usize::from(hybrid)].get_or_init(|| make(suite))
}

/// A key package: as it came, with its leaf signed again, or signed again as a whole.
pub fn key_package(data: &[u8]) {
    let mut script = Script::new(data);
    let mode = script.byte();
    let setting = setting(mode & 4 != 0);
    let package = match mode % 3 {
        0 => script.rest().to_vec(),
        1 => {
            let leaf = wire::signed("LeafNodeTBS", script.rest(), &setting.bob);
            let head = [&[0, 1], &(setting.suite as u16).to_be_bytes()[..], &wire::vector(&[9; 32])].concat();
            wire::signed("KeyPackageTBS", &[&head, &leaf[..], &[0]].concat(), &setting.bob)
        }
        _ => wire::signed("KeyPackageTBS", script.rest(), &setting.bob),
    };
    let device = device_key(&setting.bob);
    if check_key_package(&package, &device, setting.suite).is_ok() {
        // What passes can be added: a poisoned package would be everybody's duty for ever.
        let mut rng = SeededRng::new(9);
        let (alice, _) = EpochState::create(&GROUP, &setting.alice, setting.suite, &mut rng).unwrap();
        let change = Change { adds: vec![(device, package)], removes: BTreeSet::new() };
        assert!(alice.commit(&ROOT, &setting.alice, &change, &BTreeSet::from([OPERATION]), &mut rng).is_ok());
    }
}

/// A Welcome: as it came, or with its secrets or group info truly sealed to the joiner, as whoever saw
/// the code could.
pub fn welcome(data: &[u8]) {
    let mut script = Script::new(data);
    let mode = script.byte();
    let setting = setting(mode & 4 != 0);
    let welcome = match mode % 3 {
        0 => script.rest().to_vec(),
        1 => wire::welcome(setting.suite, &setting.package, script.rest(), &[7; 64]),
        _ => {
            let secrets = [&wire::vector(&[5; 32])[..], &[0, 0]].concat();
            let info = wire::seal_group_info(&[5; 32], script.rest());
            wire::welcome(setting.suite, &setting.package, &secrets, &info)
        }
    };
    if let Ok(state) = EpochState::join(&welcome, &setting.secrets) {
        let _ = (state.leaves(), state.export(&NEXT), state.context_bytes());
    }
}

/// A commit message into a member's state and into a replay: refused, or the one real commit.
pub fn commit(data: &[u8]) {
    let mut script = Script::new(data);
    let setting = setting(script.byte() & 4 != 0);
    let message = script.rest();
    let roster: BTreeSet<DeviceKey> =
        [device_key(&setting.alice), device_key(&setting.bob), setting.carla].into();
    let expected = Expected {
        author: device_key(&setting.alice),
        adds: BTreeSet::from([setting.carla]),
        removes: BTreeSet::new(),
        operations: BTreeSet::from([OPERATION]),
        roster: roster.clone(),
    };
    let taken = setting.bob_state.apply(&NEXT, message, &expected);
    // Seeds of another run are Alice's own too: HPKE draws fresh randomness.
    let leaves = taken.and_then(|next| next.leaves());
    assert!(leaves.is_err() || leaves == Ok(roster), "a forged commit was taken");
    let mut replay = PublicReplay::start(&setting.genesis, &GROUP, &device_key(&setting.alice)).unwrap();
    let first = Expected { adds: BTreeSet::from([device_key(&setting.bob)]), ..expected.clone() };
    let before = replay.context_bytes();
    let taken = replay.apply(&ROOT, message, &first);
    assert!(taken.is_ok() || replay.context_bytes() == before);
}

/// The group info and tree of a genesis.
pub fn genesis(data: &[u8]) {
    let mut script = Script::new(data);
    let mode = script.byte();
    let setting = setting(mode & 4 != 0);
    let real = &setting.genesis;
    let genesis = match mode % 3 {
        0 => GenesisTree { group_info: script.rest().to_vec(), tree: real.tree.clone() },
        1 => GenesisTree { group_info: real.group_info.clone(), tree: script.rest().to_vec() },
        _ => GenesisTree { group_info: script.bytes().to_vec(), tree: script.rest().to_vec() },
    };
    let started = PublicReplay::start(&genesis, &GROUP, &device_key(&setting.alice));
    assert!(started.is_err() || genesis == *real, "a second genesis");
}

/// Sealed answers, and answers to a key that somebody made up.
pub fn answer(data: &[u8]) {
    let mut script = Script::new(data);
    let suite = if script.byte() & 4 != 0 { Suite::Hybrid } else { Suite::Classical };
    let key = MailKey::generate(suite, &mut SeededRng::new(4)).unwrap();
    assert!(key.open(suite, pledge::INFO, b"", data).is_err());
    let made_up = script.rest();
    let _ = hpke::seal(suite, made_up, pledge::INFO, b"", &pledge::plain(true));
    assert!(!pledge::is_yes(made_up) || made_up == pledge::plain(true));
}

/// What this node keeps for itself and reads back.
pub fn kept(data: &[u8]) {
    let _ = (EpochState::from_bytes(data).is_ok(), JoinerSecrets::from_bytes(data).is_ok());
    let _ = (MailKey::from_bytes(data).is_some(), EpochKeys::from_bytes(data).is_some());
    let _ = OpStates::default().restore(data);
    if let Some(joining) = Joining::from_bytes(data) {
        let again = joining.to_bytes();
        assert_eq!(Joining::from_bytes(&again).map(|joining| joining.to_bytes()), Some(again));
        let _ = (joining.door(), joining.invite(), joining.receive(data).is_ok());
    }
}
