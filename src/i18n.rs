//! Sentences for people, in their language (Project Fluent). Only front ends use this.

use std::borrow::Cow;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

const ENGLISH: &str = include_str!("i18n/en/piquet.ftl");
const FRENCH: &str = include_str!("i18n/fr/piquet.ftl");
const FRENCH_HELP: &str = include_str!("i18n/fr/help.ftl");

/// The languages of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// English.
    En,
    /// French.
    Fr,
}

impl Lang {
    /// The language asked for, else the system's, else English.
    pub fn choose(asked: Option<Self>) -> Self {
        let system = || sys_locale::get_locale().unwrap_or_default();
        asked.unwrap_or_else(|| if system().to_lowercase().starts_with("fr") { Self::Fr } else { Self::En })
    }

    fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::En => ENGLISH,
            Self::Fr => FRENCH,
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::En => "",
            Self::Fr => FRENCH_HELP,
        }
    }
}

/// All sentences of one language, English behind them.
pub struct Texts {
    bundles: Vec<FluentBundle<FluentResource>>,
}

impl Texts {
    /// Loads a language.
    pub fn new(lang: Lang) -> Self {
        let load = |lang: Lang| load(lang, lang.source());
        Self { bundles: [lang, Lang::En].into_iter().map(load).collect() }
    }

    /// Loads what is said of commands and their arguments: nothing for English, which stands in the code.
    pub fn help(lang: Lang) -> Self {
        Self { bundles: vec![load(lang, lang.help())] }
    }

    /// A sentence; its id if there is none.
    pub fn get(&self, id: &str, args: &[(&str, &str)]) -> String {
        let mut values = FluentArgs::new();
        for (name, value) in args {
            // Whole numbers choose plural forms; what only looks like a number stays as it is written.
            match value.parse::<u32>() {
                Ok(number) if number.to_string() == *value => values.set(*name, number),
                _ => values.set(*name, *value),
            }
        }
        self.find(id, &values).unwrap_or_else(|| id.to_owned())
    }

    /// Whether there is such a sentence.
    pub fn has(&self, id: &str) -> bool {
        self.bundles.iter().any(|bundle| bundle.has_message(id))
    }

    fn find(&self, id: &str, values: &FluentArgs<'_>) -> Option<String> {
        let bundle = self.bundles.iter().find(|bundle| bundle.has_message(id))?;
        let pattern = bundle.get_message(id)?.value()?;
        let text: Cow<'_, str> = bundle.format_pattern(pattern, Some(values), &mut Vec::new());
        Some(text.into_owned())
    }
}

fn load(lang: Lang, source: &str) -> FluentBundle<FluentResource> {
    let language: LanguageIdentifier = lang.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Both languages are written from left to right: no isolation marks on a plain terminal.
    bundle.set_use_isolating(false);
    // What can't be parsed is missing from the bundle, which a test notices.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
    let _ = bundle.add_resource(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use fluent_syntax::ast::{Entry, Expression, InlineExpression, PatternElement};

    use super::*;

    /// Every source file.
    fn sources(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            match path.extension().and_then(|ext| ext.to_str()) {
                _ if path.is_dir() => found.extend(sources(&path)),
                Some("rs") => found.push(std::fs::read_to_string(path).unwrap()),
                _ => {}
            }
        }
        found
    }

    /// What of a source file runs outside tests.
    fn code(source: &str) -> &str {
        source.split("#[cfg(test)]\nmod tests").next().unwrap()
    }

    fn variables(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let resource = fluent_syntax::parser::parse(source).expect("well-formed");
        let mut found = BTreeMap::new();
        for entry in resource.body {
            if let Entry::Message(message) = entry {
                let mut names = BTreeSet::new();
                let elements = message.value.into_iter().flat_map(|pattern| pattern.elements);
                for element in elements {
                    collect(&element, &mut names);
                }
                found.insert(message.id.name.to_owned(), names);
            }
        }
        found
    }

    fn collect(element: &PatternElement<&str>, names: &mut BTreeSet<String>) {
        let PatternElement::Placeable { expression } = element else { return };
        let (selector, variants) = match expression {
            Expression::Inline(inline) => (inline, &[][..]),
            Expression::Select { selector, variants } => (selector, variants.as_slice()),
        };
        if let InlineExpression::VariableReference { id } = selector {
            names.insert(id.name.to_owned());
        }
        variants
            .iter()
            .flat_map(|variant| &variant.value.elements)
            .for_each(|element| collect(element, names));
    }

    #[test]
    fn every_sentence_is_there_in_both_languages_with_the_same_variables() {
        assert_eq!(variables(ENGLISH), variables(FRENCH));
    }

    #[test]
    fn every_failure_has_a_sentence_and_advice() {
        let texts = Texts::new(Lang::En);
        let mut codes: BTreeSet<String> = BTreeSet::new();
        for source in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
            for part in code(&source).split("Failure::new(").skip(1) {
                let code = part.trim_start().strip_prefix('"').and_then(|code| code.split('"').next());
                codes.extend(code.map(str::to_owned));
            }
        }
        for code in [
            "no_profile",
            "profile_exists",
            "profile_locked",
            "wrong_passphrase",
            "newer_version",
            "profile_damaged",
            "header_damaged",
            "vault_damaged",
            "disk_full",
            "read_only",
            "home_is_file",
            "no_memory",
            "disk",
        ] {
            codes.insert(code.to_owned());
        }
        for what in ["group", "member", "invite", "grievance", "call", "message"] {
            codes.insert(format!("no_such_{what}"));
        }
        for code in ["code_used", "code_expired", "code_revoked"] {
            codes.insert(code.to_owned());
        }
        assert!(codes.len() > 30);
        for code in codes {
            let code = code.replace('_', "-");
            assert!(texts.has(&format!("err-{code}")), "err-{code}");
            assert!(texts.has(&format!("rec-{code}")), "rec-{code}");
        }
    }

    #[test]
    fn every_word_of_the_protocol_is_there() {
        use piquet_protocol::action::grievance::{
            AMOUNT_BASES, AMOUNT_KINDS, AMOUNT_PERIODS, CATEGORIES, RHYTHMS,
        };
        use piquet_protocol::action::strike::FORMS;
        let texts = Texts::new(Lang::En);
        let words: [(&str, &[&str]); 6] = [
            ("cat", &CATEGORIES),
            ("amount", &AMOUNT_KINDS),
            ("per", &AMOUNT_PERIODS),
            ("basis", &AMOUNT_BASES),
            ("every", &RHYTHMS),
            ("form", &FORMS),
        ];
        for (what, ids) in words {
            for id in ids {
                let key = format!("{what}-{}", id.replace(['.', '_'], "-"));
                assert!(texts.has(&key), "{key}");
            }
        }
    }

    #[test]
    fn french_is_french_and_plurals_agree() {
        let texts = Texts::new(Lang::Fr);
        assert_eq!(texts.get("group-members", &[("count", "1")]), "1 membre");
        assert_eq!(texts.get("group-members", &[("count", "3")]), "3 membres");
        let peers = |count| texts.get("status-running", &[("listen", "x"), ("peers", count)]);
        assert!(peers("0").contains("Aucun pair") && peers("1").contains("Un pair"), "nought is singular");
        assert_eq!(texts.get("no-such-id", &[]), "no-such-id");
        for name in ["007", "1e5", "inf", "NaN", "3.10", "99999999999999999999"] {
            assert_eq!(texts.get("event-joined", &[("name", name)]), format!("Vous êtes dans {name}."));
        }
    }
}
