//! Which machine this is, and what it remembers of a profile (S-23): so that a copy or an old image of a
//! profile is noticed when it is opened.

use std::io;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use sha2::{Digest, Sha256};

use super::files::{Disk, RealDisk, make_folder, read_bounded, remove_if_there, replace};
use super::header::ProfileId;
use super::seal::random;
use super::vault::{Continuity, Vault};

/// No honest counter gets here, and batch numbers have room for no more.
const MAX_OPENING: u64 = 1 << 23;

/// A machine: something that differs from machine to machine, and a folder outside all profiles.
#[derive(Clone)]
pub struct Machine {
    id: Vec<u8>,
    state: PathBuf,
}

impl Machine {
    /// A machine with a given id and state folder.
    pub fn new(id: impl Into<Vec<u8>>, state: impl Into<PathBuf>) -> Self {
        Self { id: id.into(), state: state.into() }
    }

    /// This machine, with the platform's folder for state (or else local data).
    ///
    /// # Errors
    /// If that folder can't be found, read or made.
    pub fn this() -> io::Result<Self> {
        let dirs = ProjectDirs::from("", "", "piquet").ok_or(io::ErrorKind::NotFound)?;
        Self::at(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()))
    }

    /// This machine, with a state folder of the caller's choice.
    ///
    /// # Errors
    /// If the folder can't be made, or the machine's id neither be read nor written.
    pub fn at(state: &Path) -> io::Result<Self> {
        make_folder(state)?;
        let id = match system_id() {
            Some(id) => id,
            None => own_id(state)?,
        };
        Ok(Self::new(id, state))
    }

    /// This machine's name in one profile's vault; says nothing across profiles.
    pub(super) fn tag(&self, profile: &ProfileId) -> [u8; 32] {
        hash(b"piquet v1 machine", &[profile, &self.id])
    }

    /// Where the profile stands to what this machine remembers of it.
    pub(super) fn compare(&self, profile: &ProfileId, vault: &Vault) -> io::Result<Continuity> {
        if vault.machine != self.tag(profile) {
            return Ok(Continuity::Copied);
        }
        Ok(match self.openings(profile)? {
            Some(remembered) if remembered > vault.opening => Continuity::RolledBack,
            // The counter here is written after the vault's: one behind is a crash between the two.
            Some(remembered) if vault.opening - remembered <= 1 => Continuity::Same,
            _ => Continuity::Copied,
        })
    }

    /// How often this machine opened the profile; `None` if it does not know the profile.
    pub(super) fn openings(&self, profile: &ProfileId) -> io::Result<Option<u64>> {
        let bytes = read_bounded(&self.counter_path(profile), 8)?;
        let number = bytes.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        Ok(number.filter(|number| *number < MAX_OPENING))
    }

    /// Remembers an opening that was interrupted before it was; otherwise several in a row would look
    /// like a life elsewhere.
    pub(super) fn catch_up(&self, disk: &dyn Disk, profile: &ProfileId, opening: u64) -> io::Result<()> {
        if self.openings(profile)?.is_some_and(|remembered| remembered < opening) {
            self.remember(disk, profile, opening)?;
        }
        Ok(())
    }

    /// Remembers the number of an opening, durably.
    pub(super) fn remember(&self, disk: &dyn Disk, profile: &ProfileId, opening: u64) -> io::Result<()> {
        make_folder(&self.state)?;
        replace(disk, &self.counter_path(profile), &opening.to_be_bytes())
    }

    /// Forgets the profile.
    pub(super) fn forget(&self, disk: &dyn Disk, profile: &ProfileId) -> io::Result<()> {
        remove_if_there(disk, &self.counter_path(profile))
    }

    fn counter_path(&self, profile: &ProfileId) -> PathBuf {
        let name = hash(b"piquet v1 counter", &[profile]);
        let name: String = name[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        self.state.join(name)
    }
}

/// What the operating system calls this installation.
fn system_id() -> Option<Vec<u8>> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let id = read_bounded(Path::new("/etc/machine-id"), 256).ok()??;
    (id.len() >= 32).then_some(id)
}

/// A random id for systems that have none, made once.
fn own_id(state: &Path) -> io::Result<Vec<u8>> {
    let path = state.join("machine");
    if let Some(id) = read_bounded(&path, 256)?.filter(|id| id.len() == 32) {
        return Ok(id);
    }
    let id = random::<32>()?.to_vec();
    replace(&RealDisk, &path, &id)?;
    Ok(id)
}

fn hash(label: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(label);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_itself_again_after_a_restart_and_has_another_name_in_each_profile() {
        let state = tempfile::tempdir().unwrap();
        let tag = |profile| Machine::at(state.path()).unwrap().tag(&[profile; 16]);
        assert_eq!(tag(1), tag(1));
        assert_ne!(tag(1), tag(2));
        assert_eq!(own_id(state.path()).unwrap(), own_id(state.path()).unwrap());
        assert_ne!(own_id(state.path()).unwrap(), own_id(tempfile::tempdir().unwrap().path()).unwrap());
    }

    #[test]
    fn a_forged_counter_is_taken_for_none() {
        let state = tempfile::tempdir().unwrap();
        let machine = Machine::new(*b"machine", state.path());
        machine.remember(&RealDisk, &[1; 16], u64::MAX).unwrap();
        assert_eq!(machine.openings(&[1; 16]).unwrap(), None);
    }
}
