//! The command line, as a contract for people, scripts and bots.
//!
//! One file a subject, each with its arguments and what they ask of the daemon. Exit codes: 0 done ·
//! 1 the user can fix it · 2 usage · 3 nobody reached in time · 4 refused · 5 bad or damaged input.

mod ask;
mod grievance;
mod group;
mod invite;
mod plain;
mod print;
mod profile;
mod strike;
mod talk;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::control::client::Client;
use crate::control::{Failure, Reply, Request};
use crate::daemon::engine::Surroundings;
use crate::daemon::{Engine, profile as folder};
use crate::i18n::{Lang, Texts};
use print::Printer;

/// Peer-to-peer messaging and organising for platform workers.
#[derive(Parser)]
#[command(name = "piquet", version, about, propagate_version = true)]
#[command(after_help = "Run `piquet` without a command to start your node.")]
struct Args {
    /// Profile folder [default: the platform's data folder].
    #[arg(long, global = true, env = "PIQUET_HOME", value_name = "DIR", hide_env_values = true)]
    home: Option<PathBuf>,
    /// One JSON object a line, for programs.
    #[arg(long, global = true)]
    json: bool,
    /// Language of what is said to people [default: the system's].
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Start your node (the first time: make a profile). The default command.
    Up(profile::Up),
    /// Make a profile only.
    Init(profile::Init),
    /// Show what is connected, synced, waiting.
    Status,
    /// Make, show and leave groups; put members out.
    #[command(subcommand)]
    Group(group::Group),
    /// Make, list and revoke invite codes.
    Invite(invite::Invite),
    /// Join a group with an invite code.
    Join(invite::Join),
    /// Send a message.
    Send(talk::Send),
    /// Read messages.
    Read(talk::Read),
    /// File grievances and support them.
    #[command(subcommand)]
    Grievance(grievance::Grievance),
    /// Call a strike, pledge, call it off.
    #[command(subcommand)]
    Strike(strike::Strike),
    /// Change or remove the passphrase.
    Passphrase(profile::Passphrase),
    /// Destroy the profile: keys first, then files.
    Wipe(profile::Wipe),
    /// Look the profile over.
    Doctor,
    /// Print a shell completion script.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// What every command needs.
struct Context {
    home: PathBuf,
    printer: Printer,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // Nothing of this process may be left behind in a core dump.
    crate::store::harden();
    quiet_panics();
    let args = Args::parse();
    let printer = Printer::new(args.json, Texts::new(Lang::choose(args.lang)));
    let home = args.home.map_or_else(folder::default_home, Ok);
    let done = home.and_then(|home| run(args.command, &Context { home, printer: printer.clone() }));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            printer.failure(&failure);
            ExitCode::from(failure.exit)
        }
    }
}

/// A panic says where, never what with: values may be secrets.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place =
            info.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
        // Nobody to tell if the terminal is gone.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("piquet: internal error at {place}\n").as_bytes(),
        );
    }));
}

fn run(command: Option<Command>, context: &Context) -> Result<(), Failure> {
    match command.unwrap_or_else(|| Command::Up(profile::Up::default())) {
        Command::Up(args) => args.run(context),
        Command::Init(args) => args.run(context),
        Command::Status => context.ask(Request::Status),
        Command::Group(args) => context.ask(args.request()),
        Command::Invite(args) => args.run(context),
        Command::Join(args) => args.run(context),
        Command::Send(args) => context.ask(args.request()?),
        Command::Read(args) => context.ask(args.request()),
        Command::Grievance(args) => context.ask(args.request()),
        Command::Strike(args) => context.ask(args.request()?),
        Command::Passphrase(args) => args.run(context),
        Command::Wipe(args) => args.run(context),
        Command::Doctor => context.ask(Request::Doctor),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "piquet", &mut std::io::stdout());
            Ok(())
        }
        Command::Man => {
            // A closed pipe is no failure of ours.
            let _ = clap_mangen::Man::new(Args::command()).render(&mut std::io::stdout());
            Ok(())
        }
    }
}

impl Context {
    /// Asks the daemon; without one, opens the profile itself. Prints the answers as they come.
    fn ask(&self, request: Request) -> Result<(), Failure> {
        let mut count = 0usize;
        let what = print::Listing::of(&request);
        self.call(request, |reply| {
            count += 1;
            self.printer.reply(reply)
        })?;
        if count == 0 {
            self.printer.empty(what);
        }
        Ok(())
    }

    /// Asks, and hands each reply to `take` until it says no.
    fn call(&self, request: Request, mut take: impl FnMut(&Reply) -> bool) -> Result<(), Failure> {
        let Some(mut daemon) = Client::connect(&self.home) else {
            return self.call_offline(request, take);
        };
        let mut refused = None;
        let called = daemon.call(&request, |answer| match answer {
            Ok(reply) => take(&reply),
            Err(failure) => {
                refused = Some(failure);
                false
            }
        });
        match (refused, called) {
            (Some(failure), _) => Err(failure),
            (None, Err(_)) => Err(Failure::new("daemon_gone", 1)),
            (None, Ok(())) => Ok(()),
        }
    }

    fn call_offline(&self, request: Request, mut take: impl FnMut(&Reply) -> bool) -> Result<(), Failure> {
        if !folder::exists(&self.home)? {
            return Err(Failure::new("no_profile", 1));
        }
        let writes = print::writes(&request);
        let passphrase = ask::existing(&self.home)?;
        let mut engine = Engine::open(&self.home, passphrase)?;
        for reply in engine.call(request, &Surroundings::default())? {
            if !take(&reply) {
                return Ok(());
            }
        }
        if writes {
            self.printer.reply(&Reply::Offline);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Args::command().debug_assert();
    }
}
