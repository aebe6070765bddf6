//! `patched`: what whoever put the middleware back has made of the file.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use ssoproof_deployment::Place;

use super::expect::{Check, CheckFuture, Finding, only_true};
use crate::steps::{Deployed, Parts, Seen, StepError, World};

/// `true`: every router of the service has the middleware once, the rest of the file is as the tool wrote it, comments
/// and order too, and no reader has met half a file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Patched(
    #[serde(deserialize_with = "only_true")]
    #[schemars(with = "bool")]
    (),
);

impl Check for Patched {
    fn parts(&self, _: Place, _: &mut Parts) {}

    fn run<'a>(&'a self, place: Place, seen: &'a Seen, world: &'a mut World<'_>) -> CheckFuture<'a> {
        Box::pin(async move {
            let Some(deployed) = &seen.deployed else {
                return Err(StepError::Missing("`patched` needs a step `deploy: …`".into()));
            };
            let wrong = differences(deployed, &world.deployment.traefik.middleware);
            let finding = |(what, expected, got): Difference| {
                let what = format!("{what} `{}`", deployed.file.display());
                Finding { check: "", what, expected, got, place, hop: None }
            };
            Ok(wrong.into_iter().map(finding).collect())
        })
    }
}

/// What is said of a router that has no middleware.
pub(crate) const UNPATCHED: &str = "none";

/// What it is about, what was expected, and what there is.
type Difference = (String, String, String);

/// What is wrong with the file of a deploy.
fn differences(deployed: &Deployed, middleware: &str) -> Vec<Difference> {
    let mut wrong = Vec::new();
    let mut differs = |what: &str, expected: &str, got: String| {
        wrong.push((what.to_owned(), expected.to_owned(), got));
    };
    if deployed.in_place == Some(true) {
        let got = "into the file, which is empty or half-written meanwhile".to_owned();
        differs("how somebody has written", "a new file that takes the place of the old one", got);
    }
    for met in &deployed.met {
        differs("what was met in", "whole files", met.clone());
    }
    let [written, found] = [&deployed.written, &deployed.found].map(|source| source.text.lines().next());
    if found.is_some_and(|found| found.starts_with(Deployed::HEAD)) && found != written {
        differs("the version in", "the last one that the tool wrote", "an older one".to_owned());
        return wrong;
    }
    let mut written = deployed.written.yaml::<Value>().unwrap_or_default();
    let mut found: Value = match deployed.found.yaml() {
        Ok(found) => found,
        Err(problem) => {
            differs("the file", "one that parses", problem.to_string());
            return wrong;
        }
    };
    for name in &deployed.routers {
        let list = middlewares(&found, name);
        if list != [middleware] {
            let got = if list.is_empty() { UNPATCHED.to_owned() } else { list.join(", ") };
            differs(&format!("middlewares of `{name}` in"), middleware, got);
        }
    }
    // Other routers may have lacked it before. Texts are compared, for mappings in another order are equal.
    let [wanted, got] = [&mut written, &mut found].map(|tree| {
        take_off(tree, middleware);
        tree.to_string()
    });
    if got != wanted {
        differs("values and order in", "as the tool wrote them", "others".to_owned());
    }
    let gone = missing(&comments(&deployed.written.text), &comments(&deployed.found.text));
    if let Some(comment) = gone {
        differs("comments in", &comment, "gone, or elsewhere".to_owned());
    }
    wrong
}

/// The middlewares of the router called `name`.
fn middlewares(tree: &Value, name: &str) -> Vec<String> {
    match &tree["http"]["routers"][name]["middlewares"] {
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::String(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// Takes `middleware` off every router.
fn take_off(tree: &mut Value, middleware: &str) {
    let routers = ["http", "routers"].into_iter().try_fold(tree, |node, key| node.get_mut(key));
    let routers = routers.and_then(Value::as_object_mut).into_iter().flatten();
    for router in routers.filter_map(|(_, router)| router.as_object_mut()) {
        let empty = match router.get_mut("middlewares") {
            Some(Value::Array(items)) => {
                items.retain(|item| item != middleware);
                items.is_empty()
            }
            Some(Value::String(text)) => text == middleware,
            _ => false,
        };
        if empty {
            router.shift_remove("middlewares");
        }
    }
}

/// The comments of a YAML text, in their order. What looks like one inside of a text counts as well: it has to stay too.
fn comments(text: &str) -> Vec<&str> {
    let comment = |line: &str| -> Option<usize> {
        let begins = |at: &usize| line[..*at].chars().next_back().is_none_or(char::is_whitespace);
        line.match_indices('#').map(|(at, _)| at).find(begins)
    };
    text.lines().filter_map(|line| Some(line[comment(line)?..].trim_end())).collect()
}

/// The first of `wanted` that is not in `found`, where those before it are.
fn missing(wanted: &[&str], found: &[&str]) -> Option<String> {
    let mut rest = found.iter();
    wanted.iter().find(|comment| !rest.any(|other| other == *comment)).map(|comment| (*comment).to_owned())
}

#[cfg(test)]
mod tests {
    use ssoproof_deployment::Source;

    use super::*;

    const WRITTEN: &str =
        "# head\nhttp:\n  routers:\n    docs: # own\n      rule: Host(`a#b`)\n      service: docs\n";

    fn deployed(found: &str) -> Deployed {
        Deployed {
            file: "docs.yml".into(),
            routers: vec!["docs".to_owned()],
            written: Source::inline("docs.yml", WRITTEN),
            found: Source::inline("docs.yml", found),
            in_place: Some(false),
            met: Vec::new(),
        }
    }

    fn of(found: &str) -> Vec<String> {
        differences(&deployed(found), "authentik@file")
            .into_iter()
            .map(|(what, _, got)| format!("{what}: {got}"))
            .collect()
    }

    #[test]
    fn a_version_that_the_tool_has_replaced_since_is_told_as_such() {
        let [written, found] = [3, 2].map(|number| {
            let text = format!("{} {number}\n{WRITTEN}", Deployed::HEAD);
            Source::inline("docs.yml", &text)
        });
        let deployed = Deployed { written, found, ..deployed(WRITTEN) };
        let differences = differences(&deployed, "authentik@file");
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].2, "an older one");
    }

    #[test]
    fn a_patched_file_differs_in_the_middleware_alone() {
        let patched = WRITTEN.replace("      service", "      middlewares: [authentik@file]\n      service");
        assert_eq!(of(&patched), Vec::<String>::new());
        let twice = patched.replace("[authentik@file]", "[authentik@file, authentik@file]");
        assert_eq!(of(&twice), ["middlewares of `docs` in: authentik@file, authentik@file"]);
        assert_eq!(of(WRITTEN), ["middlewares of `docs` in: none"]);
        assert_eq!(of(&patched.replace(" # own", "")), ["comments in: gone, or elsewhere"]);
        assert_eq!(of(&patched.replace("service: docs", "service: other")), ["values and order in: others"]);
        let order = "# head\nhttp:\n  routers:\n    docs: # own\n      service: docs\n      middlewares: [authentik@file]\n      \
                     rule: Host(`a#b`)\n";
        assert_eq!(of(order), ["values and order in: others"]);
        let other = "    other:\n      rule: x\n";
        let both = |text: &str, other: &str| Source::inline("docs.yml", &format!("{text}{other}"));
        let mended = Deployed {
            written: both(WRITTEN, other),
            found: both(&patched, &format!("{other}      middlewares: [authentik@file]\n")),
            ..deployed(WRITTEN)
        };
        assert_eq!(differences(&mended, "authentik@file"), [], "a router that lacked it before has it now");
        assert!(of("http: [").iter().any(|difference| difference.starts_with("the file:")));
    }
}
