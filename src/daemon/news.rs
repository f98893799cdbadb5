//! What happened in a group, told to whoever watches the node.

use piquet_protocol::action::board::CallView;
use piquet_protocol::id::{EntryId, MemberId};
use piquet_protocol::replica::{Change, Event, Replica};

use super::{answers, decisions};

/// One thing that happened.
pub(super) struct News {
    /// For programs.
    pub(super) what: &'static str,
    /// The sentence for people; none for what would only make noise.
    pub(super) sentence: Option<&'static str>,
    /// What is to be said of it.
    pub(super) details: Vec<(&'static str, String)>,
}

impl News {
    fn plain(what: &'static str) -> Self {
        Self { what, sentence: Some(what), details: Vec::new() }
    }

    fn of(what: &'static str, sentence: &'static str, details: Vec<(&'static str, String)>) -> Self {
        Self { what, sentence: Some(sentence), details }
    }
}

/// `None` for what nobody needs to hear of.
pub(super) fn news(replica: &Replica, event: &Event) -> Option<News> {
    Some(match event {
        Event::Message(_) | Event::Rejected(_) => return None,
        Event::Joined => News::plain("joined"),
        Event::Removed if answers::is_taken_out(replica) => News::of("removed", "taken-out", Vec::new()),
        Event::Removed => News::plain("removed"),
        Event::Founded => News::plain("founded"),
        Event::Proposal(act) => proposal(replica, act),
        Event::Equivocation(device) => {
            let member = replica.view().owner_of(device);
            let details = vec![("member", member.to_hex()), ("who", answers::name(replica, &member))];
            News::of("equivocation", "equivocation", details)
        }
        Event::RolledBack => News::plain("rolled_back"),
        Event::NeedsNewer => News::plain("needs_newer"),
        Event::Full => News::plain("group_full"),
        Event::Members(member, change) => membership(replica, member, *change),
        Event::Rekeyed(member) => {
            let sentence = if *member == replica.member() { "rekeyed-self" } else { "rekeyed" };
            let details = vec![("member", member.to_hex()), ("who", answers::name(replica, member))];
            News::of("rekeyed", sentence, details)
        }
        Event::Device(member, device, linked) => {
            let own = *member == replica.member();
            let sentence = match (linked, own) {
                (true, false) => "device-linked",
                (true, true) => "device-linked-self",
                (false, _) => "device-dropped",
            };
            let details = vec![
                ("member", member.to_hex()),
                ("who", answers::name(replica, member)),
                ("device", device.to_hex()),
                ("change", if *linked { "linked" } else { "dropped" }.to_owned()),
            ];
            News::of("device", sentence, details)
        }
        Event::Named(member) => {
            let details = vec![("member", member.to_hex()), ("who", answers::name(replica, member))];
            News::of("named", "named", details)
        }
        Event::Record(id) => record(replica, id),
    })
}

fn membership(replica: &Replica, member: &MemberId, change: Change) -> News {
    let (said, sentence, by) = match change {
        Change::In(by) => ("in", "members-in", by),
        Change::Out(by) => ("out", "members-out", Some(by)),
        Change::Expelled => ("expelled", "members-expelled", None),
        Change::Left => ("left", "members-left", None),
        Change::Fell => ("fell", "members-fell", None),
    };
    let by = by.map(|by| answers::name(replica, &by)).unwrap_or_default();
    let details = vec![
        ("member", member.to_hex()),
        ("who", answers::name(replica, member)),
        ("change", said.to_owned()),
        ("by", by),
    ];
    News::of("members", sentence, details)
}

fn proposal(replica: &Replica, act: &EntryId) -> News {
    let found = replica.proposed().find(|(id, _)| *id == act);
    let (kind, author) = match found {
        Some((_, proposed)) => ("found", proposed.parameters.founder.into()),
        None => {
            let kind = replica.operation(act).map_or("other", |operation| decisions::matter(operation).0);
            let author = replica.proposals().into_iter().find(|proposal| proposal.act == *act);
            (kind, author.map_or(replica.member(), |proposal| proposal.author))
        }
    };
    let details =
        vec![("id", act.to_hex()), ("kind", kind.to_owned()), ("who", answers::name(replica, &author))];
    News::of("proposal", "proposal", details)
}

fn record(replica: &Replica, id: &EntryId) -> News {
    let board = replica.board();
    if let Some(grievance) = board.grievance(id) {
        let details = vec![
            ("kind", "grievance".to_owned()),
            ("id", id.to_hex()),
            ("who", answers::name(replica, &grievance.author)),
            ("platform", grievance.body.platform.clone()),
        ];
        return News::of("record", "grievance", details);
    }
    match board.calls().find_map(|(call, view)| Some((call, said_of(id, &call, &view)?, view))) {
        Some((call, (kind, sentence), view)) => {
            let details = vec![
                ("kind", kind.to_owned()),
                ("id", call.to_hex()),
                ("who", answers::name(replica, &view.author)),
                ("title", view.body.title),
            ];
            News::of("record", sentence, details)
        }
        // Support and answers to calls: everybody's, one after the other.
        None => News { what: "record", sentence: None, details: vec![("kind", "other".to_owned())] },
    }
}

/// What an entry is to a call.
fn said_of(entry: &EntryId, call: &EntryId, view: &CallView) -> Option<(&'static str, &'static str)> {
    match () {
        () if view.off == Some(*entry) => Some(("call_off", "call-off")),
        () if view.version == *entry && call != entry => Some(("change", "call-changed")),
        () if call == entry => Some(("call", "call")),
        () => None,
    }
}
