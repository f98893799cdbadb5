//! Sled's workers, seven of them, look up once a second whether there is work or not, which keeps a
//! laptop at rest awake. No setting of sled's changes that. Linux lets a thread say how late its timers
//! may be, and threads take that over from whoever starts them: so they are started by a thread that is
//! in no hurry. Work wakes them at once all the same.

use std::future::Future;
use std::io::ErrorKind;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// How late a worker's look may be, in nanoseconds: an hour.
#[cfg(target_os = "linux")]
const LATE: std::num::NonZeroU64 = std::num::NonZeroU64::MIN.saturating_add(3_600_000_000_000);

/// A worker may let go of a database a moment after it was closed: whoever opens it again waits for that.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Opens a database and starts its workers.
pub(super) fn open(config: &sled::Config) -> sled::Result<sled::Db> {
    hurry(false);
    let opened = when_let_go(|| config.open());
    if let Ok(db) = &opened {
        // The first look hands the work to the workers; nothing depends on its end.
        let _ = pin!(db.flush_async()).poll(&mut Context::from_waker(Waker::noop()));
    }
    hurry(true);
    opened
}

/// Sled says it in words alone.
fn is_locked(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::Other && error.to_string().starts_with("could not acquire lock")
}

/// The profile's own lock keeps other processes out.
fn when_let_go<T>(mut open: impl FnMut() -> sled::Result<T>) -> sled::Result<T> {
    let end = Instant::now() + LOCK_PATIENCE;
    loop {
        match open() {
            Err(sled::Error::Io(error)) if is_locked(&error) && Instant::now() < end => {
                std::thread::sleep(LOCK_PAUSE);
            }
            opened => return opened,
        }
    }
}

/// A system that refuses keeps its workers as they are: nothing but rest depends on it.
#[cfg(target_os = "linux")]
fn hurry(hurry: bool) {
    let _ = rustix::thread::set_current_timer_slack((!hurry).then_some(LATE));
}

#[cfg(not(target_os = "linux"))]
fn hurry(_: bool) {}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// How many of sled's workers in this process, other tests' included, are in no hurry.
    fn late() -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().filter_map(|task| Some(task.ok()?.path()));
        let workers = tasks.filter(|task| {
            std::fs::read_to_string(task.join("comm")).is_ok_and(|n| n.starts_with("sled-io"))
        });
        let slack = |task: std::path::PathBuf| {
            let id = task.file_name().unwrap().to_str().unwrap().to_owned();
            // Another test's worker may have ended by now.
            std::fs::read_to_string(format!("/proc/{id}/timerslack_ns")).unwrap_or_default()
        };
        workers.map(slack).filter(|slack| slack.trim() == LATE.to_string()).count()
    }

    #[test]
    fn a_database_that_is_locked_is_opened_once_it_is_let_go_and_a_broken_one_is_not_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let config = sled::Config::new().path(folder.path()).flush_every_ms(None);
        let (mut held, mut tries) = (Some(config.open().unwrap()), 0);
        let opened = when_let_go(|| {
            tries += 1;
            let opened = config.open();
            held = held.take().filter(|_| tries < 3);
            opened
        });
        assert!(opened.is_ok() && tries >= 4, "{tries}");
        let mut tries = 0;
        let broken = when_let_go(|| {
            tries += 1;
            Err::<(), _>(sled::Error::Corruption { at: None, bt: () })
        });
        assert!(broken.is_err() && tries == 1, "{tries}");
    }

    #[test]
    fn workers_are_in_no_hurry_and_whoever_starts_them_is_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let before = rustix::thread::current_timer_slack().unwrap();
        let db = open(&sled::Config::new().path(folder.path()).flush_every_ms(None)).unwrap();
        assert_eq!(rustix::thread::current_timer_slack().unwrap(), before);
        // They name themselves once they run.
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while late() < 7 {
            assert!(std::time::Instant::now() < end, "{} workers are in no hurry", late());
            std::thread::yield_now();
        }
        drop(db);
    }
}
