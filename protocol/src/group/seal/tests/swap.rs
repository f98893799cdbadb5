//! A device that comes back with new keys (G-6).

use super::*;

#[test]
fn a_device_gets_a_new_leaf_for_its_old_one_in_one_commit() {
    for suite in [Suite::Classical, Suite::Hybrid] {
        let Crowd { mut alice, bob, mut carla, a, b, c } = crowd(suite);
        let (package, secrets) = key_package(&carla.key, suite, &mut carla.rng).unwrap();
        let change = Change { adds: vec![(carla.device(), package)], removes: set(&[carla.device()]) };
        let commit = a.commit(&E2, &alice.key, &change, &set(&[operation(1)]), &mut alice.rng).unwrap();
        let right = expected(&alice, &[&carla], &[&carla], &[&alice, &bob, &carla]);
        let at_bob = b.apply(&E2, &commit.message, &right).unwrap();
        let at_carla = EpochState::join(commit.welcome.as_ref().unwrap(), &secrets).unwrap();
        let epoch = EpochId([13; 32]);
        let exported = commit.next.export(&epoch).unwrap();
        assert_eq!(
            (at_bob.export(&epoch).unwrap(), at_carla.export(&epoch).unwrap()),
            (exported.clone(), exported)
        );
        assert_eq!(
            c.apply(&E2, &commit.message, &right).err(),
            Some(SealError::Removed),
            "the old state ends"
        );
        let only_added = expected(&alice, &[&carla], &[], &[&alice, &bob, &carla]);
        assert_eq!(b.apply(&E2, &commit.message, &only_added).err(), Some(SealError::Changes));
    }
}

/// Alice, Bob and Carla in one epoch.
struct Crowd {
    alice: Person,
    bob: Person,
    carla: Person,
    a: EpochState,
    b: EpochState,
    c: EpochState,
}

fn crowd(suite: Suite) -> Crowd {
    let [mut alice, mut bob, mut carla] = [1, 2, 3].map(person);
    let (a0, _) = EpochState::create(&GROUP, &alice.key, suite, &mut alice.rng).unwrap();
    let (bobs, bob_secrets) = key_package(&bob.key, suite, &mut bob.rng).unwrap();
    let (carlas, carla_secrets) = key_package(&carla.key, suite, &mut carla.rng).unwrap();
    let change =
        Change { adds: vec![(bob.device(), bobs), (carla.device(), carlas)], removes: BTreeSet::new() };
    let commit = a0.commit(&E0, &alice.key, &change, &set(&[operation(1)]), &mut alice.rng).unwrap();
    let join = |secrets| EpochState::join(commit.welcome.as_ref().unwrap(), secrets).unwrap();
    let (b, c) = (join(&bob_secrets), join(&carla_secrets));
    Crowd { alice, bob, carla, a: commit.next, b, c }
}
