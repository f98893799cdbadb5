//! Members who meet in person.

use super::founding::{let_in, roster, union};
use super::*;
use crate::node::NodeError;

fn vouchers(sim: &mut Sim, laptop: usize, group: GroupId, of: MemberId) -> BTreeSet<MemberId> {
    let members = sim.laptop(laptop).node.as_ref().unwrap().group(&group).unwrap().members();
    members.into_iter().find(|view| view.member == of).map(|view| view.vouched_by).unwrap_or_default()
}

#[test]
fn who_has_met_somebody_marks_him_and_can_vouch_for_him() {
    let (mut sim, group) = union(71, 4, 3);
    let (amina, bruno, carla, dia) = (0, 1, 2, 3);
    let eve = let_in(&mut sim, dia, group, "eve");
    assert!(sim.run_until(10 * MINUTE, |sim| roster(sim, amina, group).len() == 5));
    sim.partition(&[amina], &[bruno, carla, dia, eve], true);
    let fatou = let_in(&mut sim, eve, group, "fatou");
    let gus = let_in(&mut sim, eve, group, "gus");
    sim.partition(&[amina], &[fatou, gus], true);
    let everybody = [bruno, carla, dia, eve, fatou, gus];
    let of = |sim: &mut Sim, laptop| member(sim, laptop, group);
    let (brunos, dias, eves, fatous) =
        (of(&mut sim, bruno), of(&mut sim, dia), of(&mut sim, eve), of(&mut sim, fatou));
    assert!(sim.run_until(10 * MINUTE, |sim| everybody.iter().all(|l| roster(sim, *l, group).len() == 7)));
    let own = sim.act(bruno, |node, _| node.reads_to(&group, &fatous)).unwrap();
    let heard = sim.act(fatou, |node, _| node.reads_to(&group, &brunos)).unwrap();
    let other = sim.act(eve, |node, _| node.reads_to(&group, &brunos)).unwrap();
    for wrong in [own.as_str(), other.as_str(), ""] {
        let refused = sim.act(bruno, |node, now| node.verify(group, fatous, wrong, now));
        assert!(matches!(refused, Err(NodeError::Mismatch)), "{wrong}");
    }
    assert!(matches!(sim.act(bruno, |node, _| node.reads_to(&group, &brunos)), Err(NodeError::NotFound)));
    sim.act(bruno, |node, now| node.verify(group, fatous, &heard, now)).unwrap();
    sim.crash(bruno);
    sim.start(bruno);
    assert_eq!(sim.act(bruno, |node, now| node.verified(group, now)), BTreeSet::from([fatous]));
    assert_eq!(sim.act(amina, |node, now| node.verified(group, now)), BTreeSet::new(), "told to nobody");
    sim.act(bruno, |node, now| node.vouch(group, fatous, now)).unwrap();
    let told = |sim: &mut Sim| vouchers(sim, carla, group, fatous) == BTreeSet::from([brunos]);
    assert!(sim.run_until(10 * MINUTE, told));
    let again = sim.act(bruno, |node, now| node.vouch(group, fatous, now));
    assert!(matches!(again, Err(NodeError::Decided)));
    let founder = of(&mut sim, amina);
    let unneeded = sim.act(bruno, |node, now| node.vouch(group, founder, now));
    assert!(matches!(unneeded, Err(NodeError::Unneeded)));
    // Amina knows nothing of either when she puts out who let them in.
    sim.act(amina, |node, now| node.remove(group, eves, now)).unwrap();
    sim.partition(&[amina], &[bruno, carla, dia, eve, fatou, gus], false);
    let rest = BTreeSet::from([founder, brunos, of(&mut sim, carla), dias, fatous]);
    let together = |sim: &mut Sim| [amina, bruno, carla, dia].iter().all(|l| roster(sim, *l, group) == rest);
    assert!(sim.run_until(10 * MINUTE, together), "{:?}", roster(&mut sim, amina, group).len());
    sim.act(bruno, |node, now| node.unverify(group, fatous, now)).unwrap();
    assert_eq!(sim.act(bruno, |node, now| node.verified(group, now)), BTreeSet::new());
}
