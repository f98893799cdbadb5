//! `piquet send …`, `edit`, `retract` and `read`

use std::io::Read as _;

use clap::Args;
use piquet_protocol::action::message::MAX_TEXT;

use crate::control::{Failure, Request};

/// Longest text taken from standard input, in bytes: well over what a message may be.
const MAX_STDIN: u64 = 64 * 1024;

#[derive(Args)]
pub(super) struct Send {
    /// Name, id, or a unique prefix of either.
    group: String,
    /// What to say; `-` reads it from standard input.
    text: String,
}

impl Send {
    pub(super) fn request(self) -> Result<Request, Failure> {
        Ok(Request::Send { text: as_typed(self.text)?, group: self.group })
    }
}

#[derive(Args)]
pub(super) struct Edit {
    /// Name, id, or a unique prefix of either.
    group: String,
    /// What it says instead; `-` reads it from standard input.
    text: String,
    /// Which message of this laptop's: its id, or a unique prefix [default: the newest].
    #[arg(long, value_name = "ID")]
    message: Option<String>,
}

impl Edit {
    pub(super) fn request(self) -> Result<Request, Failure> {
        let text = as_typed(self.text)?;
        if text.is_empty() {
            return Err(Failure::new("no_text", 1));
        }
        Ok(Request::Edit { group: self.group, message: self.message, text })
    }
}

#[derive(Args)]
pub(super) struct Retract {
    /// Name, id, or a unique prefix of either.
    group: String,
    /// Which message of this laptop's: its id, or a unique prefix [default: the newest].
    #[arg(long, value_name = "ID")]
    message: Option<String>,
}

impl Retract {
    pub(super) fn request(self) -> Request {
        Request::Edit { group: self.group, message: self.message, text: String::new() }
    }
}

fn as_typed(text: String) -> Result<String, Failure> {
    let text = if text == "-" { from_stdin()? } else { text };
    // Line ends and tabulators of other programs are no reason to refuse a text.
    let text = text.replace("\r\n", "\n").replace('\t', "    ");
    if text.len() > MAX_TEXT {
        return Err(Failure::new("too_long", 1).with("bytes", MAX_TEXT.to_string()));
    }
    Ok(text)
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_STDIN).read_to_string(&mut text);
    read.map_err(|_| Failure::new("not_text", 5))?;
    Ok(text.trim_end().to_owned())
}

#[derive(Args)]
pub(super) struct Read {
    /// Name, id, or a unique prefix of either.
    group: String,
    /// Go on and show new messages as they come.
    #[arg(long)]
    follow: bool,
    /// At most so many: of the newest, or of those that follow --since [default: the newest 50, or all that
    /// follow].
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only what comes after this message: its id, or a unique prefix.
    #[arg(long, value_name = "ID")]
    since: Option<String>,
}

impl Read {
    pub(super) fn request(self) -> Request {
        Request::Read { group: self.group, limit: self.limit, since: self.since, follow: self.follow }
    }
}
