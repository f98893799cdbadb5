//! The library asks the system's clock; whatever it says, all nodes must judge alike.

use super::*;

/// What members do, under whatever clock this process has.
#[test]
fn packages_welcomes_and_commits_are_taken() {
    if let Ok(clock) = std::env::var("PIQUET_TEST_CLOCK") {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        assert_eq!(now.as_secs().to_string(), clock, "the clock is not the one it should be");
    }
    let Pair { mut alice, bob, genesis, first, a, b } = pair();
    let mut carla = person(3);
    let (commit, secrets) = add(&a, &mut alice, &E1, &mut carla);
    let everybody = [&alice, &bob, &carla];
    b.apply(&E1, &commit.message, &expected(&alice, &[&carla], &[], &everybody)).unwrap();
    EpochState::join(commit.welcome.as_ref().unwrap(), &secrets).unwrap();
    let mut replay = PublicReplay::start(&genesis, &GROUP, &alice.device()).unwrap();
    replay.apply(&E0, &first.message, &expected(&alice, &[&bob], &[], &[&alice, &bob])).unwrap();
    replay.apply(&E1, &commit.message, &expected(&alice, &[&carla], &[], &everybody)).unwrap();
}

/// The same in processes whose clock stands elsewhere: at 1970 (two hours in, since the library's
/// debug build subtracts one before anybody can tell it otherwise), and years ahead.
#[cfg(target_os = "linux")]
#[test]
fn a_clock_at_1970_or_years_ahead_changes_nothing() {
    let folder = std::env::temp_dir().join(format!("piquet-clock-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (source, library) = (folder.join("clock.c"), folder.join("clock.so"));
    std::fs::write(&source, CLOCK).unwrap();
    let built =
        std::process::Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(built.unwrap().success(), "a C compiler is needed, as for building anything");
    for clock in ["7200", "4102444800"] {
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "group::seal::tests::clock::packages_welcomes_and_commits_are_taken"])
            .env("LD_PRELOAD", &library)
            .env("PIQUET_TEST_CLOCK", clock)
            .output()
            .unwrap();
        let out = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && out.contains("1 passed"), "clock at {clock}: {out}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[cfg(target_os = "linux")]
const CLOCK: &str = r#"
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
int clock_gettime(clockid_t id, struct timespec *out) {
    const char *clock = getenv("PIQUET_TEST_CLOCK");
    if (id != CLOCK_REALTIME || !clock) return syscall(SYS_clock_gettime, id, out);
    out->tv_sec = atoll(clock);
    out->tv_nsec = 0;
    return 0;
}
"#;
