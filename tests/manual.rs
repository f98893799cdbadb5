//! The manual is the test: the pages in `tests/cli` hold commands with all that they print, and are
//! run here as they stand, each page in a folder of its own. After a change in what piquet says,
//!
//! ```sh
//! TRYCMD=overwrite cargo test --test all manual
//! ```
//!
//! writes the pages anew; read the difference. `cargo test --test all manual trycmd=groups` runs one
//! page. `tests/cli/piquet.sh` stands for the reader's shell; a folder `PAGE.out` asks for a folder
//! of the page's own, `PAGE.in` is what lies in it at the start.

#[cfg(unix)]
#[test]
fn every_page_of_the_manual_is_true() {
    use std::path::Path;

    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let piquet = env!("CARGO_BIN_EXE_piquet");
    let path = Path::new(piquet).parent().unwrap().display().to_string();
    let manual = trycmd::TestCases::new();
    manual.register_bin("piquet", trycmd::schema::Bin::Path(pages.join("piquet.sh")));
    manual.env("PIQUET", piquet).env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap()));
    // Below each page's own folder.
    manual.env("PIQUET_HOME", "home").env("PIQUET_STATE", "state");
    manual.env("LANGUAGE", "en").env("LC_ALL", "en_US.UTF-8").env("COLUMNS", "100");
    manual.case(pages.join("*.md"));
    manual.run();
}

/// A command that the manual leaves out is one nobody reads about.
#[test]
fn the_manual_shows_the_help_of_every_command() {
    let help = include_str!("cli/help.md");
    let mut shown = 0;
    for block in help.split("\n$ piquet ").skip(1) {
        let (command, text) = block.split_once("--help\n").expect("asks for help");
        let Some(list) = text.split("Commands:\n").nth(1) else { continue };
        let lines = list.lines().take_while(|line| line.starts_with("  "));
        // What a long description goes on with is set in deeper.
        for line in lines.filter(|line| !line.starts_with("   ")) {
            let name = line.split_whitespace().next().unwrap();
            let asked = format!("\n$ piquet {command}{name} --help\n");
            assert!(name == "help" || help.contains(&asked), "{asked}");
            shown += 1;
        }
    }
    assert!(shown > 30, "{shown} commands");
}
