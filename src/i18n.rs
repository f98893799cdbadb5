//! Sentences for people, in their language (Project Fluent). Only front ends use this.

use std::borrow::Cow;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

const ENGLISH: &str = include_str!("i18n/en/piquet.ftl");
const FRENCH: &str = include_str!("i18n/fr/piquet.ftl");

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

    fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::En => ("en", ENGLISH),
            Self::Fr => ("fr", FRENCH),
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
        Self { bundles: [lang, Lang::En].into_iter().map(load).collect() }
    }

    /// A sentence; its id if there is none.
    pub fn get(&self, id: &str, args: &[(&str, &str)]) -> String {
        let mut values = FluentArgs::new();
        for (name, value) in args {
            // Numbers choose plural forms.
            match value.parse::<f64>() {
                Ok(number) if !value.is_empty() => values.set(*name, number),
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

fn load(lang: Lang) -> FluentBundle<FluentResource> {
    let (tag, source) = lang.source();
    let language: LanguageIdentifier = tag.parse().unwrap_or_default();
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

    use fluent_syntax::ast::{Entry, Expression, InlineExpression, PatternElement};

    use super::*;

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
        let sources = [
            include_str!("daemon/engine.rs"),
            include_str!("daemon/lookup.rs"),
            include_str!("daemon/profile.rs"),
            include_str!("daemon/running.rs"),
            include_str!("daemon/following.rs"),
            include_str!("control/server.rs"),
            include_str!("schedule.rs"),
            include_str!("cli.rs"),
            include_str!("cli/ask.rs"),
            include_str!("cli/profile.rs"),
        ];
        let mut codes: BTreeSet<String> = BTreeSet::new();
        for source in sources {
            for part in source.split("Failure::new(\"").skip(1) {
                codes.insert(part.split('"').next().unwrap().to_owned());
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
        for what in ["group", "member", "invite", "grievance", "call"] {
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
    fn french_is_french_and_plurals_agree() {
        let texts = Texts::new(Lang::Fr);
        assert_eq!(texts.get("group-members", &[("count", "1")]), "1 membre");
        assert_eq!(texts.get("group-members", &[("count", "3")]), "3 membres");
        assert_eq!(texts.get("no-such-id", &[]), "no-such-id");
    }
}
