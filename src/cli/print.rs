//! What commands print: JSON for programs, sentences and short tables for people.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use owo_colors::OwoColorize;
use piquet_protocol::replica::Frozen;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use super::plain::plain;
use crate::control::reply::GroupStatus;
use crate::control::{Failure, Reply, Request};
use crate::daemon::UpEvent;
use crate::i18n::Texts;
use crate::schedule::wall;

/// What a list was of, for saying that it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Groups,
    Messages,
    Invites,
    Grievances,
    Strikes,
    Other,
}

impl Listing {
    pub(super) fn of(request: &Request) -> Self {
        match request {
            Request::GroupList => Self::Groups,
            Request::Read { follow: false, .. } => Self::Messages,
            Request::InviteList { .. } => Self::Invites,
            Request::GrievanceList { .. } => Self::Grievances,
            Request::StrikeList { .. } => Self::Strikes,
            _ => Self::Other,
        }
    }

    fn sentence(self) -> Option<&'static str> {
        match self {
            Self::Groups => Some("no-groups"),
            Self::Messages => Some("no-messages"),
            Self::Invites => Some("no-invites"),
            Self::Grievances => Some("no-grievances"),
            Self::Strikes => Some("no-strikes"),
            Self::Other => None,
        }
    }
}

/// Whether a request writes something that others are to get.
pub(super) fn writes(request: &Request) -> bool {
    !matches!(
        request,
        Request::Status
            | Request::GroupList
            | Request::GroupShow { .. }
            | Request::GroupMembers { .. }
            | Request::InviteList { .. }
            | Request::Join { .. }
            | Request::Read { .. }
            | Request::GrievanceList { .. }
            | Request::GrievanceShow { .. }
            | Request::StrikeList { .. }
            | Request::StrikeShow { .. }
            | Request::Doctor
    )
}

/// Prints in one language and form.
#[derive(Clone)]
pub(super) struct Printer {
    json: bool,
    texts: Arc<Texts>,
}

impl Printer {
    pub(super) fn new(json: bool, texts: Texts) -> Self {
        Self { json, texts: Arc::new(texts) }
    }

    pub(super) fn texts(&self) -> &Texts {
        &self.texts
    }

    /// Prints a line; false once nobody reads any more, which is no failure.
    fn line(&self, text: &str) -> bool {
        let mut out = anstream::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
    }

    fn json(&self, value: &serde_json::Value) -> bool {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{value}").and_then(|()| out.flush()).is_ok()
    }

    fn say(&self, id: &str, args: &[(&str, &str)]) -> bool {
        self.line(&self.texts.get(id, args))
    }

    /// A word to people; programs are not told.
    pub(super) fn note(&self, id: &str, args: &[(&str, &str)]) {
        if !self.json {
            self.say(id, args);
        }
    }

    /// An empty list.
    pub(super) fn empty(&self, what: Listing) {
        if let Some(sentence) = what.sentence() {
            self.note(sentence, &[]);
        }
    }

    /// Where a profile is.
    pub(super) fn made(&self, home: &Path) {
        let home = home.to_string_lossy();
        if self.json {
            self.json(&json!({ "home": home }));
        } else {
            self.say("made-profile", &[("home", &home)]);
        }
    }

    /// Why a group takes nothing from this profile any more.
    pub(super) fn frozen(&self, group: &str, why: Frozen) {
        let id = match why {
            Frozen::RolledBack => "frozen-rolled-back",
            Frozen::NeedsNewer => "frozen-needs-newer",
            Frozen::Mending => "frozen-mending",
            Frozen::Ended => return,
        };
        self.note(id, &[("group", &plain(group))]);
    }

    /// A code for a camera.
    pub(super) fn qr(&self, code: &str) -> bool {
        if self.json {
            return true;
        }
        let Ok(qr) = qrcode::QrCode::with_error_correction_level(code, qrcode::EcLevel::L) else {
            return true;
        };
        // Dark terminals: light modules must be the bright ones.
        let (dark, light) = (Dense1x2::Light, Dense1x2::Dark);
        self.line(&qr.render::<Dense1x2>().dark_color(dark).light_color(light).quiet_zone(true).build())
    }

    /// Why nothing was done, and what to do.
    pub(super) fn failure(&self, failure: &Failure) {
        let code = failure.code.replace('_', "-");
        let args: Vec<(&str, String)> = failure.args.iter().map(|(k, v)| (k.as_str(), plain(v))).collect();
        let args: Vec<(&str, &str)> = args.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let message = self.texts.get(&format!("err-{code}"), &args);
        let hint = self.texts.get(&format!("rec-{code}"), &args);
        // Nobody to tell if the terminal is gone.
        if self.json {
            let error = json!({ "error": { "code": failure.code, "message": message, "hint": hint } });
            let _ = writeln!(std::io::stderr(), "{error}");
        } else {
            let _ = writeln!(anstream::stderr(), "{} {message}\n{hint}", "✗".red());
        }
    }

    /// One reply; false once nobody reads any more.
    pub(super) fn reply(&self, reply: &Reply) -> bool {
        match reply {
            Reply::Offline if self.json => true,
            Reply::Finding { check, ok, .. } if self.json => {
                let mut value = reply.to_json();
                value["hint"] = json!(self.advice(check, *ok));
                self.json(&value)
            }
            _ if self.json => self.json(&reply.to_json()),
            Reply::Status { peer, listen, peers, groups, joining, .. } => {
                self.status(peer.as_deref(), listen, *peers, groups, *joining)
            }
            Reply::Group { .. } => self.group(reply),
            Reply::Member { .. } => self.member(reply),
            Reply::Removed { .. } => self.say("removed", &[]),
            Reply::Done { .. } => self.say("done", &[]),
            Reply::Invite { .. } => self.invite(reply),
            Reply::Join { .. } => self.join(reply),
            Reply::Message { .. } => self.message(reply),
            Reply::Grievance { .. } => self.grievance(reply),
            Reply::Strike { .. } => self.strike(reply),
            Reply::Finding { check, ok, detail } => self.finding(check, *ok, detail),
            Reply::Offline => self.say("offline", &[]),
        }
    }

    fn status(
        &self,
        peer: Option<&str>,
        listen: &[String],
        peers: usize,
        groups: &[GroupStatus],
        joining: usize,
    ) -> bool {
        match peer {
            Some(_) => {
                self.say("status-running", &[("listen", &listen.join(" ")), ("peers", &peers.to_string())])
            }
            None => self.say("status-not-running", &[]),
        };
        for group in groups {
            let (members, entries) = (group.members.to_string(), group.entries.to_string());
            let heard = group.last_heard.clone().unwrap_or_else(|| "–".to_owned());
            let peers = group.peers.to_string();
            let args = [
                ("name", plain(&group.name)),
                ("members", members),
                ("entries", entries),
                ("peers", peers),
                ("heard", heard),
            ];
            let args: Vec<(&str, &str)> = args.iter().map(|(k, v)| (*k, v.as_str())).collect();
            self.say("status-group", &args);
            if let Some(why) = &group.frozen {
                self.say(&format!("frozen-{}", why.replace('_', "-")), &[("group", &plain(&group.name))]);
            }
            if group.pending > 0 {
                self.say("status-pending", &[("count", &group.pending.to_string())]);
            }
            for name in &group.equivocators {
                self.say("status-equivocator", &[("name", &plain(name))]);
            }
        }
        if joining > 0 {
            self.say("status-joining", &[("count", &joining.to_string())]);
        }
        true
    }

    fn group(&self, reply: &Reply) -> bool {
        let Reply::Group { group, name, role, members, .. } = reply else { return true };
        let count = self.texts.get("group-members", &[("count", &members.to_string())]);
        let role = self.texts.get(&format!("role-{role}"), &[]);
        self.line(&format!("{}  {}  {count}  {role}", plain(name).bold(), short(group)));
        self.say("group-draft", &[])
    }

    fn member(&self, reply: &Reply) -> bool {
        let Reply::Member { member, name, role, invited_by, last_heard, me } = reply else { return true };
        let role = self.texts.get(&format!("role-{role}"), &[]);
        let by = invited_by
            .as_ref()
            .map(|by| self.texts.get("invited-by", &[("name", &plain(by))]))
            .unwrap_or_default();
        let me = if *me { self.texts.get("that-is-you", &[]) } else { String::new() };
        let heard = last_heard.clone().unwrap_or_default();
        self.line(&format!("{}  {}  {role}  {by}  {heard}  {me}", plain(name).bold(), short(member)))
    }

    fn invite(&self, reply: &Reply) -> bool {
        let Reply::Invite { invite, code, uses, used, expires, issuer, state } = reply else { return true };
        let state = self.texts.get(&format!("code-{state}"), &[]);
        self.line(&format!("{}  {state}  {used}/{uses}  {expires}  {}", short(invite), plain(issuer)));
        code.as_ref().is_none_or(|code| self.line(&code.bold().to_string()))
    }

    fn join(&self, reply: &Reply) -> bool {
        let Reply::Join { name, state, words, .. } = reply else { return true };
        let name = plain(&name.clone().unwrap_or_default());
        self.say(
            if state == "joined" { "join-joined" } else { "join-waiting" },
            &[("name", &name), ("words", words)],
        )
    }

    fn message(&self, reply: &Reply) -> bool {
        let Reply::Message { name, time, text, state, delivered, of, .. } = reply else { return true };
        let state = match state.as_str() {
            "delivered" => self
                .texts
                .get("state-delivered", &[("delivered", &delivered.to_string()), ("of", &of.to_string())]),
            "saved" => self.texts.get("state-saved", &[]),
            _ => String::new(),
        };
        let time = time.get(..16).unwrap_or(time).replace('T', " ");
        self.line(&format!("{} {} {}  {}", time.dimmed(), plain(name).bold(), plain(text), state.dimmed()))
    }

    fn grievance(&self, reply: &Reply) -> bool {
        let Reply::Grievance { id, category, platform, when, place, amounts, text, name, support, .. } =
            reply
        else {
            return true;
        };
        let backed = self.texts.get("grievance-support", &[("count", &support.to_string())]);
        self.line(&format!("{}  {}  {}  {}", short(id), category.bold(), plain(platform), backed));
        let about: Vec<String> =
            [when, place].into_iter().chain(amounts).filter(|t| !t.is_empty()).map(|t| plain(t)).collect();
        self.line(&format!("    {}  {}", plain(name), about.join("  ")));
        text.is_empty() || self.line(&format!("    {}", plain(text)))
    }

    fn strike(&self, reply: &Reply) -> bool {
        let Reply::Strike {
            id,
            title,
            state,
            form,
            demands,
            legs,
            pledges,
            threshold,
            caller,
            counters,
            mine,
            reason,
            conflicting,
            closes,
            ..
        } = reply
        else {
            return true;
        };
        let state = self.texts.get(&format!("strike-{}", state.replace('_', "-")), &[]);
        self.line(&format!("{}  {}  {state}", short(id), plain(title).bold()));
        if let Some(reason) = reason {
            self.say("strike-reason", &[("reason", &plain(reason))]);
        }
        for leg in legs {
            let end = leg.end_local.replace('T', " ");
            self.line(&format!(
                "    {}  {}  {} – {end}",
                plain(&leg.zone),
                plain(&leg.place),
                plain(&leg.start_local.replace('T', " "))
            ));
        }
        self.line(&format!("    {}", self.texts.get(&format!("form-{}", form.replace('_', "-")), &[])));
        for demand in demands {
            self.line(&format!("    – {}", plain(demand)));
        }
        let zone = legs.first().map(|leg| leg.zone.as_str()).unwrap_or("UTC");
        let closes = jiff::Timestamp::strptime("%Y-%m-%dT%H:%M:%SZ", closes)
            .ok()
            .and_then(|t| u64::try_from(t.as_second()).ok())
            .map_or_else(|| closes.clone(), |seconds| wall(seconds, zone));
        match pledges {
            Some(count) => self.say(
                "strike-pledges",
                &[("count", &count.to_string()), ("threshold", &threshold.to_string())],
            ),
            None => self.say("strike-hidden", &[("threshold", &threshold.to_string())]),
        };
        self.say("strike-closes", &[("time", &closes)]);
        if *mine {
            self.say("strike-mine", &[]);
        }
        if *conflicting {
            self.say("strike-conflicting", &[]);
        }
        self.say("strike-caller", &[("name", &plain(caller))]);
        let counters: Vec<String> = counters.iter().map(|name| plain(name)).collect();
        self.say("strike-counters", &[("names", &counters.join(", "))])
    }

    fn finding(&self, check: &str, ok: bool, detail: &str) -> bool {
        let mark = if ok { "✓".green().to_string() } else { "✗".red().to_string() };
        let shown = self.line(&format!("{mark} {}  {}", plain(check), plain(detail)));
        match self.advice(check, ok) {
            Some(advice) => self.line(&format!("  {advice}")),
            None => shown,
        }
    }

    /// What to do about a finding.
    fn advice(&self, check: &str, ok: bool) -> Option<String> {
        let subject = check.split(' ').next().filter(|_| !ok)?;
        Some(self.texts.get(&format!("doctor-{subject}"), &[]))
    }

    /// What a running node tells.
    pub(super) fn event(&self, event: &UpEvent) {
        match event {
            UpEvent::Ready { peer, listen } if self.json => {
                self.json(&json!({ "event": "ready", "peer": peer, "listen": listen, "web": null }));
            }
            UpEvent::Ready { listen, .. } => {
                self.say("ready", &[("listen", &listen.join(" "))]);
            }
            UpEvent::Message(reply) if self.json => {
                let mut value = reply.to_json();
                value["event"] = json!("message");
                self.json(&value);
            }
            UpEvent::Message(reply) => {
                self.reply(reply);
            }
            UpEvent::Happened { what, group, name } if self.json => {
                self.json(&json!({ "event": what, "group": group, "name": name }));
            }
            UpEvent::Happened { what, name, .. } => {
                self.say(&format!("event-{}", what.replace('_', "-")), &[("name", &plain(name))]);
            }
        }
    }
}

/// The start of an id: enough to name it.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
