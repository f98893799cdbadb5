//! `piquet invite …` and `piquet join …`

use clap::{Args, Subcommand};

use super::Context;
use crate::control::{Failure, Reply, Request};
use crate::schedule::span;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Invite {
    #[command(subcommand)]
    command: Option<Command>,
    /// Name, id, or a unique prefix of either.
    #[arg(required = true)]
    group: Option<String>,
    /// How many people may come in by this code.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    uses: u16,
    /// How long it is good for: 60s, 5m, 1h, 7d.
    #[arg(long, default_value = "7d", value_parser = span)]
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
                return context.call(request, |reply| {
                    let going = context.printer.reply(reply);
                    match reply {
                        Reply::Invite { code: Some(code), .. } if qr => context.printer.qr(code),
                        _ => going,
                    }
                });
            }
        };
        context.ask(request)
    }
}

#[derive(Args)]
pub(super) struct Join {
    /// The invite code; spaces and dashes don't matter.
    code: String,
    /// What the group is to call you [default: the profile's name].
    #[arg(long)]
    name: Option<String>,
    /// How long to wait for somebody who may let you in.
    #[arg(long, default_value = "60s", value_parser = span)]
    wait: u64,
}

impl Join {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut waiting = false;
        let request = Request::Join { code: self.code, name: self.name, wait: self.wait };
        context.call(request, |reply| {
            waiting = matches!(reply, Reply::Join { state, .. } if state == "waiting");
            context.printer.reply(reply)
        })?;
        if waiting { Err(Failure::new("nobody_reached", 3)) } else { Ok(()) }
    }
}
