//! The command line, as a contract for people, scripts and bots.
//!
//! One file a subject, each with its arguments and what they ask of the daemon. Exit codes: 0 done ·
//! 1 the user can fix it · 2 usage · 3 nobody reached in time · 4 refused · 5 bad or damaged input.

mod ask;
mod backup;
mod device;
mod grievance;
mod group;
mod help;
mod invite;
mod manual;
mod plain;
mod print;
mod profile;
mod proposal;
mod strike;
mod talk;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

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
    #[arg(
        long,
        global = true,
        display_order = 900,
        env = "PIQUET_HOME",
        value_name = "DIR",
        hide_env_values = true
    )]
    home: Option<PathBuf>,
    /// One JSON object a line, for programs.
    #[arg(long, global = true, display_order = 900)]
    json: bool,
    /// Language of what is said to people [default: the system's].
    #[arg(long, global = true, display_order = 900, value_enum)]
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
    /// See, sign and close what several decide together.
    #[command(subcommand)]
    Proposal(proposal::Proposal),
    /// Make, list and revoke invite codes.
    Invite(invite::Invite),
    /// Join a group with an invite code.
    Join(invite::Join),
    /// List, add and take out your laptops.
    #[command(subcommand)]
    Device(device::Device),
    /// Make, set and use the phrase that brings you back.
    #[command(subcommand)]
    Recovery(device::Recovery),
    /// Send a message.
    Send(talk::Send),
    /// Correct a message of yours.
    Edit(talk::Edit),
    /// Take a message of yours back.
    Retract(talk::Retract),
    /// Read messages.
    Read(talk::Read),
    /// File grievances and support them.
    #[command(subcommand)]
    Grievance(grievance::Grievance),
    /// Call a strike, pledge, call it off.
    #[command(subcommand)]
    Strike(strike::Strike),
    /// Change or remove the passphrase, or a duress passphrase.
    Passphrase(profile::Passphrase),
    /// Write what your groups wrote into one sealed file, to read it again one day.
    Backup(backup::Backup),
    /// Make a profile of a backup: your groups to read, with nothing to write in them.
    Restore(backup::Restore),
    /// End the running node at once: its keys are gone from memory.
    Lock,
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
    lang: Lang,
    printer: Printer,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // Nothing of this process may be left behind in a core dump.
    crate::store::harden();
    quiet_panics();
    let typed: Vec<String> = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into()).collect();
    let lang = Lang::choose(asked_language(&typed));
    let parsed = help::translated(Args::command(), lang).try_get_matches();
    let args = match parsed.and_then(|matches| Args::from_arg_matches(&matches)) {
        Ok(args) => args,
        Err(error) => return wrong_usage(&error, &typed, lang),
    };
    let said = args.home.as_ref().map(|home| format!(" --home {}", quoted(&home.to_string_lossy())));
    let said = said.filter(|_| std::env::var_os("PIQUET_HOME").map(PathBuf::from) != args.home);
    let called = format!("{}{}", program(), said.unwrap_or_default());
    let printer = Printer::new(args.json, Texts::new(lang), called);
    let home = args.home.map_or_else(folder::default_home, Ok);
    let context = |home| Context { home, lang, printer: printer.clone() };
    let done = home.and_then(|home| run(args.command, &context(home)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let exit = failure.exit;
            printer.failure(&failure.with("command", usage::meant(Args::command(), &typed)));
            ExitCode::from(exit)
        }
    }
}

/// How this program was called, if not by its name: `cargo run` calls one that is not installed.
fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let by_path = called.is_relative() && called.components().count() > 1;
    if by_path { quoted(&called.to_string_lossy()) } else { "piquet".to_owned() }
}

/// The language asked for: it is wanted before it is known whether all of what was typed makes sense.
fn asked_language(typed: &[String]) -> Option<Lang> {
    let mut typed = typed.iter().take_while(|arg| *arg != "--");
    while let Some(arg) = typed.next() {
        let value =
            if arg == "--lang" { typed.next().map(String::as_str) } else { arg.strip_prefix("--lang=") };
        if let Some(lang) = value.and_then(|value| Lang::from_str(value, false).ok()) {
            return Some(lang);
        }
    }
    None
}

/// What was typed is no command, or asks for help.
fn wrong_usage(error: &clap::Error, typed: &[String], lang: Lang) -> ExitCode {
    let explains = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let json = typed.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--json");
    if !error.use_stderr() || explains && !json {
        // Nobody to tell if the terminal is gone.
        let _ = error.print();
    } else {
        let hint = format!("{} --help", usage::meant(Args::command(), typed));
        let texts = Texts::new(lang);
        let message = plain::plain(&usage::sentence(error, &texts));
        let printer = Printer::new(json, texts, program());
        printer.wrong("usage", &message, &printer.advice_here(hint));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
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
        Command::Group(args) => args.run(context),
        Command::Proposal(args) => context.ask(args.request()),
        Command::Invite(args) => args.run(context),
        Command::Join(args) => args.run(context),
        Command::Device(args) => args.run(context),
        Command::Recovery(args) => args.run(context),
        Command::Send(args) => context.ask(args.request()?),
        Command::Edit(args) => context.ask(args.request()?),
        Command::Retract(args) => context.ask(args.request()),
        Command::Read(args) => context.ask(args.request()),
        Command::Grievance(args) => context.ask(args.request()),
        Command::Strike(args) => context.ask(args.request()?),
        Command::Passphrase(args) => args.run(context),
        Command::Backup(args) => args.run(context),
        Command::Restore(args) => args.run(context),
        Command::Lock => profile::lock(context),
        Command::Wipe(args) => args.run(context),
        Command::Doctor => context.ask(Request::Doctor),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(
                shell,
                &mut help::translated(Args::command(), context.lang),
                "piquet",
                &mut script,
            );
            context.printer.bytes(&script);
            Ok(())
        }
        Command::Man => {
            context.printer.bytes(&manual::page(Args::command(), context.lang));
            Ok(())
        }
    }
}

impl Context {
    /// Asks the daemon; without one, opens the profile itself. Prints the answers as they come.
    fn ask(&self, request: Request) -> Result<(), Failure> {
        let (mut count, mut read) = (0usize, true);
        let what = print::Listing::of(&request);
        let follow = matches!(request, Request::Read { follow: true, .. });
        let alone = follow && Client::connect(&self.home).is_none();
        self.in_group(request, |reply| {
            count += 1;
            read = self.printer.listed(reply, what);
            read
        })?;
        if count == 0 {
            self.printer.empty(what);
        }
        match (follow && read, alone) {
            (true, true) => Err(Failure::new("no_node", 1)),
            (true, false) => Err(Failure::new("follow_ended", 1)),
            (false, _) => Ok(()),
        }
    }

    /// As [`Self::call`]; advice then names the group that was asked for.
    fn in_group(&self, request: Request, take: impl FnMut(&Reply) -> bool) -> Result<(), Failure> {
        let group = request.group().map(quoted);
        self.call(request, take).map_err(|failure| match group {
            Some(group) => failure.with("group", group),
            None => failure,
        })
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
        let mut engine = ask::unlock(self, |passphrase| Engine::open(&self.home, passphrase))?;
        for reply in engine.call(request, &Surroundings::default())? {
            if !take(&reply) {
                return Ok(());
            }
        }
        if engine.writable().is_err() {
            self.printer.note("only-reading", &[]);
        }
        if writes {
            self.printer.note("offline", &[]);
        }
        Ok(())
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let simple = |c: char| c.is_alphanumeric() || "-_./:,".contains(c);
    if !word.is_empty() && word.chars().all(simple) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
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
