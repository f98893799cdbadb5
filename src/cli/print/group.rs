//! What is connected, groups, members.

use owo_colors::OwoColorize;

use super::super::plain::{plain, who};
use super::{Printer, short};
use crate::control::Reply;
use crate::control::reply::{GroupStatus, Readable};
use crate::schedule::here;

impl Printer {
    pub(super) fn status(&self, reply: &Reply) -> bool {
        let Reply::Status { peer, listen, peers, groups, joining, refused, .. } = reply else { return true };
        let shown = match peer {
            Some(_) => {
                self.say("status-running", &[("listen", &listen.join(" ")), ("peers", &peers.to_string())])
            }
            None => self.say("status-not-running", &[]),
        };
        // Whoever has a phrase wants it everywhere; nobody else is told of it each time.
        let has_phrase = groups.iter().any(|group| group.phrase);
        let lacks = |group: &GroupStatus| has_phrase && !group.phrase && group.frozen.is_none();
        let all = groups.iter().all(|group| self.group_status(group, lacks(group)));
        if *joining > 0 {
            self.say("status-joining", &[("count", &joining.to_string())]);
        }
        for why in refused {
            let why = why.replace('_', "-");
            self.line(&format!(
                "{} {}",
                self.texts.get(&format!("err-{why}"), &[]),
                self.texts.get(&format!("rec-{why}"), &[])
            ));
        }
        shown && all
    }

    fn group_status(&self, group: &GroupStatus, lacks_phrase: bool) -> bool {
        let name = plain(&group.name);
        let heard = group.last_heard.as_deref().map_or_else(|| self.texts.get("never", &[]), here);
        let args = [
            ("name", name.as_str()),
            ("kind", &self.texts.get(&format!("kind-{}", group.kind), &[])),
            ("members", &group.members.to_string()),
            ("entries", &group.entries.to_string()),
            ("peers", &group.peers.to_string()),
            ("heard", &heard),
        ];
        let shown = self.say("status-group", &args);
        if let Some(why) = &group.frozen {
            self.say(&format!("frozen-{}", why.replace('_', "-")), &[("group", &name)]);
        }
        for proposal in &group.proposals {
            let id = short(proposal);
            self.say("status-proposal", &[("group", &crate::cli::quoted(&name)), ("id", id)]);
        }
        if group.waits_for_keys {
            self.say("status-waits-for-keys", &[("group", &crate::cli::quoted(&name))]);
        }
        if group.fell > 0 {
            let count = group.fell.to_string();
            self.say("status-fell", &[("group", &crate::cli::quoted(&name)), ("count", &count)]);
        }
        for person in &group.waiting {
            self.say("status-waiting", &[("group", &name), ("name", &who(person))]);
        }
        if group.pending > 0 {
            self.say("status-pending", &[("count", &group.pending.to_string())]);
        }
        for silent in &group.silent {
            let days = silent.days.to_string();
            let args = [("group", crate::cli::quoted(&name)), ("name", who(&silent.name)), ("days", days)];
            self.say("status-silent", &args.each_ref().map(|(k, v)| (*k, v.as_str())));
        }
        if lacks_phrase {
            self.say("status-no-phrase", &[("group", &name)]);
        }
        for person in &group.equivocators {
            self.say("status-equivocator", &[("name", &who(person)), ("group", &name)]);
        }
        for person in &group.excess {
            self.say("status-excess", &[("name", &who(person))]);
        }
        shown
    }

    /// `brief`: one of a list.
    pub(super) fn group(&self, reply: &Reply, brief: bool) -> bool {
        let Reply::Group { group, name, kind, role, members, words, chat_days, .. } = reply else {
            return true;
        };
        let count = self.texts.get("group-members", &[("count", &members.to_string())]);
        let role = self.texts.get(&format!("role-{role}"), &[]);
        let shown = self.line(&format!("{}  {}  {count}  {role}", plain(name).bold(), short(group)));
        let said = format!("group-{kind}");
        shown
            && (brief
                || self.say("group-words", &[("words", words)])
                    && self.say(&said, &[("name", &plain(name))])
                    && (*chat_days == 0 || self.say("group-chat", &[("days", &chat_days.to_string())])))
    }

    pub(super) fn member(&self, reply: &Reply) -> bool {
        let Reply::Member {
            member,
            name,
            role,
            votes,
            invited_by,
            joined,
            invited,
            share,
            last_heard,
            keyed,
            devices,
            verified,
            vouched_by,
            me,
        } = reply
        else {
            return true;
        };
        let mut parts = vec![
            who(name).bold().to_string(),
            short(member).to_owned(),
            self.texts.get(&format!("role-{role}"), &[]),
        ];
        if *votes {
            parts.push(self.texts.get("role-votes", &[]));
        }
        if *me {
            parts.push(self.texts.get("that-is-you", &[]));
        }
        let joined = joined.as_deref().map(here).unwrap_or_default();
        parts.push(match invited_by {
            Some(by) => self.texts.get("invited-by", &[("name", &who(by)), ("date", &joined)]),
            None => self.texts.get("founded", &[("date", &joined)]),
        });
        if *devices != 1 {
            parts.push(self.texts.get("devices", &[("count", &devices.to_string())]));
        }
        if *invited > 0 {
            let args = [("count", invited.to_string()), ("share", share.to_string())];
            parts.push(self.texts.get("let-in", &args.each_ref().map(|(k, v)| (*k, v.as_str()))));
        }
        if *verified {
            parts.push(self.texts.get("verified", &[]));
        }
        if !vouched_by.is_empty() {
            let names = vouched_by.iter().map(|by| who(by)).collect::<Vec<_>>().join(", ");
            parts.push(self.texts.get("vouched-by", &[("names", &names)]));
        }
        if !keyed {
            parts.push(self.texts.get("no-keys-yet", &[]));
        }
        if let Some(heard) = last_heard.as_deref().filter(|_| !me) {
            parts.push(self.texts.get("last-heard", &[("time", &here(heard))]));
        }
        self.line(&parts.join("  "))
    }

    pub(super) fn verification(&self, reply: &Reply) -> bool {
        let Reply::Verification { group, member, name, reading, verified, vouched } = reply else {
            return true;
        };
        let name = who(name);
        if *verified {
            let said = if *vouched { "verification-vouched" } else { "verification-done" };
            return self.say(said, &[("name", &name), ("group", short(group)), ("member", short(member))]);
        }
        self.say("verification-read", &[("name", &name), ("words", reading)])
            && self.say(
                "verification-hear",
                &[("name", &name), ("group", short(group)), ("member", short(member))],
            )
    }

    pub(super) fn removed(&self, name: &str, readable: &Readable) -> bool {
        let since = readable.since.as_deref().map_or_else(|| self.texts.get("never", &[]), here);
        self.say("removed", &[("name", &who(name))]);
        let args = [
            ("since", since),
            ("messages", readable.messages.to_string()),
            ("grievances", readable.grievances.to_string()),
            ("calls", readable.calls.to_string()),
            ("members", readable.members.to_string()),
        ];
        self.say("removed-readable", &args.each_ref().map(|(k, v)| (*k, v.as_str())))
    }
}
