//! `piquet backup` and `piquet restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::{Context, ask};
use crate::control::request::{BackupLock, Words};
use crate::control::{Failure, Reply, Request};
use crate::daemon::archive::{self, Content, Key};
use crate::daemon::backup::Checked;
use crate::daemon::{Engine, profile};

#[derive(Args)]
pub(super) struct Backup {
    /// A file that does not exist yet. Its passphrase is asked on the terminal, or read from
    /// PIQUET_BACKUP_PASSPHRASE_FILE.
    file: PathBuf,
    /// Who can open it, rather than whoever has a passphrase: an age recipient, age1….
    #[arg(long, value_name = "KEY")]
    recipient: Option<String>,
}

impl Backup {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        if !profile::exists(&context.home)? {
            return Err(Failure::new("no_profile", 1));
        }
        let not_written = || Failure::new("backup_not_written", 1).with("file", self.file.to_string_lossy());
        // A running node has a working folder of its own.
        let file = std::path::absolute(&self.file).map_err(|_| not_written())?;
        let name = file.to_str().ok_or_else(not_written)?.to_owned();
        archive::check_free(&self.file)?;
        let lock = match self.recipient {
            Some(recipient) => {
                archive::check_recipient(&recipient)?;
                BackupLock::Recipient(recipient)
            }
            None => {
                BackupLock::Passphrase(Words(ask::fresh_for_backup(context.printer.texts())?.to_string()))
            }
        };
        let typed = self.file.to_string_lossy().into_owned();
        let written = context.call(Request::Backup { file: name, lock }, |reply| {
            let mut reply = reply.clone();
            if let Reply::Backup { file, .. } = &mut reply {
                file.clone_from(&typed);
            }
            context.printer.reply(&reply)
        });
        written.map_err(|failure| failure.with("file", typed.clone()))
    }
}

#[derive(Args)]
pub(super) struct Restore {
    /// The backup. Its passphrase is asked on the terminal, or read from PIQUET_BACKUP_PASSPHRASE_FILE.
    file: PathBuf,
    /// The file with the age key that opens it, if no passphrase does.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// No passphrase for the new profile: whoever has the laptop can read everything in it.
    #[arg(long)]
    no_passphrase: bool,
}

impl Restore {
    /// Nothing is written before all of the backup was read and checked.
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        if profile::exists(&context.home)? {
            return Err(Failure::new("profile_exists", 1));
        }
        let checked = Checked::of(&self.read(context)?)?;
        let passphrase: Option<Zeroizing<String>> =
            if self.no_passphrase { None } else { Some(ask::fresh(context.printer.texts())?) };
        if passphrase.is_none() {
            context.printer.note("unprotected-profile", &[]);
        }
        let reply = Engine::restore(&context.home, passphrase, checked, &self.file)?;
        context.printer.reply(&reply);
        context.printer.note("restored-next", &[]);
        Ok(())
    }

    fn read(&self, context: &Context) -> Result<Content, Failure> {
        let closed = archive::open(&self.file)?;
        match &self.identity {
            Some(identity) if !closed.wants_passphrase() => closed.read(&Key::Identities(identity.clone())),
            None if !closed.wants_passphrase() => Err(Failure::new("backup_for_key", 1)),
            _ => {
                let open = |passphrase| read_with(&self.file, passphrase);
                ask::unlock_backup(context, open)
            }
        }
    }
}

/// Opens it anew each time: a passphrase may be mistyped.
fn read_with(file: &Path, passphrase: Zeroizing<String>) -> Result<Content, Failure> {
    archive::open(file)?.read(&Key::Passphrase(passphrase))
}
