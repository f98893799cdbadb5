//! README's tour, word for word.

use std::process::{Command, Stdio};

#[test]
#[cfg(unix)]
fn the_tour_in_the_readme_works_as_it_stands() {
    let readme = include_str!("../README.md");
    let tour = readme.split("## A two-minute tour").nth(1).expect("a tour");
    let script =
        tour.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("its commands");
    let folder = tempfile::tempdir().unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_piquet")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script]).current_dir(&folder).env("PATH", path).stdin(Stdio::null());
    bash.env("PIQUET_STATE", folder.path().join("state")).env("LC_ALL", "C.UTF-8").env_remove("PIQUET_HOME");
    let output = bash.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for seen in ["Bonjour from Lyon", "below the rate", "2 more", "Evening off", "2 pledged"] {
        assert!(out.contains(seen), "{seen} in\n{out}\n{err}");
    }
}
