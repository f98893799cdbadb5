//! House rules: the arrows of ARCHITECTURE.md, the promises of README and CI.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{}", path.display()))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found
}

/// The module a file belongs to, below `src`.
fn module(source: &Path, src: &Path) -> String {
    let relative = source.strip_prefix(src).unwrap().with_extension("");
    relative.components().next().unwrap().as_os_str().to_string_lossy().into_owned()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem == "tests")
}

fn imports(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let mut found = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        found.insert(part.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned());
    }
    found
}

fn check(src: &Path, arrows: &[(&str, &[&str])]) {
    for source in sources(src).into_iter().filter(|path| !is_test(path)) {
        let module = module(&source, src);
        let Some((_, allowed)) = arrows.iter().find(|(name, _)| *name == module) else {
            assert!(["lib", "main"].contains(&module.as_str()), "{module} has no place among the arrows");
            continue;
        };
        let text = std::fs::read_to_string(&source).unwrap();
        for import in imports(&text) {
            let fits = import == module || allowed.contains(&import.as_str());
            assert!(fits, "{} must not know `{import}`", source.display());
        }
    }
}

#[test]
fn the_protocols_arrows_point_one_way() {
    const BASE: [&str; 4] = ["id", "time", "codec", "crypto"];
    let with = |more: &[&'static str]| -> Vec<&'static str> {
        BASE.iter().copied().chain(more.iter().copied()).collect()
    };
    let (entry, kind) = (with(&[]), with(&["entry"]));
    let group = with(&["entry", "kind"]);
    let log = with(&["entry", "group"]);
    let action = with(&["entry", "kind", "group", "log"]);
    let sync = with(&["entry", "log"]);
    let replica = with(&["entry", "kind", "group", "log", "action", "store", "sync"]);
    let node = with(&["entry", "kind", "group", "log", "action", "store", "sync", "replica"]);
    check(
        &root().join("protocol/src"),
        &[
            ("id", &[]),
            ("time", &[]),
            ("codec", &["id"]),
            ("crypto", &["id"]),
            ("entry", &entry),
            ("kind", &kind),
            ("envelope", &["crypto"]),
            ("store", &["id"]),
            ("log", &log),
            ("group", &group),
            ("action", &action),
            ("sync", &sync),
            ("replica", &replica),
            ("node", &node),
            ("sim", &["id", "time", "crypto", "store", "sync", "replica", "node"]),
        ],
    );
}

#[test]
fn the_programs_arrows_point_one_way() {
    check(
        &root().join("src"),
        &[
            ("cli", &["control", "daemon", "i18n", "schedule", "store"]),
            ("i18n", &[]),
            ("control", &[]),
            ("schedule", &["control"]),
            ("daemon", &["control", "net", "store", "schedule"]),
            ("net", &[]),
            ("store", &[]),
        ],
    );
}

#[test]
fn one_module_knows_mls() {
    for source in sources(&root().join("protocol/src")) {
        let text = std::fs::read_to_string(&source).unwrap();
        let seal = source.to_string_lossy().contains("/group/seal");
        assert!(seal || !text.contains("openmls"), "{}", source.display());
    }
}

#[test]
fn the_core_has_no_clock_disk_socket_thread_or_hash_order() {
    for source in sources(&root().join("protocol/src")).into_iter().filter(|path| !is_test(path)) {
        let text = std::fs::read_to_string(&source).unwrap();
        for banned in [
            "std::time::Instant",
            "SystemTime",
            "std::net::Tcp",
            "std::net::Udp",
            "std::fs",
            "std::thread",
            "HashMap",
            "HashSet",
            "async fn",
        ] {
            assert!(!text.contains(banned), "{} uses {banned}", source.display());
        }
    }
}

#[test]
fn no_test_is_switched_off() {
    let ignored = ["#[", "ignore"].concat();
    for folder in ["src", "protocol", "tests"] {
        for source in sources(&root().join(folder)) {
            assert!(!std::fs::read_to_string(&source).unwrap().contains(&ignored), "{}", source.display());
        }
    }
}

#[test]
fn ci_runs_the_readmes_test_command_and_every_example() {
    let readme = read("README.md");
    let ci = read(".ci/run");
    let command = readme.lines().find(|line| line.starts_with("cargo test")).expect("a test command");
    assert!(ci.lines().any(|line| line.trim() == command), "{command}");
    for entry in std::fs::read_dir(root().join("examples")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let named = name.strip_suffix(".rs").map_or(name.clone(), |stem| format!("--example {stem}"));
        assert!(ci.contains(&named), "{name} is not run");
    }
}

#[test]
fn the_papers_name_only_what_is_there() {
    for paper in
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "protocol/spec/overview.md"]
    {
        let folder = Path::new(paper).parent().unwrap();
        for part in read(paper).split("](").skip(1) {
            let target = part.split([')', '#']).next().unwrap();
            if !target.is_empty() && !target.contains("://") {
                assert!(root().join(folder).join(target).exists(), "{paper} names {target}");
            }
        }
    }
    let overview = read("protocol/spec/overview.md");
    for entry in std::fs::read_dir(root().join("protocol/spec")).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(name == "overview.md" || overview.contains(&name), "overview.md does not name {name}");
    }
}
