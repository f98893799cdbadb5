//! What commands print: JSON for programs, sentences and short tables for people.

mod device;
mod grievance;
mod group;
mod proposal;
mod strike;
mod talk;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use owo_colors::OwoColorize;
use piquet_protocol::replica::Frozen;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use super::plain::{plain, who};
use crate::control::reply::SentReply;
use crate::control::{Failure, Reply, Request, request};
use crate::daemon::UpEvent;
use crate::i18n::Texts;

/// What a list was of, for saying that it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Groups,
    Messages,
    Invites,
    Grievances,
    Strikes,
    Proposals,
    Recovery,
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
            Request::ProposalList { .. } => Self::Proposals,
            Request::RecoverySet { .. } => Self::Recovery,
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
            Self::Proposals => Some("no-proposals"),
            Self::Recovery => Some("recovery-nowhere"),
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
            | Request::GroupVerify { wish: request::Verify { vouch: false, .. }, .. }
            | Request::InviteList { .. }
            | Request::ProposalList { .. }
            | Request::ProposalShow { .. }
            | Request::Join { .. }
            | Request::DeviceList { .. }
            | Request::Read { .. }
            | Request::GrievanceList { .. }
            | Request::GrievanceShow { .. }
            | Request::StrikeList { .. }
            | Request::StrikeShow { .. }
            | Request::Backup { .. }
            | Request::Doctor
            | Request::Stop
    )
}

/// Columns of a line where nothing says how many there are.
const COLUMNS: usize = 80;

/// Prints in one language and form.
#[derive(Clone)]
pub(super) struct Printer {
    json: bool,
    texts: Arc<Texts>,
    /// Columns of the terminal; none if it is none.
    columns: Option<usize>,
    /// How a command begins that is to do the same here: `piquet`, and `--home DIR` if that was said.
    called: String,
}

impl Printer {
    pub(super) fn new(json: bool, texts: Texts, called: String) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let columns = terminal.then(|| textwrap::termwidth().clamp(20, 4 * COLUMNS));
        Self { json, texts: Arc::new(texts), columns, called }
    }

    pub(super) fn texts(&self) -> &Texts {
        &self.texts
    }

    /// Prints what is one line but for the width of a terminal; false once nobody reads any more, which is
    /// no failure. Nothing of it but its first line begins at the margin.
    fn line(&self, text: &str) -> bool {
        match self.columns {
            Some(columns) => self.raw(&wrapped(text, columns)),
            None => self.raw(text),
        }
    }

    /// Prints a line as it is, for what is copied or scanned.
    fn raw(&self, text: &str) -> bool {
        let mut out = anstream::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
    }

    fn json(&self, value: &serde_json::Value) -> bool {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{value}").and_then(|()| out.flush()).is_ok()
    }

    fn say(&self, id: &str, args: &[(&str, &str)]) -> bool {
        self.line(&self.advice_here(self.texts.get(id, args)))
    }

    /// A word to people beside the result, which alone goes where scripts read; programs are not told.
    pub(super) fn note(&self, id: &str, args: &[(&str, &str)]) {
        if !self.json {
            let text = self.advice_here(self.texts.get(id, args));
            let text = self.columns.map_or(text.clone(), |columns| wrapped(&text, columns));
            // Nobody to tell if the terminal is gone.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// Advice whose commands work as they stand.
    pub(super) fn advice_here(&self, text: String) -> String {
        let command = &self.called;
        let text =
            text.replace("`piquet ", &format!("`{command} ")).replace("`piquet`", &format!("`{command}`"));
        text.strip_prefix("piquet ").map_or(text.clone(), |rest| format!("{command} {rest}"))
    }

    /// An empty list.
    pub(super) fn empty(&self, what: Listing) {
        if let Some(sentence) = what.sentence() {
            self.note(sentence, &[]);
        }
    }

    /// What is made for other programs; nobody who reads it any more is no failure.
    pub(super) fn bytes(&self, bytes: &[u8]) {
        let _ = std::io::stdout().write_all(bytes);
    }

    /// What was done to a profile, and where it is.
    pub(super) fn home(&self, home: &Path, said: &str) {
        let home = home.to_string_lossy();
        if self.json {
            self.json(&json!({ "home": home }));
        } else {
            self.say(said, &[("home", &home)]);
        }
    }

    /// Why a group takes nothing from this profile any more.
    pub(super) fn frozen(&self, group: &str, why: Frozen) {
        let id = match why {
            Frozen::RolledBack => "frozen-rolled-back",
            Frozen::NeedsNewer => "frozen-needs-newer",
            Frozen::Mending => "frozen-mending",
            Frozen::Restored => "frozen-restored",
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
        // Light modules must be the bright ones. Without colours, a terminal is taken to be a dark one.
        let colours = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        let (dark, light) =
            if colours { (Dense1x2::Dark, Dense1x2::Light) } else { (Dense1x2::Light, Dense1x2::Dark) };
        let drawn = qr.render::<Dense1x2>().dark_color(dark).light_color(light).quiet_zone(true).build();
        drawn.lines().all(|row| self.raw(&row.black().on_bright_white().to_string()))
    }

    /// Why nothing was done, and what to do.
    pub(super) fn failure(&self, failure: &Failure) {
        let code = failure.code.replace('_', "-");
        let args = failure.args.iter().map(|(k, v)| (k.as_str(), plain(v)));
        // Advice names the group that was asked for, if one was.
        let group = (!failure.args.contains_key("group")).then(|| ("group", self.texts.get("a-group", &[])));
        let args: Vec<(&str, String)> = args.chain(group).collect();
        let args: Vec<(&str, &str)> = args.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let message = self.texts.get(&format!("err-{code}"), &args);
        let hint = self.advice_here(self.texts.get(&format!("rec-{code}"), &args));
        self.wrong(&failure.code, &message, &hint);
    }

    pub(super) fn wrong(&self, code: &str, message: &str, hint: &str) {
        // Nobody to tell if the terminal is gone.
        if self.json {
            let error = json!({ "error": { "code": code, "message": message, "hint": hint } });
            let _ = writeln!(std::io::stderr(), "{error}");
        } else {
            let _ = writeln!(anstream::stderr(), "{} {message}\n{hint}", "✗".red());
        }
    }

    /// One reply; false once nobody reads any more.
    pub(super) fn reply(&self, reply: &Reply) -> bool {
        self.listed(reply, Listing::Other)
    }

    /// One reply of a list, told in short.
    pub(super) fn listed(&self, reply: &Reply, list: Listing) -> bool {
        match reply {
            Reply::Finding { check, ok, .. } if self.json => {
                let mut value = reply.to_json();
                value["hint"] = json!(self.advice(check, *ok));
                self.json(&value)
            }
            _ if self.json => self.json(&reply.to_json()),
            Reply::Status { .. } => self.status(reply),
            Reply::Group { .. } => self.group(reply, list == Listing::Groups),
            Reply::Member { .. } => self.member(reply),
            Reply::Removed { name, readable, .. } => self.removed(name, readable),
            Reply::Verification { .. } => self.verification(reply),
            Reply::Proposal { .. } => self.proposal(reply, list == Listing::Proposals),
            Reply::Left { name, .. } => self.say("left", &[("name", &plain(name))]),
            Reply::Done { .. } => self.say("done", &[]),
            Reply::Invite { .. } => self.invite(reply),
            Reply::Device { .. } => self.device(reply),
            Reply::DeviceCode { group, invite, code, expires } => {
                self.device_code((group, invite), code, expires)
            }
            Reply::Recovery { name, state, .. } => {
                self.say(&format!("recovery-{state}"), &[("name", &plain(name))])
            }
            Reply::Backup { .. } => self.backup(reply),
            Reply::Restored { file, groups, entries } => {
                let (groups, entries) = (groups.to_string(), entries.to_string());
                self.say("restored", &[("file", file), ("groups", &groups), ("entries", &entries)])
            }
            Reply::Join { .. } => self.join(reply),
            Reply::Message { .. } => self.message(reply),
            Reply::Grievance { .. } => self.grievance(reply),
            Reply::Strike { .. } => self.strike(reply, list == Listing::Strikes),
            Reply::Finding { check, ok, detail } => self.finding(check, *ok, detail),
        }
    }

    /// How far something of one's own has come.
    fn sent(&self, sent: &SentReply) -> String {
        match sent.state.as_str() {
            "delivered" => self.texts.get(
                "state-delivered",
                &[("delivered", &sent.delivered.to_string()), ("of", &sent.of.to_string())],
            ),
            "saved" => self.texts.get("state-saved", &[]),
            _ => String::new(),
        }
    }

    fn backup(&self, reply: &Reply) -> bool {
        let Reply::Backup { file, groups, entries, left_out } = reply else { return true };
        let (groups, entries) = (groups.to_string(), entries.to_string());
        let said = self.say("backup-written", &[("file", file), ("groups", &groups), ("entries", &entries)]);
        left_out.iter().fold(said, |_, name| self.say("backup-left-out", &[("name", &plain(name))]))
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
            UpEvent::Disk { what } if self.json => {
                self.json(&json!({ "event": what }));
            }
            UpEvent::Disk { what } => {
                self.say(&format!("event-{}", what.replace('_', "-")), &[]);
            }
            UpEvent::Happened { what, group, name, details, .. } if self.json => {
                let mut value = json!({ "event": what, "group": group, "name": name });
                for (key, said) in details {
                    value[*key] = json!(said);
                }
                self.json(&value);
            }
            UpEvent::Happened { sentence: Some(sentence), name, details, .. } => {
                let shown = |(key, said): &(&'static str, String)| match *key {
                    "who" | "by" => (*key, who(said)),
                    "id" | "member" | "device" => (*key, short(said).to_owned()),
                    _ => (*key, plain(said)),
                };
                let group = [("name", plain(name)), ("group", super::quoted(&plain(name)))];
                let args: Vec<_> = group.into_iter().chain(details.iter().map(shown)).collect();
                let args: Vec<(&str, &str)> = args.iter().map(|(key, said)| (*key, said.as_str())).collect();
                self.say(&format!("event-{}", sentence.replace('_', "-")), &args);
            }
            UpEvent::Happened { sentence: None, .. } => {}
        }
    }
}

/// Wraps each line of a text, what follows indented beyond what began it.
fn wrapped(text: &str, columns: usize) -> String {
    let wrap = |line: &str| {
        let own: String = line.chars().take_while(|c| *c == ' ').take(columns / 4).collect();
        let hanging = format!("{own}  ");
        let options = textwrap::Options::new(columns).subsequent_indent(&hanging);
        textwrap::wrap(line, options).join("\n")
    };
    text.split('\n').map(wrap).collect::<Vec<_>>().join("\n")
}

/// The start of an id: enough to name it.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_text_begins_no_line_of_its_own() {
        let text = format!("03:20 bob: hi{}03:21 alice: the strike is off", " ".repeat(67));
        let shown = wrapped(&text, 80);
        assert!(
            shown.lines().count() > 1 && shown.lines().skip(1).all(|line| line.starts_with("  ")),
            "{shown}"
        );
        let long = wrapped(&format!("a {}", "罢工".repeat(60)), 40);
        assert!(long.lines().skip(1).all(|line| line.starts_with("  ")), "{long}");
    }
}
