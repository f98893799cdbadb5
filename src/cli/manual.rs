//! The manual page: one for all commands.

use std::io;

use clap::Command;
use clap_mangen::Man;

use crate::i18n::{Lang, Texts};

/// The page, as roff.
pub(super) fn page(command: Command, lang: Lang) -> Vec<u8> {
    let mut page = Vec::new();
    let mut command = super::help::translated(command, lang);
    command.build();
    // Writing into memory does not fail.
    let _ = Man::new(command.clone()).render(&mut page);
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let _ = section(sub, &mut page);
    }
    headings(page, lang)
}

/// The generator's headings are English.
fn headings(page: Vec<u8>, lang: Lang) -> Vec<u8> {
    let texts = Texts::help(lang);
    let heading = |line: &str| {
        let name = line.strip_prefix(".SH ").or_else(|| line.strip_prefix(".SS "))?;
        let id = format!("man-{}", name.to_lowercase());
        texts.has(&id).then(|| format!("{} {}", line.get(..3).unwrap_or_default(), texts.get(&id, &[])))
    };
    let text = String::from_utf8_lossy(&page);
    text.lines()
        .map(|line| heading(line).unwrap_or_else(|| line.to_owned()) + "\n")
        .collect::<String>()
        .into()
}

/// A command and those below it, each a section of its own.
fn section(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name()).replace('-', " ");
    let man = Man::new(command.clone());
    let mut text = Vec::new();
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    let text = String::from_utf8_lossy(&text).replace(".SH ", ".SS ");
    page.extend(format!(".SH \"{}\"\n{text}", name.to_uppercase()).into_bytes());
    let below = command.get_subcommands().filter(|sub| sub.get_name() != "help");
    below.into_iter().try_for_each(|sub| section(sub, page))
}
