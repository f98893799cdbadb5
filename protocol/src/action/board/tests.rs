use super::super::grievance::Amount;
use super::super::strike::Leg;
use super::*;

const FOUNDER: DeviceKey = DeviceKey([1; 32]);
const BOB: DeviceKey = DeviceKey([2; 32]);
const CARLA: DeviceKey = DeviceKey([3; 32]);

fn id(n: u8) -> EntryId {
    EntryId([n; 32])
}

fn post(board: &mut Board, n: u8, device: DeviceKey, kind: Kind, body: &impl Action) -> Result<(), Rejected> {
    let payload = body.to_payload();
    let applied = Applied {
        id: id(n),
        device,
        seq: u32::from(n),
        member: Some(device.into()),
        mandate: device == FOUNDER,
        time: 0,
        payload: &payload,
    };
    board.apply(kind, &applied)
}

fn grievance() -> Grievance {
    Grievance {
        category: "pay.below_rate".into(),
        platform: "Deliverix".into(),
        when: "2026-11-20".into(),
        place: "Lyon".into(),
        amounts: vec![Amount {
            kind: "paid".into(),
            value: 450,
            scale: 2,
            unit: "EUR".into(),
            per: "task".into(),
            basis: Some("measured".into()),
        }],
        text: String::new(),
        every: Some("week".into()),
        zone: Some("Europe/Paris".into()),
    }
}

fn call(sequence: u32, changes: Option<EntryId>) -> Call {
    let leg = Leg {
        zone: "Europe/Paris".into(),
        place: "Lyon".into(),
        start_local: "2026-12-04T18:00".into(),
        end_local: "2026-12-04T22:00".into(),
        start: 1000,
        end: 2000,
        threshold: 0,
    };
    Call {
        changes,
        sequence,
        title: "Evening off".into(),
        demands: vec!["5 EUR a task".into()],
        forms: vec!["log_off".into()],
        legs: vec![leg],
        threshold: 10,
        closes: 900,
        answer_window: 0,
        expires: 2000,
        counter_key: vec![7; 32].into(),
        counters: vec![FOUNDER.into()],
        tzdb: "2026a".into(),
    }
}

fn support(kind: SupportKind) -> Support {
    Support { grievance: id(1), kind }
}

#[test]
fn forty_supports_of_one_member_count_once_and_the_last_kind_stands() {
    let mut board = Board::default();
    post(&mut board, 1, BOB, Kind::Grievance, &grievance()).unwrap();
    for n in 2..42 {
        post(&mut board, n, CARLA, Kind::Support, &support(SupportKind::Same)).unwrap();
    }
    post(&mut board, 50, CARLA, Kind::Support, &support(SupportKind::Witness)).unwrap();
    post(&mut board, 51, BOB, Kind::Support, &support(SupportKind::Same)).unwrap();
    assert_eq!(board.support_of(&id(1)), BTreeMap::from([(CARLA.into(), SupportKind::Witness)]));
}

#[test]
fn a_call_change_or_call_off_without_the_mandate_changes_nothing() {
    let mut board = Board::default();
    let by_bob = Call { counters: vec![BOB.into()], ..call(1, None) };
    assert_eq!(post(&mut board, 1, BOB, Kind::Call, &by_bob), Err(Rejected::Mandate));
    post(&mut board, 2, FOUNDER, Kind::Call, &call(1, None)).unwrap();
    let moved = Call { counters: vec![BOB.into()], ..call(2, Some(id(2))) };
    assert_eq!(post(&mut board, 3, BOB, Kind::Call, &moved), Err(Rejected::Mandate));
    let off = CallOff { call: id(2), sequence: 9, reason: "it's over".into() };
    assert_eq!(post(&mut board, 4, BOB, Kind::CallOff, &off), Err(Rejected::Mandate));
    let standing = board.call_view(&id(2)).unwrap();
    assert_eq!((standing.body.sequence, standing.called_off), (1, None));
    assert!(board.call_view(&id(1)).is_none());
}

#[test]
fn a_call_names_its_caller_as_the_counter_and_nobody_else() {
    let mut board = Board::default();
    let counted_by = |counters: &[DeviceKey]| Call {
        counters: counters.iter().map(|device| MemberId::from(*device)).collect(),
        ..call(1, None)
    };
    for (n, counters) in [(1, &[BOB][..]), (2, &[FOUNDER, BOB]), (3, &[])] {
        assert!(post(&mut board, n, FOUNDER, Kind::Call, &counted_by(counters)).is_err());
    }
    assert_eq!(board.calls().count(), 0, "who can see names is whom everybody was told of");
}

#[test]
fn the_highest_sequence_stands_whatever_comes_last() {
    let mut one = Board::default();
    let mut other = Board::default();
    let later = Call { title: "Later".into(), ..call(3, Some(id(2))) };
    let older = Call { title: "Older".into(), ..call(2, Some(id(2))) };
    for board in [&mut one, &mut other] {
        post(board, 2, FOUNDER, Kind::Call, &call(1, None)).unwrap();
    }
    post(&mut one, 3, FOUNDER, Kind::Call, &older).unwrap();
    post(&mut one, 4, FOUNDER, Kind::Call, &later).unwrap();
    post(&mut other, 4, FOUNDER, Kind::Call, &later).unwrap();
    post(&mut other, 3, FOUNDER, Kind::Call, &older).unwrap();
    assert_eq!(one, other);
    assert_eq!(one.call_view(&id(2)).unwrap().body.title, "Later");
    assert_eq!(one.next_sequence(&id(2)), 4);
    let stale = CallOff { call: id(2), sequence: 3, reason: "old news".into() };
    post(&mut one, 5, FOUNDER, Kind::CallOff, &stale).unwrap();
    assert_eq!(
        one.call_view(&id(2)).unwrap().called_off,
        None,
        "a call-off below the newest version is stale"
    );
}

#[test]
fn two_versions_with_one_number_are_shown_as_conflicting_and_the_same_one_stands_everywhere() {
    let mut board = Board::default();
    post(&mut board, 2, FOUNDER, Kind::Call, &call(1, None)).unwrap();
    for (n, title) in [(9, "Nine"), (8, "Eight")] {
        post(&mut board, n, FOUNDER, Kind::Call, &Call { title: title.into(), ..call(2, Some(id(2))) })
            .unwrap();
    }
    let view = board.call_view(&id(2)).unwrap();
    assert!(view.conflicting);
    assert_eq!(view.body.title, "Eight");
}

#[test]
fn only_a_counter_counts_and_only_in_steps() {
    let mut board = Board::default();
    post(&mut board, 2, FOUNDER, Kind::Call, &call(1, None)).unwrap();
    let count = |count, closed| PledgeCount { call: id(2), count, closed };
    post(&mut board, 3, BOB, Kind::PledgeCount, &count(500, true)).unwrap();
    assert_eq!(board.count(&id(2)), None, "bob is no counter");
    assert!(post(&mut board, 4, FOUNDER, Kind::PledgeCount, &count(6, false)).is_err(), "not a whole step");
    assert!(post(&mut board, 5, FOUNDER, Kind::PledgeCount, &count(0, false)).is_err());
    post(&mut board, 6, FOUNDER, Kind::PledgeCount, &count(10, false)).unwrap();
    assert_eq!(board.count(&id(2)), Some((10, false)));
    post(&mut board, 7, FOUNDER, Kind::PledgeCount, &count(3, true)).unwrap();
    assert_eq!(board.count(&id(2)), Some((3, true)), "the close is final");
}

#[test]
fn the_last_answer_of_a_device_counts_in_any_order() {
    let mut board = Board::default();
    let answer = |n: u8| PledgeAnswer { call: id(2), sealed: vec![n; 40].into() };
    post(&mut board, 9, BOB, Kind::PledgeAnswer, &answer(9)).unwrap();
    post(&mut board, 8, BOB, Kind::PledgeAnswer, &answer(8)).unwrap();
    let standing: Vec<_> = board.answers(&id(2)).collect();
    assert_eq!(standing, [(&BOB, &Answer { seq: 9, sealed: vec![9; 40] })]);
}

#[test]
fn bodies_out_of_bounds_are_refused() {
    let bad_grievances = [
        Grievance { category: "pay.magic".into(), ..grievance() },
        Grievance { platform: String::new(), ..grievance() },
        Grievance { platform: "a\u{1b}[31m".into(), ..grievance() },
        Grievance { when: "yesterday".into(), ..grievance() },
        Grievance { when: "2026-11..".into(), ..grievance() },
        Grievance { when: "2026..2027..2028".into(), ..grievance() },
        Grievance { every: Some("century".into()), ..grievance() },
        Grievance { zone: Some(String::new()), ..grievance() },
        Grievance {
            amounts: vec![Amount { basis: Some("rumour".into()), ..grievance().amounts[0].clone() }],
            ..grievance()
        },
        Grievance { text: "x".repeat(17_000), ..grievance() },
        Grievance { amounts: vec![Amount { scale: 9, ..grievance().amounts[0].clone() }], ..grievance() },
    ];
    for when in ["", "2026", "2026-11", "2026-11-20", "2026-11-03..2026-11-20", "2026..2027"] {
        let body = Grievance { when: when.into(), ..grievance() };
        assert_eq!(Grievance::from_payload(&body.to_payload()), Ok(body));
    }
    for body in bad_grievances {
        assert!(Grievance::from_payload(&body.to_payload()).is_err(), "{body:?}");
    }
    let bad_calls = [
        Call { sequence: 0, ..call(1, None) },
        Call { legs: vec![], ..call(1, None) },
        Call { closes: 1001, ..call(1, None) },
        Call { expires: 1999, ..call(1, None) },
        Call { forms: vec!["riot".into()], ..call(1, None) },
        Call { forms: vec![], ..call(1, None) },
        Call { forms: vec!["picket".into(); 2], ..call(1, None) },
        Call { title: "a\nb".into(), ..call(1, None) },
    ];
    for body in bad_calls {
        assert!(Call::from_payload(&body.to_payload()).is_err(), "{body:?}");
    }
}
