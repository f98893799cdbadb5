//! The file of a backup (S-28): written whole or not at all, and read with bounds, whatever it is.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor, Identity, IdentityFile, Recipient, scrypt, x25519};
use piquet_protocol::group::operation::MAX_NAME;
use piquet_protocol::replica::MAX_SECTION;
use zeroize::Zeroizing;

use crate::control::Failure;
use crate::control::request::BackupLock;

/// What a backup begins with, once it is open.
const MAGIC: &[u8; 8] = b"piqbak\r\n";
const VERSION: u32 = 1;
/// Most bytes of a backup, and of what its file begins with: who opens it. That is read in a time that grows with its
/// square.
const MAX_BACKUP: u64 = 1 << 30;
const MAX_LOCK: u64 = 1 << 12;
/// Cost of a passphrase, as the logarithm of scrypt's N: 256 MiB, and most that is tried of others: 1 GiB.
const WORK: u8 = 18;
const MAX_WORK: u8 = 20;

/// What a profile keeps that others than its devices may hold.
pub struct Content {
    /// What the person is called unless said otherwise; may be empty.
    pub name: String,
    /// A section each group (S-29).
    pub sections: Vec<Zeroizing<Vec<u8>>>,
}

/// Writes a backup into a new file that its owner alone can read; only sealed bytes reach the disk.
///
/// # Errors
/// A file that is there already, a folder that takes none, a recipient that is none, too much.
pub fn write(file: &Path, lock: &BackupLock, content: &Content) -> Result<(), Failure> {
    write_at_cost(file, lock, content, WORK)
}

fn write_at_cost(file: &Path, lock: &BackupLock, content: &Content, work: u8) -> Result<(), Failure> {
    let size: u64 = content.sections.iter().map(|section| section.len() as u64 + 4).sum();
    if size > MAX_BACKUP - 1024 {
        return Err(Failure::new("backup_too_large", 1));
    }
    check_free(file)?;
    let sealed = encryptor(lock, work)?;
    put(file, sealed, content).map_err(|error| {
        let code =
            if error.kind() == ErrorKind::AlreadyExists { "backup_exists" } else { "backup_not_written" };
        Failure::new(code, 1).with("file", file.to_string_lossy())
    })
}

/// Whether a backup may be written to a file: before anything is asked.
///
/// # Errors
/// `backup_exists`.
pub fn check_free(file: &Path) -> Result<(), Failure> {
    match file.symlink_metadata() {
        Ok(_) => Err(Failure::new("backup_exists", 1).with("file", file.to_string_lossy())),
        Err(_) => Ok(()),
    }
}

/// Whether a text names an age key that a backup can be written for.
///
/// # Errors
/// `bad_recipient`.
pub fn check_recipient(text: &str) -> Result<(), Failure> {
    recipient(text).map(|_| ())
}

fn recipient(text: &str) -> Result<x25519::Recipient, Failure> {
    text.parse().map_err(|_| Failure::new("bad_recipient", 1))
}

fn encryptor(lock: &BackupLock, work: u8) -> Result<Encryptor, Failure> {
    let recipient: Box<dyn Recipient> = match lock {
        BackupLock::Passphrase(passphrase) => {
            let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.0.clone()));
            recipient.set_work_factor(work);
            Box::new(recipient)
        }
        BackupLock::Recipient(text) => Box::new(self::recipient(text)?),
    };
    let one = std::iter::once(recipient.as_ref());
    Encryptor::with_recipients(one).map_err(|_| Failure::new("bad_recipient", 1))
}

fn put(file: &Path, sealed: Encryptor, content: &Content) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Open to its owner alone from the start.
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    let mut out = sealed.wrap_output(io::BufWriter::new(draft.as_file_mut()))?;
    out.write_all(MAGIC)?;
    out.write_all(&VERSION.to_be_bytes())?;
    for part in
        std::iter::once(content.name.as_bytes()).chain(content.sections.iter().map(|part| part.as_slice()))
    {
        out.write_all(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes())?;
        out.write_all(part)?;
    }
    out.finish()?.flush()?;
    draft.as_file().sync_all()?;
    draft.persist_noclobber(file).map_err(|error| error.error)?;
    sync_folder(folder)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// What opens a backup.
pub enum Key {
    /// Its passphrase.
    Passphrase(Zeroizing<String>),
    /// The age identities of a file.
    Identities(PathBuf),
}

impl Key {
    fn identities(&self) -> Result<Vec<Box<dyn Identity>>, Failure> {
        match self {
            Self::Passphrase(passphrase) => {
                let mut identity = scrypt::Identity::new(SecretString::from(passphrase.to_string()));
                identity.set_max_work_factor(MAX_WORK);
                Ok(vec![Box::new(identity)])
            }
            Self::Identities(path) => {
                let bad = || Failure::new("bad_identity", 1).with("file", path.to_string_lossy());
                let file = File::open(path).map_err(|_| bad())?.take(MAX_LOCK);
                let file = IdentityFile::from_buffer(BufReader::new(file)).map_err(|_| bad())?;
                file.into_identities().map_err(|_| bad())
            }
        }
    }
}

/// A reader of so many bytes; what follows is as if the file could not be read.
struct Bounded {
    file: File,
    left: Rc<Cell<u64>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.left.get()).unwrap_or(usize::MAX);
        if left == 0 {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let most = buffer.len().min(left);
        let read = self.file.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

/// A backup that nothing has opened yet.
pub struct Closed(Decryptor<Bounded>);

/// Opens the file of a backup.
///
/// # Errors
/// A file that can't be read; one that is no backup, or of a newer version.
pub fn open(file: &Path) -> Result<Closed, Failure> {
    let unreadable = |_| Failure::new("backup_not_read", 1).with("file", file.to_string_lossy());
    let file = File::open(file).map_err(unreadable)?;
    let left = Rc::new(Cell::new(MAX_LOCK));
    let sealed = Decryptor::new(Bounded { file, left: Rc::clone(&left) }).map_err(|error| failure(&error))?;
    // What age adds to each 64 KiB is far below this.
    left.set(MAX_BACKUP.saturating_add(MAX_BACKUP / 1024));
    Ok(Closed(sealed))
}

impl Closed {
    /// Whether a passphrase opens it.
    pub fn wants_passphrase(&self) -> bool {
        self.0.is_scrypt()
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// `backup_passphrase`, `backup_identity`; a backup that is damaged or of a newer version.
    pub fn read(self, key: &Key) -> Result<Content, Failure> {
        let identities = key.identities()?;
        let opened = self.0.decrypt(identities.iter().map(|identity| identity.as_ref()));
        read_content(&mut opened.map_err(|error| failure(&error))?)
    }
}

fn read_content(reader: &mut impl Read) -> Result<Content, Failure> {
    let mut head = [0; 12];
    reader.read_exact(&mut head).map_err(|_| damaged())?;
    let (magic, version) = head.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(damaged());
    }
    if version != VERSION.to_be_bytes() {
        return Err(Failure::new("newer_backup", 5));
    }
    let name = part(reader, MAX_NAME)?.ok_or_else(damaged)?;
    let name = std::str::from_utf8(&name).map_err(|_| damaged())?.to_owned();
    let mut sections = Vec::new();
    while let Some(section) = part(reader, MAX_SECTION)? {
        sections.push(section);
    }
    Ok(Content { name, sections })
}

/// A part with its length before it; none at the end.
fn part(reader: &mut impl Read, most: usize) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let mut length = [0; 4];
    let Some((first, rest)) = length.split_first_mut() else { return Ok(None) };
    if reader.read(std::slice::from_mut(first)).map_err(|_| damaged())? == 0 {
        return Ok(None);
    }
    reader.read_exact(rest).map_err(|_| damaged())?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > most {
        return Err(damaged());
    }
    let mut bytes = Zeroizing::new(vec![0; length]);
    reader.read_exact(&mut bytes).map_err(|_| damaged())?;
    Ok(Some(bytes))
}

/// Not a whole backup.
pub fn damaged() -> Failure {
    Failure::new("backup_damaged", 5)
}

fn failure(error: &DecryptError) -> Failure {
    match error {
        // Whether the words are wrong, or what they open is damaged, nobody can tell.
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => {
            Failure::new("backup_passphrase", 4)
        }
        DecryptError::NoMatchingKeys => Failure::new("backup_identity", 4),
        DecryptError::UnknownFormat => Failure::new("newer_backup", 5),
        _ => damaged(),
    }
}

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret;

    use super::*;
    use crate::control::request::Words;

    /// Cheap: tests derive often.
    const CHEAP: u8 = 4;

    fn content() -> Content {
        let section = |byte: u8| Zeroizing::new(vec![byte; 70_000]);
        Content {
            name: "amina".to_owned(),
            sections: vec![section(7), section(8), Zeroizing::new(Vec::new())],
        }
    }

    fn words(text: &str) -> BackupLock {
        BackupLock::Passphrase(Words(text.to_owned()))
    }

    /// A folder with an age key in it, and what backups are sealed to for it.
    fn with_key() -> (tempfile::TempDir, Key, BackupLock) {
        let folder = tempfile::tempdir().unwrap();
        let identity = x25519::Identity::generate();
        let file = folder.path().join("key");
        std::fs::write(&file, identity.to_string().expose_secret()).unwrap();
        (folder, Key::Identities(file), BackupLock::Recipient(identity.to_public().to_string()))
    }

    fn code_of<T>(done: Result<T, Failure>) -> (String, u8) {
        done.map(|_| ()).map_err(|failure| (failure.code, failure.exit)).unwrap_err()
    }

    fn read(file: &Path, key: &Key) -> Result<Content, Failure> {
        open(file)?.read(key)
    }

    /// Seals any bytes as the file of a backup is.
    fn seal(file: &Path, lock: &BackupLock, plain: &[u8]) {
        let mut out = encryptor(lock, CHEAP).unwrap().wrap_output(File::create(file).unwrap()).unwrap();
        out.write_all(plain).unwrap();
        out.finish().unwrap();
    }

    #[test]
    fn a_backup_is_read_as_it_was_written_by_passphrase_or_key() {
        let (folder, identity, recipient) = with_key();
        let passphrase = Key::Passphrase(Zeroizing::new("six words".to_owned()));
        for (lock, key, other) in
            [(words("six words"), &passphrase, &identity), (recipient, &identity, &passphrase)]
        {
            let file = folder.path().join(format!("{lock:?}").len().to_string());
            write_at_cost(&file, &lock, &content(), CHEAP).unwrap();
            let again = read(&file, key).unwrap();
            assert_eq!((again.name, again.sections), (content().name, content().sections));
            assert_eq!(open(&file).unwrap().wants_passphrase(), matches!(lock, BackupLock::Passphrase(_)));
            assert_eq!(code_of(read(&file, other)), ("backup_identity".to_owned(), 4));
            let sealed = std::fs::read(&file).unwrap();
            let shows = |part: &[u8]| sealed.windows(part.len()).any(|at| at == part);
            assert!(!shows(b"amina") && !shows(&[7; 32]));
        }
        let wrong = Key::Passphrase(Zeroizing::new("other words".to_owned()));
        let file = folder.path().join("words");
        write_at_cost(&file, &words("six words"), &content(), CHEAP).unwrap();
        assert_eq!(code_of(read(&file, &wrong)), ("backup_passphrase".to_owned(), 4));
    }

    #[test]
    fn a_backup_that_was_changed_or_cut_short_anywhere_is_refused() {
        let (folder, key, lock) = with_key();
        let file = folder.path().join("backup");
        write_at_cost(&file, &lock, &content(), CHEAP).unwrap();
        let whole = std::fs::read(&file).unwrap();
        let places = (0..300).step_by(5).chain((300..whole.len()).step_by(9_973)).chain([whole.len() - 1]);
        for at in places {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            for bytes in [&changed[..], &whole[..at]] {
                std::fs::write(&file, bytes).unwrap();
                let (code, exit) = code_of(read(&file, &key));
                let known = ["backup_damaged", "newer_backup"].contains(&code.as_str()) && exit == 5
                    || code == "backup_identity" && exit == 4;
                assert!(known, "{code} {exit} at {at}");
            }
        }
        std::fs::write(&file, [&whole[..], b"more"].concat()).unwrap();
        assert_eq!(code_of(read(&file, &key)).0, "backup_damaged");
    }

    #[test]
    fn a_cost_that_would_exhaust_the_machine_is_refused_and_not_paid() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        write_at_cost(&file, &words("six words"), &content(), CHEAP).unwrap();
        let whole = std::fs::read(&file).unwrap();
        let line = whole.split(|byte| *byte == b'\n').nth(1).unwrap();
        assert!(line.ends_with(b" 4"));
        let at = b"age-encryption.org/v1\n".len() + line.len() - 1;
        let key = Key::Passphrase(Zeroizing::new("six words".to_owned()));
        for (cost, refusal) in
            [("21", "backup_damaged"), ("63", "backup_damaged"), ("5", "backup_passphrase")]
        {
            let costly = [&whole[..at], cost.as_bytes(), &whole[at + 1..]].concat();
            std::fs::write(&file, costly).unwrap();
            assert_eq!(code_of(read(&file, &key)).0, refusal, "{cost}");
        }
    }

    #[test]
    fn other_versions_and_parts_beyond_bounds_are_refused() {
        let (folder, key, lock) = with_key();
        let file = folder.path().join("backup");
        let head = |version: u32| [MAGIC.as_slice(), &version.to_be_bytes()].concat();
        let part = |length: u32, bytes: &[u8]| [&length.to_be_bytes()[..], bytes].concat();
        let with = |rest: &[u8]| [&head(1)[..], rest].concat();
        let name = part(5, b"amina");
        let long = u32::try_from(MAX_SECTION).unwrap() + 1;
        for (plain, refusal) in [
            (b"something else altogether".to_vec(), "backup_damaged"),
            (head(0), "newer_backup"),
            (head(2), "newer_backup"),
            (head(1), "backup_damaged"),
            (with(&part(65, &[b'a'; 65])), "backup_damaged"),
            (with(&part(2, &[0xff, 0xfe])), "backup_damaged"),
            (with(&[&name[..], &[0, 0]].concat()), "backup_damaged"),
            (with(&[&name[..], &part(9, b"short")].concat()), "backup_damaged"),
            (with(&[&name[..], &part(long, b"")].concat()), "backup_damaged"),
        ] {
            seal(&file, &lock, &plain);
            assert_eq!(code_of(read(&file, &key)), (refusal.to_owned(), 5), "{plain:02x?}");
        }
        seal(&file, &lock, &with(&name));
        assert!(read(&file, &key).unwrap().sections.is_empty());
        // A beginning without an end.
        let endless = [&b"age-encryption.org/v1\n"[..], &b"-> X25519 a\n".repeat(10_000)].concat();
        std::fs::write(&file, endless).unwrap();
        assert_eq!(code_of(read(&file, &key)).0, "backup_damaged");
        assert_eq!(code_of(open(&folder.path().join("none"))).0, "backup_not_read");
    }

    #[test]
    fn nothing_is_written_over_and_a_refusal_leaves_nothing() {
        let (folder, _, lock) = with_key();
        let inside = folder.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        let file = inside.join("backup");
        write_at_cost(&file, &lock, &content(), CHEAP).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let first = std::fs::read(&file).unwrap();
        let again = write_at_cost(&file, &lock, &content(), CHEAP);
        assert_eq!(code_of(again), ("backup_exists".to_owned(), 1));
        // Somebody makes the file meanwhile.
        let raced = put(&file, encryptor(&lock, CHEAP).unwrap(), &content());
        assert_eq!(raced.unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(std::fs::read(&file).unwrap() == first);
        assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 1);
        let nowhere = write_at_cost(&folder.path().join("none/backup"), &lock, &content(), CHEAP);
        assert_eq!(code_of(nowhere), ("backup_not_written".to_owned(), 1));
        let nobody = BackupLock::Recipient("age1nobody".to_owned());
        assert_eq!(
            code_of(write_at_cost(&inside.join("new"), &nobody, &content(), CHEAP)).0,
            "bad_recipient"
        );
        assert_eq!(code_of(check_recipient("age1nobody")).0, "bad_recipient");
        assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 1);
    }
}
