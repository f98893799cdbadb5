//! `piquet device …` and `piquet recovery …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use piquet_protocol::group::invite::InviteCode;

use super::invite::{come_in, lifetime};
use super::{Context, ask};
use crate::control::request::Words;
use crate::control::{Failure, Reply, Request};
use crate::daemon::recovery;
use crate::i18n::Lang;
use crate::schedule::span;

#[derive(Subcommand)]
pub(super) enum Device {
    /// List your laptops in a group, or somebody's.
    List {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// Whose: name, id, or a unique prefix of either [default: yours].
        member: Option<String>,
    },
    /// Make a code for another laptop of yours: type it there after `piquet join`.
    Add(Add),
    /// Take a laptop out for ever: it reads nothing any more of what is written by who knows.
    Drop(Drop),
}

#[derive(Args)]
pub(super) struct Add {
    /// Name, id, or a unique prefix of either.
    group: String,
    /// How long the code is good for: 60s, 5m, 1h, 7d.
    #[arg(long, default_value = "1h", value_parser = lifetime)]
    expires: u64,
    /// Draw the code for a camera.
    #[arg(long)]
    qr: bool,
}

#[derive(Args)]
pub(super) struct Drop {
    /// Name, id, or a unique prefix of either.
    group: String,
    /// The laptop's id, or a unique prefix.
    device: String,
    /// By the recovery phrase of whose it is: asked on the terminal, or read from PIQUET_PHRASE_FILE.
    #[arg(long)]
    phrase: bool,
}

impl Device {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List { group, member } => context.ask(Request::DeviceList { group, member }),
            Self::Add(Add { group, expires, qr }) => {
                let request = Request::DeviceAdd { group, expires };
                context.in_group(request, |reply| {
                    let going = context.printer.reply(reply);
                    let Reply::DeviceCode { code, .. } = reply else { return going };
                    if InviteCode::parse(code).is_ok_and(|code| code.hints.is_empty()) {
                        context.printer.note("code-without-address", &[]);
                    }
                    if qr { context.printer.qr(code) } else { going }
                })
            }
            Self::Drop(Drop { group, device, phrase }) => {
                let phrase = if phrase { Some(ask::phrase(context)?) } else { None };
                context.ask(Request::DeviceDrop { group, device, phrase })
            }
        }
    }
}

#[derive(Subcommand)]
pub(super) enum Recovery {
    /// Make a phrase of twelve words for paper, and set it in all your groups.
    New(New),
    /// Set the phrase you have in groups that you came into since.
    Set,
    /// Come back into a group by the phrase: as the same member, with a new laptop.
    Join(Back),
}

#[derive(Args)]
pub(super) struct New {
    /// Write the phrase into this new file, rather than showing it.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Back {
    /// Any invite code of the group, used or not: it says where the group is, and no more.
    code: String,
    /// How long to wait for somebody who is there; after that it goes on while `piquet` runs.
    #[arg(long, default_value = "60s", value_parser = span)]
    wait: u64,
}

impl Recovery {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::New(args) => args.run(context),
            Self::Set => context.ask(Request::RecoverySet { phrase: ask::phrase(context)? }),
            Self::Join(Back { code, wait }) => {
                let phrase = Some(ask::phrase(context)?);
                come_in(context, Request::Join { code, name: None, wait, phrase })
            }
        }
    }
}

impl New {
    /// Nothing is set before the words are on paper, or in a file: no laptop keeps them.
    fn run(self, context: &Context) -> Result<(), Failure> {
        let phrase = recovery::fresh(context.lang == Lang::Fr)?;
        match &self.file {
            Some(file) => ask::keep(file, &phrase)?,
            None => ask::written_down(context, &phrase)?,
        }
        context.ask(Request::RecoverySet { phrase: Words(phrase.0.clone()) })
    }
}
