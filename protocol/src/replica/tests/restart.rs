//! A replica opened again from its disk is the same.

use super::*;
use crate::store::Store;

impl Desk {
    /// Makes everything durable and opens the group anew.
    fn reopened(&mut self) -> Replica {
        self.store.commit(self.overlay.take()).unwrap();
        let group = self.replica.group();
        round(&self.store, &mut self.overlay, &mut self.rng, |round| Replica::open(group, round)).0.unwrap()
    }
}

#[test]
fn who_was_heard_when_is_known_after_a_restart() {
    // Found by fuzzing: beacons were forgotten, and the latest clock depended on the order of arrival.
    let (mut alice, mut bob, _) = three();

    let later = NOW.after(std::time::Duration::from_secs(90));
    let replica = &mut bob.replica;
    let (mut events, mut stored) = (Vec::new(), Vec::new());
    let mut round = Round {
        store: &bob.store,
        overlay: &mut bob.overlay,
        rng: &mut bob.rng,
        now: later,
        events: &mut events,
        stored: &mut stored,
    };
    replica.post_beacon(vec![], &mut round).unwrap();
    bob.entries.extend(stored.into_iter().map(|(_, entry)| entry.bytes().to_vec()));
    // What he wrote with an earlier clock, in another lane, arrives after it.
    bob.message("salut");
    alice.sync(&bob);
    let before = alice.replica.members();
    let heard = before.iter().find(|m| m.member == bob.replica.member()).unwrap().last_heard;
    assert_eq!(heard, Some(later.as_entry_secs()));
    assert_eq!(alice.reopened().members(), before);
}
