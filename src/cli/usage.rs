//! What is said to whoever typed something that is no command.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use crate::i18n::Texts;

/// Why it is none, in one sentence.
pub(super) fn sentence(error: &Error, texts: &Texts) -> String {
    let arg = words(error, ContextKind::InvalidArg);
    let value = words(error, ContextKind::InvalidValue);
    let id = match error.kind() {
        ErrorKind::UnknownArgument => "usage-unknown-argument",
        ErrorKind::InvalidSubcommand => "usage-unknown-command",
        ErrorKind::MissingRequiredArgument => "usage-missing",
        ErrorKind::MissingSubcommand => "usage-missing-command",
        ErrorKind::InvalidValue | ErrorKind::NoEquals if value.is_empty() => "usage-missing-value",
        ErrorKind::InvalidValue => "usage-bad-value",
        ErrorKind::ValueValidation => parsers_own(error, texts),
        ErrorKind::ArgumentConflict => "usage-conflict",
        ErrorKind::InvalidUtf8 => "usage-not-text",
        _ => "usage-other",
    };
    let prior = words(error, ContextKind::PriorArg);
    let command = words(error, ContextKind::InvalidSubcommand);
    let args = [
        ("arg", arg.as_str()),
        ("value", value.as_str()),
        ("prior", prior.as_str()),
        ("command", command.as_str()),
    ];
    let said = texts.get(id, &args);
    match suggestion(error) {
        Some((id, what)) => format!("{said} {}", texts.get(id, &[("what", &what)])),
        None => said,
    }
}

/// A value's own parser says in its error which sentence it means.
fn parsers_own(error: &Error, texts: &Texts) -> &'static str {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    let known = ["usage-bad-span", "usage-long-span", "usage-no-span"];
    known.into_iter().find(|id| *id == said && texts.has(id)).unwrap_or("usage-bad-value")
}

fn suggestion(error: &Error) -> Option<(&'static str, String)> {
    let meant = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let meant = meant.into_iter().map(|kind| words(error, kind)).find(|meant| !meant.is_empty());
    let valid = || Some(words(error, ContextKind::ValidValue)).filter(|valid| !valid.is_empty());
    meant.map(|what| ("usage-did-you-mean", what)).or_else(|| valid().map(|what| ("usage-one-of", what)))
}

fn words(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(word)) => word.clone(),
        Some(ContextValue::Strings(words)) => words.join(", "),
        _ => String::new(),
    }
}

/// The command that was meant, for asking it for help.
pub(super) fn meant(mut command: Command, typed: &[String]) -> String {
    let mut path = "piquet".to_owned();
    for arg in typed {
        if let Some(found) = command.find_subcommand(arg).cloned() {
            path = format!("{path} {arg}");
            command = found;
        }
    }
    path
}
