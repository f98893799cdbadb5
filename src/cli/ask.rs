//! Passphrases: from a file named in the environment, or from the terminal; never from arguments.

use std::io::{IsTerminal, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::control::Failure;
use crate::daemon::profile;
use crate::i18n::Texts;

/// Longest passphrase, in bytes.
const MAX: u64 = 1024;

/// The passphrase of a profile, if it has one.
pub(super) fn existing(home: &Path) -> Result<Option<Zeroizing<String>>, Failure> {
    if !profile::wants_passphrase(home)? {
        return Ok(None);
    }
    if let Some(passphrase) = from_file()? {
        return Ok(Some(passphrase));
    }
    terminal()?;
    prompt("Passphrase: ").map(Some)
}

/// A new passphrase, asked twice.
pub(super) fn fresh(texts: &Texts) -> Result<Zeroizing<String>, Failure> {
    if let Some(passphrase) = from_file()? {
        return Ok(passphrase);
    }
    terminal()?;
    // Nobody to advise if the terminal is gone.
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("{}\n", texts.get("passphrase-advice", &[])).as_bytes(),
    );
    let first = prompt(&texts.get("passphrase-new", &[]))?;
    if first.is_empty() {
        return Err(Failure::new("empty_passphrase", 1));
    }
    let second = prompt(&texts.get("passphrase-again", &[]))?;
    if first == second { Ok(first) } else { Err(Failure::new("passphrases_differ", 1)) }
}

/// A new passphrase for a profile that has one: not the one in the file that opens it.
pub(super) fn changed(texts: &Texts, file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => read(file),
        None => {
            terminal()?;
            let first = prompt(&texts.get("passphrase-new", &[]))?;
            let second = prompt(&texts.get("passphrase-again", &[]))?;
            if first == second && !first.is_empty() {
                Ok(first)
            } else {
                Err(Failure::new("passphrases_differ", 1))
            }
        }
    }
}

fn prompt(text: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(text).map(Zeroizing::new).map_err(|_| Failure::new("no_terminal", 1))
}

fn terminal() -> Result<(), Failure> {
    if std::io::stdin().is_terminal() { Ok(()) } else { Err(Failure::new("no_terminal", 1)) }
}

fn from_file() -> Result<Option<Zeroizing<String>>, Failure> {
    std::env::var_os("PIQUET_PASSPHRASE_FILE").map(|path| read(Path::new(&path))).transpose()
}

/// The first line of a file.
fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let unreadable = |_| Failure::new("passphrase_file", 1);
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(path).map_err(unreadable)?.take(MAX).read_to_string(&mut text).map_err(unreadable)?;
    let line = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
    if line.is_empty() { Err(Failure::new("empty_passphrase", 1)) } else { Ok(line) }
}
