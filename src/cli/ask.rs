//! Passphrases: from a file named in the environment, or from the terminal; never from arguments.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;

use rand_core::Rng;
use zeroize::Zeroizing;

use super::Context;
use crate::control::Failure;
use crate::control::request::Words;
use crate::daemon::{profile, recovery};
use crate::i18n::Texts;

/// Longest passphrase, in bytes.
const MAX: u64 = 1024;
/// How often a passphrase may be typed.
const TRIES: usize = 3;
/// Words of a suggested passphrase.
const WORDS: usize = 6;

/// Opens a profile with its passphrase, if it has one: on a terminal it may be mistyped.
pub(super) fn unlock<T>(
    context: &Context,
    open: impl Fn(Option<Zeroizing<String>>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if !profile::wants_passphrase(&context.home)? {
        return open(None);
    }
    if let Some(passphrase) = from_file()? {
        return open(Some(passphrase));
    }
    terminal()?;
    let text = context.printer.texts().get("passphrase-ask", &[]);
    for _ in 1..TRIES {
        match open(Some(prompt(&text)?)) {
            Err(failure) if failure.code == "wrong_passphrase" => {
                context.printer.note("passphrase-wrong", &[]);
            }
            done => return done,
        }
    }
    open(Some(prompt(&text)?))
}

/// What groups are to call whoever makes a profile; not asked where nobody answers.
pub(super) fn name(texts: &Texts) -> Result<Option<String>, Failure> {
    if terminal().is_err() {
        return Ok(None);
    }
    let _ = std::io::Write::write_all(&mut std::io::stderr(), texts.get("name-ask", &[]).as_bytes());
    let mut name = String::new();
    std::io::stdin().read_line(&mut name).map_err(|_| Failure::new("no_terminal", 1))?;
    let name = name.trim();
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

/// Opens a backup with its passphrase: on a terminal it may be mistyped.
pub(super) fn unlock_backup<T>(
    context: &Context,
    open: impl Fn(Zeroizing<String>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Some(passphrase) = of_backup()? {
        return open(passphrase);
    }
    terminal().map_err(|_| Failure::new("no_backup_passphrase", 1))?;
    let text = context.printer.texts().get("backup-passphrase-ask", &[]);
    for _ in 1..TRIES {
        match open(prompt(&text)?) {
            Err(failure) if failure.code == "backup_passphrase" => {
                context.printer.note("err-backup-passphrase", &[]);
            }
            done => return done,
        }
    }
    open(prompt(&text)?)
}

/// A passphrase for a backup, asked twice.
pub(super) fn fresh_for_backup(texts: &Texts) -> Result<Zeroizing<String>, Failure> {
    if let Some(passphrase) = of_backup()? {
        return Ok(passphrase);
    }
    terminal().map_err(|_| Failure::new("no_backup_passphrase", 1))?;
    advise(texts, "backup-advice");
    twice(texts)
}

fn of_backup() -> Result<Option<Zeroizing<String>>, Failure> {
    std::env::var_os("PIQUET_BACKUP_PASSPHRASE_FILE").map(|path| read(Path::new(&path))).transpose()
}

/// A new passphrase, asked twice.
pub(super) fn fresh(texts: &Texts) -> Result<Zeroizing<String>, Failure> {
    if let Some(passphrase) = from_file()? {
        return Ok(passphrase);
    }
    terminal()?;
    advise(texts, "passphrase-advice");
    twice(texts)
}

/// Says what a good passphrase is, with one that was just drawn.
fn advise(texts: &Texts, advice: &str) {
    let advice = textwrap::fill(&texts.get(advice, &[]), textwrap::termwidth());
    let advice = Zeroizing::new(format!("{advice}\n    {}\n", *suggestion()));
    // Nobody to advise if the terminal is gone.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), advice.as_bytes());
}

fn twice(texts: &Texts) -> Result<Zeroizing<String>, Failure> {
    for _ in 1..TRIES {
        match once_twice(texts) {
            Err(failure) if failure.code == "passphrases_differ" => {
                let again = format!("{}\n", texts.get("err-passphrases-differ", &[]));
                let _ = std::io::Write::write_all(&mut std::io::stderr(), again.as_bytes());
            }
            done => return done,
        }
    }
    once_twice(texts)
}

fn once_twice(texts: &Texts) -> Result<Zeroizing<String>, Failure> {
    let first = prompt(&texts.get("passphrase-new", &[]))?;
    if first.is_empty() {
        return Err(Failure::new("empty_passphrase", 1));
    }
    let second = prompt(&texts.get("passphrase-again", &[]))?;
    if first == second { Ok(first) } else { Err(Failure::new("passphrases_differ", 1)) }
}

/// Six random words that can be said in any language, of 12 bits each.
fn suggestion() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; WORDS * 2]);
    profile::os_rng().fill_bytes(&mut *bytes);
    let syllable = |byte: &u8| {
        let letter = |set: &[u8], at: u8| set.get(usize::from(at)).copied().map_or('?', char::from);
        [letter(b"bdfghjklmnprstvz", byte >> 4), letter(b"aiou", byte & 3)]
    };
    let words = bytes.chunks(2).map(|pair| pair.iter().flat_map(syllable).collect::<String>());
    Zeroizing::new(words.collect::<Vec<_>>().join(" "))
}

/// A new passphrase for a profile that has one: not the one in the file that opens it.
pub(super) fn changed(texts: &Texts, file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => read(file),
        None => {
            terminal()?;
            twice(texts)
        }
    }
}

/// Asks for a word, without which nothing is done.
pub(super) fn confirm(
    context: &Context,
    question: &str,
    args: &[(&str, &str)],
    word: &str,
) -> Result<(), Failure> {
    let not_confirmed = || Failure::new("not_confirmed", 1);
    if !std::io::stdin().is_terminal() {
        return Err(not_confirmed());
    }
    context.printer.note(question, args);
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|_| not_confirmed())?;
    if answer.trim() == word { Ok(()) } else { Err(not_confirmed()) }
}

/// A recovery phrase: from a file named in the environment, or typed unseen.
pub(super) fn phrase(context: &Context) -> Result<Words, Failure> {
    if let Some(path) = std::env::var_os("PIQUET_PHRASE_FILE") {
        return read(Path::new(&path)).map(|text| Words(text.to_string()));
    }
    terminal()?;
    let text = context.printer.texts().get("phrase-ask", &[]);
    for _ in 1..TRIES {
        let typed = Words(prompt(&text)?.to_string());
        if recovery::read(&typed).is_ok() {
            return Ok(typed);
        }
        context.printer.note("err-bad-phrase", &[]);
    }
    prompt(&text).map(|typed| Words(typed.to_string()))
}

/// Shows a new phrase; on a terminal somebody says two of its words, so that it is on paper.
pub(super) fn written_down(context: &Context, phrase: &Words) -> Result<(), Failure> {
    context.printer.note("phrase-write", &[]);
    context.printer.phrase(phrase);
    if terminal().is_err() {
        return Ok(());
    }
    for at in two_places() {
        let question = context.printer.texts().get("phrase-check", &[("number", &(at + 1).to_string())]);
        let _ = std::io::Write::write_all(&mut std::io::stderr(), question.as_bytes());
        let mut typed = Zeroizing::new(String::new());
        std::io::stdin().read_line(&mut typed).map_err(|_| Failure::new("no_terminal", 1))?;
        if !recovery::has_word(phrase, at, &typed) {
            return Err(Failure::new("not_written_down", 1));
        }
    }
    Ok(())
}

/// One of the first half of a phrase's words and one of the second.
fn two_places() -> [usize; 2] {
    let half = recovery::WORDS / 2;
    [0, half].map(|from| {
        let mut byte = [0];
        profile::os_rng().fill_bytes(&mut byte);
        from + usize::from(byte[0]) % half
    })
}

/// Writes a phrase into a new file that its owner alone can read.
pub(super) fn keep(file: &Path, phrase: &Words) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut file| {
        writeln!(file, "{}", phrase.0)?;
        file.sync_all()
    });
    written.map_err(|_| Failure::new("phrase_file", 1).with("file", file.to_string_lossy()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_six_words_and_never_the_same() {
        let (one, other) = (suggestion(), suggestion());
        assert_eq!(one.split(' ').filter(|word| word.len() == 4).count(), WORDS);
        assert_ne!(one, other);
    }
}
