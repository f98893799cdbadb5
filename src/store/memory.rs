//! Keys in memory: wiped when dropped, and kept out of swap where the system allows.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

/// Set once some key could not be locked.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Whether every key so far could be kept out of swap. Hibernation writes all memory to the disk, locked or
/// not.
pub fn keys_locked() -> bool {
    cfg!(unix) && !REFUSED.load(Ordering::Relaxed)
}

/// A symmetric key. It stays at one place, whatever happens to its owner.
pub(super) struct SecretKey(Box<Zeroizing<[u8; 32]>>);

impl SecretKey {
    /// Zeros, to be filled in place.
    pub(super) fn zeroed() -> Self {
        let key = Box::new(Zeroizing::new([0; 32]));
        lock(&**key);
        Self(key)
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Self::zeroed();
        (bytes.len() == 32).then(|| key.fill().copy_from_slice(bytes))?;
        Some(key)
    }

    pub(super) fn fill(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }
}

impl Deref for SecretKey {
    type Target = [u8; 32];

    fn deref(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Clone for SecretKey {
    fn clone(&self) -> Self {
        let mut copy = Self::zeroed();
        copy.fill().copy_from_slice(&**self);
        copy
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

/// Keeps the pages these bytes lie on out of swap. Pages are never unlocked: others of our keys may lie on
/// the same one, and locks do not count.
#[cfg(unix)]
pub(super) fn lock(bytes: &[u8]) {
    let start = bytes.as_ptr().cast_mut().cast();
    // SAFETY: locking changes no byte and no mapping; the range is that of a live slice.
    #[allow(unsafe_code)]
    let locked = unsafe { rustix::mm::mlock(start, bytes.len()) };
    if locked.is_err() {
        REFUSED.store(true, Ordering::Relaxed);
    }
}

/// There is no such call that needs no privilege here.
#[cfg(not(unix))]
pub(super) fn lock(_: &[u8]) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_a_key_is_locked() {
        let key = SecretKey::from_slice(&[7; 32]).unwrap();
        let address = key.as_ptr() as usize;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut within = false;
        let mut locked = None;
        for line in maps.lines() {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let number = |text: &str| usize::from_str_radix(text, 16).ok();
            if let Some((Some(from), Some(to))) = range.map(|(from, to)| (number(from), number(to))) {
                within = (from..to).contains(&address);
            } else if let (true, Some(size)) = (within, line.strip_prefix("Locked:")) {
                locked = Some(size.trim() != "0 kB");
            }
        }
        assert_eq!(locked, Some(keys_locked()), "locked, or said not to be");
    }

    #[test]
    fn a_key_of_another_length_is_none() {
        assert!(SecretKey::from_slice(&[7; 31]).is_none());
        assert!(!format!("{:?}", SecretKey::zeroed()).contains('0'));
    }
}
