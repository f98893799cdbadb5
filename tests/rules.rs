//! The specification against the code: rule ids, the tests that rules name, the table of limits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|_| panic!("{}", path.display()))
}

/// The part of the specification that a rule stands in, with its text up to the next rule.
struct Rule {
    chapter: String,
    text: String,
}

impl Rule {
    fn is_reserved(&self) -> bool {
        self.text.starts_with(" *Reserved:*")
    }
}

/// Rules are written in bold where they stand, and nowhere else.
fn rules() -> BTreeMap<String, Rule> {
    let mut rules = BTreeMap::new();
    for path in files("protocol/spec", "md") {
        let chapter = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut current = None;
        for part in read(&path).split("**") {
            if is_id(part) {
                let rule = Rule { chapter: chapter.clone(), text: String::new() };
                assert!(rules.insert(part.to_owned(), rule).is_none(), "{part} stands twice");
                current = Some(part.to_owned());
            } else if let Some(rule) = current.as_ref().and_then(|id| rules.get_mut(id)) {
                rule.text.push_str(part);
            }
        }
    }
    rules
}

fn is_id(word: &str) -> bool {
    let letters = "ABCDEGIKLMRSY";
    word.split_once('-').is_some_and(|(letter, number)| {
        letter.len() == 1 && letters.contains(letter) && (1..=3).contains(&number.len()) && is_number(number)
    })
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').filter(|word| is_id(word))
}

/// Every id in code, tests and vectors, and a file that cites it.
fn cited() -> BTreeMap<String, PathBuf> {
    let code =
        ["src", "protocol/src", "protocol/tests", "examples", "tests"].map(|folder| files(folder, "rs"));
    let vectors = files("protocol/vectors", "json");
    let mut cited = BTreeMap::new();
    for path in code.into_iter().flatten().chain(vectors) {
        for id in ids(&read(&path)) {
            cited.entry(id.to_owned()).or_insert_with(|| path.clone());
        }
    }
    cited
}

#[test]
fn every_rule_the_code_cites_stands_in_the_spec() {
    let rules = rules();
    for (id, path) in cited() {
        assert!(rules.contains_key(&id), "{} cites {id}, which no rule is", path.display());
    }
}

#[test]
fn every_rule_of_the_spec_is_cited() {
    let cited = cited();
    let missing = rules().into_iter().filter(|(id, rule)| !rule.is_reserved() && !cited.contains_key(id));
    let missing: Vec<String> = missing.map(|(id, rule)| format!("{id} ({})", rule.chapter)).collect();
    assert!(missing.is_empty(), "neither code nor test nor vector cites {missing:?}");
}

/// Names of tests have at least three words.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let name = |word: &&str| {
        word.split('_').count() >= 3
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    text.split('`').skip(1).step_by(2).filter(name)
}

#[test]
fn every_test_and_vector_the_spec_names_is_there() {
    let code = ["src", "protocol/src", "protocol/tests", "tests"].map(|folder| files(folder, "rs"));
    let tests: BTreeSet<String> = code
        .iter()
        .flatten()
        .flat_map(|path| {
            let text = read(path);
            let name = |part: &str| part.split('(').next().unwrap_or_default().to_owned();
            text.split("fn ").skip(1).map(name).collect::<Vec<_>>()
        })
        .collect();
    for path in files("protocol/spec", "md").into_iter().filter(|path| !path.ends_with("limits.md")) {
        let text = read(&path);
        for name in names(&text) {
            assert!(tests.contains(name), "{} names {name}", path.display());
        }
        for list in text.split(" V: ").skip(1).map(|rest| rest.split(['.', '\n']).next().unwrap_or_default())
        {
            for name in list.split(", ") {
                let vector = root().join("protocol/vectors").join(name).with_extension("json");
                assert!(vector.exists(), "{} names {name}.json", path.display());
            }
        }
    }
}

#[test]
fn every_rule_of_the_spec_names_a_test_or_a_vector() {
    let bare = rules().into_iter().filter(|(_, rule)| {
        let text = rule.text.split_whitespace().collect::<Vec<_>>().join(" ");
        !rule.is_reserved() && !text.contains("T: `") && !text.contains(" V: ")
    });
    let bare: Vec<String> = bare.map(|(id, rule)| format!("{id} ({})", rule.chapter)).collect();
    assert!(bare.is_empty(), "no test and no vector is named for {bare:?}");
}

/// The value of a constant or field in a file, for comparing with the table.
fn value_in(code: &str, name: &str) -> Option<u64> {
    let constant = format!("const {name}: ");
    let field = format!("            {name}: ");
    let text = match code.split(&constant).nth(1) {
        Some(rest) => rest.split_once(" = ")?.1.split(';').next()?,
        None => code.split(&field).nth(1)?.split(",\n").next()?,
    };
    number(text.trim())
}

/// Products, shifts and differences of whole numbers, and times in their table's unit.
fn number(text: &str) -> Option<u64> {
    if let Some((_, seconds)) = text.split_once("Duration::from_secs(") {
        return number(seconds.split(')').next()?);
    }
    if let Some((_, millis)) = text.split_once("Duration::from_millis(") {
        return number(millis.split(')').next()?).filter(|millis| millis % 1000 != 0);
    }
    if let Some((left, right)) = text.split_once(" - ") {
        return Some(number(left)? - number(right)?);
    }
    if let Some((left, right)) = text.split_once(" << ") {
        return Some(number(left)? << number(right)?);
    }
    if let Some((left, right)) = text.rsplit_once(" * ") {
        return Some(number(left)? * number(right)?);
    }
    match text {
        "MAX_HEADS" => Some(1024),
        _ => text.replace('_', "").parse().ok(),
    }
}

#[test]
fn the_limits_are_those_of_the_code() {
    let table = read(&root().join("protocol/spec/limits.md"));
    let rules = rules();
    let mut rows = 0;
    for row in table.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, limit, cites, constant, file] = cells.as_slice() else { panic!("{row}") };
        let limit = limit.split(' ').next().and_then(|number| number.replace(',', "").parse::<u64>().ok());
        let file = file.trim_matches('|').trim();
        let found = value_in(&read(&root().join(file)), constant.trim_matches('`'));
        assert!(
            limit.is_some() && limit == found,
            "{constant} in {file}: {found:?}, the table has {limit:?}"
        );
        assert!(cites.split(", ").all(|id| rules.contains_key(id)), "{row}");
        rows += 1;
    }
    assert!(rows > 60, "{rows} rows");
}

/// Limits of the core that the table must have.
#[test]
fn no_limit_of_the_core_is_missing_from_the_table() {
    let table = read(&root().join("protocol/spec/limits.md"));
    for path in files("protocol/src", "rs") {
        for rest in read(&path).split("const MAX_").skip(1) {
            let name = format!("`MAX_{}`", rest.split(':').next().unwrap_or_default());
            let file = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            let row = table.lines().find(|line| line.contains(&name) && line.contains(&file));
            assert!(row.is_some(), "{name} of {file}");
        }
    }
}
