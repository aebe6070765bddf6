//! A folder of the file provider.

use std::path::{Path, PathBuf};

use super::decode::decode;
use super::dynamic::{Definition, Duplicate, Dynamic};
use super::profile::Profile;
use super::tree::parse;
use crate::source::{Problem, Source};

/// The endings that Traefik reads.
const ENDINGS: [&str; 3] = ["yml", "yaml", "toml"];

/// What the folder at `folder` defines: files in alphabetical order, dot files too, the first definition of a name
/// counts (`truth/traefik/3.6.7-5-config`: `two_files_*`, `non_yaml_ext`).
///
/// # Errors
/// Every file that is not as it must be. One is enough for Traefik to take none of the folder.
pub fn read(folder: &Path, profile: &Profile) -> Result<Dynamic, Vec<Problem>> {
    let mut whole = Dynamic::default();
    let mut problems = Vec::new();
    for path in paths(folder).map_err(|problem| vec![problem])? {
        let file = Source::read(&path).and_then(|source| {
            let mut file = Dynamic::default();
            let tree = parse(&source)?;
            decode(&source, &tree, profile, &mut file)?;
            Ok(file)
        });
        match file {
            Ok(file) => merge(&mut whole, file),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(whole) } else { Err(problems) }
}

fn paths(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let failed =
        |error: std::io::Error| Problem::new(format!("failed to read `{}`: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(paths(&path)?);
        } else if path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn merge(whole: &mut Dynamic, file: Dynamic) {
    let Dynamic { routers, middlewares, services, duplicates } = whole;
    add("router", routers, file.routers, duplicates);
    add("middleware", middlewares, file.middlewares, duplicates);
    add("service", services, file.services, duplicates);
}

fn add<T: Definition>(kind: &'static str, kept: &mut Vec<T>, more: Vec<T>, duplicates: &mut Vec<Duplicate>) {
    for definition in more {
        match kept.iter().find(|other| other.name() == definition.name()) {
            Some(other) => duplicates.push(Duplicate {
                kind,
                name: definition.name().to_owned(),
                kept: other.origin().clone(),
                skipped: definition.origin().clone(),
            }),
            None => kept.push(definition),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("temporary folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        folder
    }

    const OPEN: &str = "http:\n  routers:\n    app: {rule: \"Host(`app.test`)\", service: back}\n";

    #[test]
    fn the_first_definition_counts_and_the_second_is_known() {
        let other = OPEN.replace("service: back", "service: other");
        let folder = folder(&[("b.yml", &other), ("a.yml", OPEN), (".c.yaml", ""), ("d.bak", "{")]);
        let dynamic = read(folder.path(), &Profile::V3_6).expect("loads");
        assert_eq!(dynamic.routers.len(), 1);
        assert_eq!(dynamic.routers[0].service.value, "back");
        assert_eq!(dynamic.duplicates.len(), 1);
        assert!(dynamic.duplicates[0].skipped.file().ends_with("b.yml"));
    }

    #[test]
    fn one_bad_file_refuses_the_folder() {
        let typo = OPEN.replace("service:", "middleware: [x], service:");
        let folder = folder(&[("a.yml", OPEN), ("b.yml", &typo)]);
        let problems = read(folder.path(), &Profile::V3_6).expect_err("refused");
        assert_eq!(problems[0].to_string(), "field not found, node: middleware");
        assert_eq!(problems[0].help_line(), Some("did you mean `middlewares`?"));
        assert!(
            problems[0].position().expect("place").ends_with("b.yml:3:37"),
            "{:?}",
            problems[0].position()
        );
    }

    #[test]
    fn duplicate_keys_and_wrong_types_are_refused() {
        for bad in [
            "http:\n  routers: {}\n  routers: {}\n",
            "http: {middlewares: {a: {forwardAuth: {address: \"http://a\", trustForwardHeader: \"yes\"}}}}\n",
            "http: [\n",
        ] {
            assert!(read(folder(&[("a.yml", bad)]).path(), &Profile::V3_6).is_err(), "{bad}");
        }
    }

    #[test]
    fn field_names_are_read_in_any_case_and_toml_too() {
        let yaml =
            "HTTP:\n  Routers:\n    app: {RULE: \"Host(`a`)\", Service: back, middleWares: authentik@file}\n";
        let dynamic = read(folder(&[("a.yml", yaml)]).path(), &Profile::V3_6).expect("loads");
        assert_eq!(dynamic.routers[0].middlewares[0].value, "authentik@file");
        let toml = "[http.routers.app]\nrule = \"Host(`a`)\"\nservice = \"back\"\n";
        let dynamic = read(folder(&[("a.toml", toml)]).path(), &Profile::V3_6).expect("loads");
        assert_eq!((dynamic.routers[0].rule.place.line, dynamic.routers[0].name.as_str()), (2, "app"));
    }

    #[test]
    fn options_of_later_versions_refuse_the_file() {
        let text =
            "http: {middlewares: {a: {forwardAuth: {address: \"http://a\", maxResponseBodySize: 5}}}}\n";
        let folder = folder(&[("a.yml", text)]);
        assert!(read(folder.path(), &Profile::V3_7).is_ok());
        let problems = read(folder.path(), &Profile::V3_6).expect_err("refused");
        assert_eq!(problems[0].to_string(), "field not found, node: maxResponseBodySize");
    }
}
