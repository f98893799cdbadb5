//! `piquet invite …` and `piquet join …`

use clap::{Args, Subcommand};
use piquet_protocol::group::invite::InviteCode;

use super::Context;
use crate::control::client::Client;
use crate::control::{Failure, Reply, Request};
use crate::schedule::{here, span, utc};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Invite {
    #[command(subcommand)]
    command: Option<Command>,
    /// Name, id, or a unique prefix of either.
    #[arg(required = true)]
    group: Option<String>,
    /// How many people may come in by this code.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    uses: u16,
    /// How long it is good for: 60s, 5m, 1h, 7d.
    #[arg(long, default_value = "7d", value_parser = lifetime)]
    expires: u64,
    /// Draw the code for a camera.
    #[arg(long)]
    qr: bool,
}

#[derive(Subcommand)]
enum Command {
    /// List a group's codes.
    List {
        /// Name, id, or a unique prefix of either.
        group: String,
    },
    /// Close a code.
    Revoke {
        /// Name, id, or a unique prefix of either.
        group: String,
        /// The code's id, or a unique prefix.
        invite: String,
    },
}

impl Invite {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        let request = match (self.command, self.group) {
            (Some(Command::List { group }), _) => Request::InviteList { group },
            (Some(Command::Revoke { group, invite }), _) => Request::InviteRevoke { group, invite },
            (None, group) => {
                let group = group.unwrap_or_default();
                let qr = self.qr;
                let request = Request::InviteCreate { group, uses: self.uses, expires: self.expires };
                return context.in_group(request, |reply| {
                    let going = context.printer.reply(reply);
                    let Reply::Invite { code: Some(code), .. } = reply else { return going };
                    if InviteCode::parse(code).is_ok_and(|code| code.hints.is_empty()) {
                        context.printer.note("code-without-address", &[]);
                    }
                    if qr { context.printer.qr(code) } else { going }
                });
            }
        };
        context.ask(request)
    }
}

pub(super) fn lifetime(text: &str) -> Result<u64, &'static str> {
    span(text).and_then(|seconds| if seconds > 0 { Ok(seconds) } else { Err("usage-no-span") })
}

#[derive(Args)]
pub(super) struct Join {
    /// The invite code; spaces and dashes don't matter.
    code: String,
    /// What the group is to call you [default: the profile's name].
    #[arg(long)]
    name: Option<String>,
    /// How long to wait for somebody who may let you in; after that the join goes on while `piquet` runs.
    #[arg(long, default_value = "60s", value_parser = span)]
    wait: u64,
}

impl Join {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        // Who compares the words may still stop it while it waits.
        if let Ok(code) = InviteCode::parse(&self.code) {
            let until = here(&utc(code.expires().as_secs()));
            context.printer.note("join-preview", &[("words", &code.words()), ("expires", &until)]);
        }
        let Self { code, name, wait } = self;
        come_in(context, Request::Join { code, name, wait, phrase: None })
    }
}

/// Waits until this profile is in.
pub(super) fn come_in(context: &Context, request: Request) -> Result<(), Failure> {
    let alone = Client::connect(&context.home).is_none();
    let mut waiting = false;
    context.call(request, |reply| {
        waiting = matches!(reply, Reply::Join { state, .. } if state == "waiting");
        context.printer.reply(reply)
    })?;
    match (waiting, alone) {
        (false, _) => Ok(()),
        (true, false) => Err(Failure::new("nobody_reached", 3)),
        (true, true) => Err(Failure::new("nobody_asked", 3)),
    }
}
