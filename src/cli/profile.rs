//! `piquet up`, `init`, `passphrase`, `lock`, `wipe`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use zeroize::Zeroizing;

use super::{Context, ask};
use crate::control::Failure;
use crate::control::client::Client;
use crate::daemon::{Engine, UpEvent, UpOptions, profile, up};

/// How long a node that was told to stop may take to end.
const STOPPING: Duration = Duration::from_secs(2);
/// How often it is looked for meanwhile.
const LOOKS: u32 = 20;

/// What both ways of making a profile take.
#[derive(Args, Default)]
struct Making {
    /// What groups are to call you, unless you say otherwise when joining: no real name needed [default:
    /// member].
    #[arg(long)]
    name: Option<String>,
    /// No passphrase: whoever has the laptop can read everything in it.
    #[arg(long)]
    no_passphrase: bool,
}

impl Making {
    fn make(&self, context: &Context) -> Result<Engine, Failure> {
        if profile::exists(&context.home)? {
            return Err(Failure::new("profile_exists", 1));
        }
        let name = match &self.name {
            Some(name) => Some(name.clone()),
            None => ask::name(context.printer.texts())?,
        };
        let passphrase = if self.no_passphrase { None } else { Some(ask::fresh(context.printer.texts())?) };
        if passphrase.is_none() {
            context.printer.note("unprotected-profile", &[]);
        }
        Engine::create(&context.home, passphrase, name.as_deref())
    }
}

#[derive(Args)]
pub(super) struct Init {
    #[command(flatten)]
    making: Making,
}

impl Init {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        self.making.make(context)?;
        context.printer.home(&context.home, "made-profile");
        context.printer.note("after-init", &[]);
        Ok(())
    }
}

#[derive(Args, Default)]
pub(super) struct Up {
    /// Where to listen, such as /ip4/0.0.0.0/tcp/4001; may be given several times [default: all addresses of
    /// this laptop, at the port of the last start, if it is free].
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<String>,
    /// Find nodes on this network. Others on it can see that a node is here.
    #[arg(long)]
    lan: bool,
    /// No page in the browser (there is none yet).
    #[arg(long)]
    no_web: bool,
    #[command(flatten)]
    making: Making,
}

/// Whether another node runs, and goes on running: one that was told to stop is waited for.
fn keeps_running(home: &Path) -> bool {
    let runs = || {
        let running = Client::connect(home).is_some();
        if running {
            std::thread::sleep(STOPPING / LOOKS);
        }
        running
    };
    (0..LOOKS).all(|_| runs())
}

impl Up {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        if keeps_running(&context.home) {
            return Err(Failure::new("already_running", 1));
        }
        let engine = if profile::exists(&context.home)? {
            ask::unlock(context, |passphrase| Engine::open(&context.home, passphrase))?
        } else {
            let engine = self.making.make(context)?;
            context.printer.note("made-profile", &[("home", &context.home.to_string_lossy())]);
            engine
        };
        let fresh = engine.node.groups().next().is_none();
        for (replica, why) in engine.node.frozen() {
            context.printer.frozen(replica.name(), why);
        }
        let options = UpOptions { home: context.home.clone(), listen: self.listen, lan: self.lan };
        let printer = context.printer.clone();
        let tell = Box::new(move |event: UpEvent| {
            let ready = matches!(event, UpEvent::Ready { .. });
            printer.event(&event);
            if ready && fresh {
                printer.note("what-next", &[]);
            }
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|_| Failure::new("no_network", 1))?;
        runtime.block_on(up(engine, options, tell))
    }
}

#[derive(Args)]
pub(super) struct Passphrase {
    /// Read the new passphrase from this file's first line [default: ask on the terminal].
    #[arg(long, value_name = "FILE")]
    new_file: Option<PathBuf>,
    /// Take the passphrase away.
    #[arg(long, conflicts_with = "new_file")]
    remove: bool,
    /// A second passphrase, for when somebody forces you: wherever it is typed it destroys the profile and
    /// opens an empty one, without a word.
    #[arg(long)]
    duress: bool,
}

impl Passphrase {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        if !profile::exists(&context.home)? {
            return Err(Failure::new("no_profile", 1));
        }
        // Whatever is typed, a node that runs holds the profile: better not to ask.
        if Client::connect(&context.home).is_some() {
            return Err(Failure::new("profile_locked", 1));
        }
        if self.duress && !profile::wants_passphrase(&context.home)? {
            return Err(Failure::new("no_passphrase", 1));
        }
        // Opened before the new passphrase is asked for, and held meanwhile.
        let mut opened = ask::unlock(context, |passphrase| profile::open(&context.home, passphrase))?;
        let new: Option<Zeroizing<String>> = if self.remove {
            None
        } else {
            if self.duress && self.new_file.is_none() {
                context.printer.note("duress-advice", &[]);
            }
            Some(ask::changed(context.printer.texts(), self.new_file.as_deref())?)
        };
        let changed = if self.duress { profile::set_duress } else { profile::change_passphrase };
        changed(&mut opened, new)?;
        context.printer.home(
            &context.home,
            match (self.duress, self.remove) {
                (false, false) => "passphrase-changed",
                (false, true) => "unprotected-profile",
                (true, false) => "duress-set",
                (true, true) => "duress-removed",
            },
        );
        Ok(())
    }
}

/// `piquet lock`.
pub(super) fn lock(context: &Context) -> Result<(), Failure> {
    let said = if profile::lock(&context.home)? { "locked" } else { "nothing-to-lock" };
    context.printer.home(&context.home, said);
    Ok(())
}

#[derive(Args)]
pub(super) struct Wipe {
    /// Don't ask for confirmation.
    #[arg(long)]
    yes: bool,
}

impl Wipe {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        if !self.yes {
            ask::confirm(context, "wipe-question", &[("home", &context.home.to_string_lossy())], "wipe")?;
        }
        profile::wipe(&context.home)?;
        context.printer.home(&context.home, "wiped");
        Ok(())
    }
}
