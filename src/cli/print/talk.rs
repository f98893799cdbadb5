//! Invite codes, joins, messages.

use owo_colors::OwoColorize;

use super::super::plain::{plain, who};
use super::{Printer, short};
use crate::control::Reply;
use crate::control::reply::SentReply;
use crate::schedule::here;

impl Printer {
    pub(super) fn invite(&self, reply: &Reply) -> bool {
        let Reply::Invite { invite, code, uses, used, expires, issuer, state } = reply else { return true };
        let state = self.texts.get(&format!("code-{state}"), &[]);
        let facts = self.texts.get(
            "code-facts",
            &[
                ("used", &used.to_string()),
                ("uses", &uses.to_string()),
                ("expires", &here(expires)),
                ("issuer", &who(issuer)),
            ],
        );
        self.line(&format!("{}  {state}  {facts}", short(invite)));
        code.as_ref().is_none_or(|code| self.raw(&code.bold().to_string()))
    }

    pub(super) fn join(&self, reply: &Reply) -> bool {
        let Reply::Join { name, state, words, .. } = reply else { return true };
        let name = plain(&name.clone().unwrap_or_default());
        let id = if state == "joined" { "join-joined" } else { "join-waiting" };
        self.say(id, &[("name", &name), ("words", words)])
    }

    pub(super) fn message(&self, reply: &Reply) -> bool {
        let Reply::Message { name, time, text, edited, state, delivered, of, .. } = reply else {
            return true;
        };
        let edited = match (edited, text.is_empty()) {
            (false, _) => String::new(),
            (true, false) => self.texts.get("message-edited", &[]),
            (true, true) => self.texts.get("message-retracted", &[]),
        };
        let sent = self.sent(&SentReply { state: state.clone(), delivered: *delivered, of: *of });
        let facts: Vec<String> = [edited, sent].into_iter().filter(|fact| !fact.is_empty()).collect();
        let facts = if facts.is_empty() { String::new() } else { format!("  ({})", facts.join(", ")) };
        let (name, time) = (who(name), here(time));
        let said =
            if text.is_empty() { facts.trim_start() } else { &format!("{}{}", plain(text), facts.dimmed()) };
        self.line(&format!("{} {}: {said}", time.dimmed(), name.bold()))
    }
}
