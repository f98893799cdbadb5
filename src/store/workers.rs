//! Sled's workers, seven of them, look up once a second whether there is work or not, which keeps a
//! laptop at rest awake. No setting of sled's changes that. Linux lets a thread say how late its timers
//! may be, and threads take that over from whoever starts them: so they are started by a thread that is
//! in no hurry. Work wakes them at once all the same.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

/// How late a worker's look may be, in nanoseconds: an hour.
#[cfg(target_os = "linux")]
const LATE: std::num::NonZeroU64 = std::num::NonZeroU64::MIN.saturating_add(3_600_000_000_000);

/// Opens a database and starts its workers.
pub(super) fn open(config: &sled::Config) -> sled::Result<sled::Db> {
    hurry(false);
    let opened = config.open();
    if let Ok(db) = &opened {
        // The first look hands the work to the workers; nothing depends on its end.
        let _ = pin!(db.flush_async()).poll(&mut Context::from_waker(Waker::noop()));
    }
    hurry(true);
    opened
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

    /// How late the timers of each of sled's workers may be.
    fn slacks() -> Vec<String> {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
        let workers = tasks.filter(|task| {
            std::fs::read_to_string(task.join("comm")).is_ok_and(|n| n.starts_with("sled-io"))
        });
        let slack = |task: std::path::PathBuf| {
            let id = task.file_name().unwrap().to_str().unwrap().to_owned();
            std::fs::read_to_string(format!("/proc/{id}/timerslack_ns")).unwrap().trim().to_owned()
        };
        workers.map(slack).collect()
    }

    #[test]
    fn workers_are_in_no_hurry_and_whoever_starts_them_is_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let before = rustix::thread::current_timer_slack().unwrap();
        let db = open(&sled::Config::new().path(folder.path()).flush_every_ms(None)).unwrap();
        assert_eq!(rustix::thread::current_timer_slack().unwrap(), before);
        // They name themselves once they run.
        while slacks().len() < 7 {
            std::thread::yield_now();
        }
        assert!(slacks().iter().all(|slack| *slack == LATE.to_string()));
        drop(db);
    }
}
