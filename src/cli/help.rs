//! Help in other languages. English stands in the code, beside what it explains; `i18n/<language>/help.ftl`
//! has it by command (`cmd-group-create`) and argument (`arg-group-create-hybrid`, or `arg-group` for all
//! that are called so).

use clap::{Arg, Command};

use crate::i18n::{Lang, Texts};

/// The command with its help in a language.
pub(super) fn translated(mut command: Command, lang: Lang) -> Command {
    if lang == Lang::En {
        return command;
    }
    command.build();
    let after = command.get_after_help().is_some();
    let texts = Texts::help(lang);
    let command = translate(command, "", &texts);
    if after { command.after_help(texts.get("after-help", &[])) } else { command }
}

fn translate(command: Command, path: &str, texts: &Texts) -> Command {
    let mut command = command.subcommand_help_heading(texts.get("heading-commands", &[]));
    if let Some(about) = of_command(path, texts) {
        command = command.about(about.clone()).long_about(about);
    }
    command.mut_args(|arg| translate_arg(arg, path, texts)).mut_subcommands(|below| {
        let path = format!("{path}-{}", below.get_name());
        translate(below, &path, texts)
    })
}

fn translate_arg(arg: Arg, path: &str, texts: &Texts) -> Arg {
    let values = arg.get_possible_values();
    let values = values.iter().map(|value| value.get_name()).collect::<Vec<_>>().join(", ");
    let Some(mut help) = of_argument(arg.get_id().as_str(), path, &values, texts) else { return arg };
    let mut add = |id: &str, value: String| {
        if !value.is_empty() {
            help = format!("{help} {}", texts.get(id, &[("value", &value)]));
        }
    };
    let takes_values = arg.get_action().takes_values();
    if takes_values && !arg.is_hide_default_value_set() {
        let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy());
        add("note-default", defaults.collect::<Vec<_>>().join(" "));
    }
    if takes_values && !arg.is_hide_possible_values_set() {
        add("note-values", values);
    }
    add("note-variable", arg.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default());
    arg.help(help.clone()).long_help(help).hide_default_value(true).hide_possible_values(true).hide_env(true)
}

fn of_command(path: &str, texts: &Texts) -> Option<String> {
    // `piquet help group create` is `piquet group create --help`.
    let own = format!("cmd{}", path.replace("-help-", "-"));
    let last = format!("cmd-{}", path.rsplit('-').next().unwrap_or_default());
    [own, last].iter().find(|id| texts.has(id)).map(|id| texts.get(id, &[]))
}

fn of_argument(id: &str, path: &str, values: &str, texts: &Texts) -> Option<String> {
    let own = format!("arg{path}-{id}");
    let shared = format!("arg-{id}");
    [own, shared].iter().find(|id| texts.has(id)).map(|id| texts.get(id, &[("values", values)]))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Args;
    use super::*;

    /// All that is explained somewhere, by its English text.
    fn explained(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        found.push((format!("piquet{path}"), about));
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            found.push((format!("piquet{path} {}", arg.get_id()), help));
        }
        for below in command.get_subcommands() {
            explained(below, &format!("{path} {}", below.get_name()), found);
        }
    }

    fn all(lang: Lang) -> Vec<(String, String)> {
        let mut command = translated(Args::command(), lang);
        command.build();
        let mut found = Vec::new();
        explained(&command, "", &mut found);
        found
    }

    #[test]
    fn everything_is_explained_in_both_languages() {
        let (english, french) = (all(Lang::En), all(Lang::Fr));
        assert_eq!(english.len(), french.len());
        assert!(english.len() > 150, "{}", english.len());
        for ((what, en), (same, fr)) in english.into_iter().zip(french) {
            assert_eq!(what, same);
            assert!(!en.is_empty() && !fr.is_empty() && en != fr, "{what}: {en:?}, {fr:?}");
        }
    }

    #[test]
    fn what_is_typed_means_the_same_in_both_languages() {
        for words in [&["piquet", "strike", "call-off", "g", "i", "--reason", "r"][..], &["piquet"]] {
            for lang in [Lang::En, Lang::Fr] {
                assert!(translated(Args::command(), lang).try_get_matches_from(words).is_ok(), "{words:?}");
            }
        }
        let help = translated(Args::command(), Lang::Fr).try_get_matches_from(["piquet", "invite", "--help"]);
        let help = help.err().unwrap().to_string();
        for part in ["par défaut : 7d", "PIQUET_HOME", "Commandes:"] {
            assert!(help.contains(part), "{part}: {help}");
        }
        assert!(!help.contains("default") && !help.contains("possible values"), "{help}");
    }
}
