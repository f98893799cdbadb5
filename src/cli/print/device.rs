//! A member's devices.

use owo_colors::OwoColorize;
use serde_json::json;

use super::super::plain::who;
use super::{Printer, short};
use crate::control::Reply;
use crate::control::request::Words;
use crate::schedule::here;

impl Printer {
    pub(super) fn device(&self, reply: &Reply) -> bool {
        let Reply::Device { device, name, here: this, keyed, last_heard, dropped, .. } = reply else {
            return true;
        };
        if *dropped {
            return self.say("device-dropped", &[("device", short(device)), ("name", &who(name))]);
        }
        let mut parts = vec![short(device).bold().to_string(), who(name)];
        if *this {
            parts.push(self.texts.get("device-here", &[]));
        }
        if !keyed {
            parts.push(self.texts.get("no-keys-yet", &[]));
        }
        if let Some(heard) = last_heard.as_deref().filter(|_| !this) {
            parts.push(self.texts.get("last-heard", &[("time", &here(heard))]));
        }
        self.line(&parts.join("  "))
    }

    /// A new recovery phrase, once.
    pub(in crate::cli) fn phrase(&self, phrase: &Words) -> bool {
        if self.json {
            return self.json(&json!({ "phrase": phrase.0 }));
        }
        let words = phrase.0.split(' ').enumerate();
        words.map(|(at, word)| format!("{:>4}  {word}", at + 1)).all(|line| self.raw(&line))
    }

    pub(super) fn device_code(&self, (group, invite): (&str, &str), code: &str, expires: &str) -> bool {
        let args = [("expires", &*here(expires)), ("group", short(group)), ("invite", short(invite))];
        self.note("device-code", &args);
        self.raw(&code.bold().to_string())
    }
}
