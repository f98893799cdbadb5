//! README's tour, word for word.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::laptop::SOON;

#[test]
#[cfg(unix)]
fn the_tour_in_the_readme_works_as_it_stands() {
    let readme = include_str!("../README.md");
    let tour = readme.split("## A two-minute tour").nth(1).expect("a tour");
    let script =
        tour.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("its commands");
    let folder = tempfile::tempdir().unwrap();
    let output = run(script, folder.path());
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");

    // What it left on each laptop.
    for who in ["alice", "bob", "carla"] {
        let ask = |args: &[&str]| json(folder.path(), who, args);
        assert_eq!(ask(&["group", "members", "picket"]).len(), 3, "{who}");
        assert_eq!(ask(&["read", "picket"])[0]["text"], "Bonjour from Lyon", "{who}");
        assert_eq!(ask(&["grievance", "list", "picket"])[0]["platform"], "Deliverix", "{who}");
        let call = &ask(&["strike", "list", "picket"])[0];
        assert_eq!((&call["title"], &call["state"]), (&"Evening off".into(), &"pledging".into()), "{who}");
        assert_eq!(call["mine"], who != "alice", "{who}");
        assert_eq!(call["pledges"], if who == "alice" { 2.into() } else { Value::Null }, "{who}");
        assert!(ask(&["invite", "list", "picket"]).iter().all(|code| code["used"] == 1), "{who}");
    }
    let grievance = &json(folder.path(), "alice", &["grievance", "list", "picket"])[0];
    assert_eq!(grievance["support"], 2);
}

/// Runs the tour as a newcomer would. Its loops wait for as long as it takes; this does not.
fn run(script: &str, folder: &Path) -> Output {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script]).current_dir(folder).env("PATH", path());
    bash.env("PIQUET_STATE", "state").env("LC_ALL", "C.UTF-8").env_remove("PIQUET_HOME");
    let (out, err) = (folder.join("out"), folder.join("err"));
    let file = |path| std::fs::File::create(path).unwrap();
    let mut child = bash.stdin(Stdio::null()).stdout(file(&out)).stderr(file(&err)).spawn().unwrap();
    let end = Instant::now() + SOON * 2;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            // Its trap ends its nodes.
            Command::new("kill").arg(child.id().to_string()).status().unwrap();
            break child.wait().unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    Output { status, stdout: std::fs::read(&out).unwrap(), stderr: std::fs::read(&err).unwrap() }
}

fn json(folder: &Path, who: &str, args: &[&str]) -> Vec<Value> {
    let mut piquet = Command::new(env!("CARGO_BIN_EXE_piquet"));
    piquet.args(["--json", "--home", who]).args(args).current_dir(folder).env("PIQUET_STATE", "state");
    let output = piquet.output().unwrap();
    assert!(output.status.success(), "{who} {args:?}: {output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn path() -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_piquet")).parent().unwrap();
    format!("{}:{}", binary.display(), std::env::var("PATH").unwrap())
}
