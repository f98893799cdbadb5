//! `kill -9` at any moment.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use piquet::control::client::Client;
use piquet::control::{Reply, Request};

use super::{picket, sees_equivocation};
use crate::laptop::{Laptop, until};

const ROUNDS: u64 = 30;

/// Moments that differ from round to round, the same in every run.
fn moment(round: u64, most: u64) -> Duration {
    let mixed = (round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Duration::from_micros((mixed >> 20) % (most * 1000))
}

/// Says things until the node is gone; what was acknowledged.
fn say_until_gone(home: &Path, round: u64, started: &AtomicBool) -> Vec<String> {
    let mut said = Vec::new();
    let mut client = Client::connect(home).unwrap();
    for number in 0.. {
        let text = format!("{round}.{number}");
        let mut acknowledged = false;
        let request = Request::Send { group: "picket".into(), text: text.clone() };
        let called = client.call(&request, |answer| {
            acknowledged = matches!(answer, Ok(Reply::Message { .. }));
            true
        });
        if acknowledged {
            said.push(text);
        }
        started.store(true, Ordering::Relaxed);
        if called.is_err() {
            return said;
        }
    }
    said
}

/// What was acknowledged is there, in its order; beside it at most one thing a round that was asked for and not
/// acknowledged.
fn holds(texts: &[String], said: &[String], rounds: u64) {
    let mut left = texts.iter();
    for text in said {
        assert!(left.any(|there| there == text), "{text} was acknowledged");
    }
    assert!(texts.len() as u64 <= said.len() as u64 + rounds, "{} of {}", texts.len(), said.len());
}

#[test]
fn a_node_killed_while_it_writes_keeps_what_it_acknowledged_and_never_writes_a_place_twice() {
    let (alice, mut bob) = picket(Laptop::empty(), Laptop::empty());
    let mut said = Vec::new();
    for round in 0..ROUNDS {
        let (started, home) = (AtomicBool::new(false), bob.home());
        let bob_said = thread::scope(|scope| {
            let speaker = scope.spawn(|| say_until_gone(&home, round, &started));
            until("bob has begun to speak", || started.load(Ordering::Relaxed));
            thread::sleep(moment(round, 60));
            bob.kill_running();
            speaker.join().unwrap()
        });
        said.extend(bob_said);
        bob.kill();
        bob.up();
    }
    let texts = bob.texts("picket");
    holds(&texts, &said, ROUNDS);
    assert!(said.len() as u64 > ROUNDS, "it was killed while it wrote: {}", said.len());
    until("alice has the same", || alice.texts("picket") == texts);
    assert!(!sees_equivocation(&alice) && !sees_equivocation(&bob));
}

#[test]
fn a_command_killed_on_its_own_has_done_what_it_printed_or_nothing() {
    let laptop = Laptop::of("alice");
    laptop.one(&["group", "create", "picket"]);
    let mut said = Vec::new();
    for round in 0..ROUNDS {
        let text = round.to_string();
        let mut command = laptop.command(&laptop.home());
        let mut child =
            command.args(["--json", "send", "picket", &text]).stdout(Stdio::piped()).spawn().unwrap();
        thread::sleep(moment(round, 250));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        if output.stdout.contains(&b'\n') {
            said.push(text);
        }
    }
    let texts = laptop.texts("picket");
    holds(&texts, &said, ROUNDS);
    laptop.one(&["send", "picket", "and on"]);
    assert_eq!(laptop.texts("picket").len(), texts.len() + 1);
}
