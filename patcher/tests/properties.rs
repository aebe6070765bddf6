//! Whatever a Traefik file looks like, patching it changes the middlewares of the routers meant and nothing else.

use proptest::prelude::*;
use ssoproof_deployment::Source;
use ssoproof_deployment::traefik::{Node, NodeValue, Outline, parse_tree};
use ssoproof_patcher::{HostPattern, MiddlewareName, Patched, Scope, Unpatched, patch};

const MIDDLEWARE: &str = "authentik@file";

/// How a router's list of middlewares is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum List {
    Absent,
    Null,
    Tilde,
    Brackets,
    Lines,
    Text,
    /// `*list`, which stands at the top.
    Alias,
    /// From `<<: *base`, which stands at the top.
    Merged,
    /// In brackets with an anchor that the next router's list is an alias of.
    Anchored,
    /// An alias of the last anchored list.
    Shared,
}

#[derive(Clone, Debug)]
struct Router {
    name: &'static str,
    rule: &'static str,
    meant: bool,
    list: List,
    names: Vec<&'static str>,
    braces: bool,
    rule_style: u8,
    service_first: bool,
    comment: bool,
    quote: &'static str,
}

#[derive(Clone, Debug)]
struct Look {
    indent: usize,
    dash: usize,
    windows: bool,
    last_line_end: bool,
    comments: bool,
    document: bool,
}

fn routers() -> impl Strategy<Value = Vec<Router>> {
    let rules = prop_oneof![
        Just(("Host(`app.test`)", true)),
        Just(("Host(`app.test`) && PathPrefix(`/größe`)", true)),
        Just(("HostRegexp(`^[a-z]+[.]test$`)", true)),
        Just(("Host(`other.test`) || Host(`APP.test`)", true)),
        Just(("PathPrefix(`/`)", true)),
        Just(("Host(`other.test`)", false)),
        Just(("!Host(`app.test`)", false)),
        Just(("Host(`app.test`) && PathPrefix(`/outpost.goauthentik.io/`)", false)),
    ];
    let lists = prop_oneof![
        3 => Just(List::Absent),
        1 => Just(List::Null),
        1 => Just(List::Tilde),
        4 => Just(List::Brackets),
        4 => Just(List::Lines),
        1 => Just(List::Text),
        1 => Just(List::Alias),
        1 => Just(List::Merged),
        1 => Just(List::Anchored),
        1 => Just(List::Shared),
    ];
    let names = prop::sample::subsequence(
        vec!["compress", "limit@docker", MIDDLEWARE, "authentik", "secured", "1.5"],
        0..3,
    );
    let quotes = prop_oneof![Just(""), Just("\""), Just("'")];
    let router = (rules, lists, names, any::<[bool; 3]>(), 0..5_u8, quotes).prop_map(
        |((rule, meant), list, names, [braces, service_first, comment], rule_style, quote)| Router {
            name: "",
            rule,
            meant,
            list,
            names,
            braces,
            rule_style,
            service_first,
            comment,
            quote,
        },
    );
    prop::collection::vec(router, 1..7).prop_map(|mut routers| {
        for (router, name) in routers.iter_mut().zip(["b", "a", "my router", "größe", "middlewares", "rule"])
        {
            router.name = name;
        }
        routers
    })
}

fn look() -> impl Strategy<Value = Look> {
    (1..6_usize, 0..4_usize, any::<[bool; 4]>()).prop_map(
        |(indent, dash, [windows, last_line_end, comments, document])| Look {
            indent,
            dash,
            windows,
            last_line_end,
            comments,
            document,
        },
    )
}

fn rule(router: &Router) -> String {
    match router.rule_style {
        0 => format!("'{}'", router.rule),
        1 => format!("\"{}\"", router.rule),
        // A plain text may not begin with `!`, nor hold a bracket between braces.
        _ if router.braces || router.rule.starts_with('!') => format!("'{}'", router.rule),
        _ => router.rule.to_owned(),
    }
}

/// The file as YAML.
fn yaml(routers: &[Router], look: &Look) -> String {
    let pad = |depth: usize| " ".repeat(depth * look.indent);
    let comment = |text: &str| if look.comments { format!(" # {text}") } else { String::new() };
    let mut lines: Vec<String> = Vec::new();
    if look.document {
        lines.push("--- # ♪".to_owned());
    }
    if routers.iter().any(|router| router.list == List::Alias) {
        lines.push("x-list: &list [compress, 'limit']".to_owned());
    }
    if routers.iter().any(|router| router.list == List::Merged) {
        lines.push("x-base: &base".to_owned());
        lines.push(format!("{}middlewares: [compress]", pad(1)));
        lines.push(format!("{}priority: 7", pad(1)));
    }
    lines.push(format!("http:{}", comment("all")));
    lines.push(format!("{}middlewares:", pad(1)));
    lines.push(format!("{}secured: {{chain: {{middlewares: [compress, authentik]}}}}", pad(2)));
    lines.push(format!("{}routers:", pad(1)));
    let mut anchored = None;
    for (index, router) in routers.iter().enumerate() {
        let quoted = |name: &&str| format!("{0}{name}{0}", router.quote);
        let names: Vec<String> = router.names.iter().map(quoted).collect();
        let brackets = format!("[{}]", names.join(", "));
        let list = match router.list {
            List::Absent => None,
            List::Null => Some(if router.braces { "null".to_owned() } else { String::new() }),
            List::Tilde => Some("~".to_owned()),
            List::Lines if !router.braces && !names.is_empty() => Some("lines".to_owned()),
            List::Brackets | List::Lines => Some(brackets),
            List::Text => Some(format!("'{}'", router.names.join(", "))),
            List::Alias => Some("*list".to_owned()),
            List::Merged => Some("merged".to_owned()),
            List::Anchored => {
                anchored = Some(index);
                Some(format!("&list{index} {brackets}"))
            }
            List::Shared => anchored.map(|anchored| format!("*list{anchored}")),
        };
        if router.comment && look.comments {
            lines.push(format!("{}# about {}", pad(2), router.name));
        }
        let name =
            if router.name.contains(' ') { format!("\"{}\"", router.name) } else { router.name.to_owned() };
        let mut fields = vec![format!("rule: {}", rule(router))];
        match (router.list, list) {
            (List::Merged, _) => fields.insert(0, "<<: *base".to_owned()),
            (_, Some(list)) => fields.push(format!("middlewares: {list}")),
            (_, None) => {}
        }
        fields.insert(if router.service_first { 0 } else { fields.len() }, "service: app".to_owned());
        if router.braces {
            lines.push(format!("{}{name}: {{{}}}{}", pad(2), fields.join(", "), comment("in braces")));
            continue;
        }
        lines.push(format!("{}{name}:", pad(2)));
        for field in fields {
            if router.comment && look.comments {
                lines.push(format!("{}# field", pad(3)));
            }
            if field.starts_with("rule") && router.rule_style == 3 {
                lines.push(format!("{}rule: >-", pad(3)));
                lines.push(format!("{}{}", pad(4), router.rule));
            } else if field == "middlewares: lines" {
                lines.push(format!("{}middlewares:{}", pad(3), comment("lines")));
                for name in &names {
                    if look.comments {
                        lines.push(format!("{}# item", pad(3)));
                    }
                    lines.push(format!("{}{}-  {name}", pad(3), " ".repeat(look.dash)));
                }
            } else {
                lines.push(format!("{}{field}{}", pad(3), comment("field")));
            }
        }
    }
    finished(lines, look)
}

/// The file as TOML.
fn toml(routers: &[Router], look: &Look) -> String {
    let mut lines = vec![
        "[http.middlewares.secured.chain]".to_owned(),
        "middlewares = [ 'compress', 'authentik' ]".to_owned(),
    ];
    let comment = |text: &str| if look.comments { format!(" # {text}") } else { String::new() };
    let indent = " ".repeat(look.dash);
    for router in routers {
        let quote = if router.quote == "'" { "'" } else { "\"" };
        let names: Vec<String> = router.names.iter().map(|name| format!("{quote}{name}{quote}")).collect();
        let list = match router.list {
            List::Absent | List::Null | List::Tilde | List::Merged | List::Shared => None,
            List::Text => Some(format!("\"{}\"", router.names.join(","))),
            List::Lines if !router.braces => {
                let items: Vec<_> =
                    names.iter().map(|name| format!("\n{indent}  {name},{}", comment("item"))).collect();
                Some(format!("[{}\n]", items.concat()))
            }
            _ => Some(format!("[{}]", names.join(", "))),
        };
        let mut fields = vec![format!("rule = '{}'", router.rule)];
        fields.extend(list.map(|list| format!("middlewares = {list}")));
        fields.insert(if router.service_first { 0 } else { fields.len() }, "service = \"app\"".to_owned());
        if router.braces {
            lines.push("[http.routers]".to_owned());
            lines.push(format!(
                "{indent}\"{}\" = {{ {} }}{}",
                router.name,
                fields.join(", "),
                comment("in braces")
            ));
        } else {
            lines.push(format!("{indent}[http.routers.\"{}\"]{}", router.name, comment("table")));
            lines.extend(fields.iter().map(|field| format!("{indent}{field}{}", comment("field"))));
        }
    }
    // `[http.routers]` may stand once, before the tables in it.
    let mut once = false;
    lines.retain(|line| line != "[http.routers]" || !std::mem::replace(&mut once, true));
    finished(lines, look)
}

fn finished(lines: Vec<String>, look: &Look) -> String {
    let mut text = lines.join("\n");
    if look.last_line_end {
        text.push('\n');
    }
    if look.windows { text.replace('\n', "\r\n") } else { text }
}

fn patched(name: &str, text: &str) -> Result<Patched, Unpatched> {
    let middleware: MiddlewareName = MIDDLEWARE.parse().unwrap();
    let scope = Scope::of_hosts(["app.test".parse::<HostPattern>().unwrap()]);
    patch(&Source::inline(name, text), &middleware, &scope, &Outline::default())
}

/// Everything a file says, without the lists of the routers meant.
fn rest(node: &Node, path: &mut Vec<String>, meant: &dyn Fn(&str) -> bool) -> serde_json::Value {
    match &node.value {
        NodeValue::Null => serde_json::Value::Null,
        NodeValue::Text(text) => text.clone().into(),
        NodeValue::List(items) => items.iter().map(|item| rest(item, path, meant)).collect(),
        NodeValue::Map(entries) => {
            let mut map = serde_json::Map::new();
            for (name, value) in entries {
                path.push(name.value.clone());
                let is_list = matches!(path.as_slice(), [http, routers, router, list]
                    if http == "http" && routers == "routers" && meant(router) && list == "middlewares");
                if !is_list {
                    map.insert(name.value.clone(), rest(value, path, meant));
                }
                path.pop();
            }
            map.sort_keys();
            map.into()
        }
    }
}

fn comments(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| Some(line[line.find('#')?..].trim_end())).collect()
}

/// What must hold of any file with these routers.
fn holds(name: &str, text: &str, routers: &[Router]) -> Result<(), TestCaseError> {
    let source = Source::inline(name, text);
    let Ok(old) = parse_tree(&source) else { return Err(TestCaseError::fail(format!("no file:\n{text}"))) };
    let before = Outline::read(&source).unwrap();
    let new = match patched(name, text) {
        Ok(new) => new,
        Err(error) => return Err(TestCaseError::fail(format!("{error:?}\n{text}"))),
    };
    let source = Source::inline(name, &new.text);
    let after =
        Outline::read(&source).map_err(|error| TestCaseError::fail(format!("{error}\n{}", new.text)))?;
    let meant = |name: &str| routers.iter().any(|router| router.name == name && router.meant);
    let mut given = Vec::new();
    for (old, new) in before.routers.iter().zip(&after.routers) {
        prop_assert_eq!(&old.name.value, &new.name.value);
        let has = before.passes(&old.middlewares, MIDDLEWARE);
        let mut wanted = old.middlewares.clone();
        if meant(&old.name.value) && !has {
            wanted.insert(0, MIDDLEWARE.to_owned());
            given.push(old.name.value.clone());
        }
        prop_assert_eq!(
            &new.middlewares,
            &wanted,
            "router {} of\n{}\nin\n{}",
            old.name.value,
            text,
            source.text
        );
    }
    prop_assert_eq!(before.routers.len(), after.routers.len());
    prop_assert_eq!(&new.routers, &given);
    let rest = |node| rest(node, &mut Vec::new(), &meant);
    prop_assert_eq!(rest(&old), rest(&parse_tree(&source).unwrap()));
    prop_assert_eq!(comments(text), comments(&new.text), "comments of\n{}\nin\n{}", text, new.text);
    prop_assert_eq!(text.ends_with('\n'), new.text.ends_with('\n'));
    if text.contains('\r') {
        prop_assert_eq!(new.text.matches('\n').count(), new.text.matches("\r\n").count());
    }
    let again = patched(name, &new.text).unwrap();
    prop_assert_eq!((again.text, again.routers.len()), (new.text, 0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn yaml_files_differ_only_in_the_lists_of_the_routers_meant(routers in routers(), look in look()) {
        holds("a.yml", &yaml(&routers, &look), &routers)?;
    }

    #[test]
    fn toml_files_differ_only_in_the_lists_of_the_routers_meant(mut routers in routers(), look in look()) {
        routers.sort_by_key(|router| !router.braces);
        holds("a.toml", &toml(&routers, &look), &routers)?;
    }

    #[test]
    fn any_text_is_patched_or_left_alone(text in "(http|routers|rule|[a ]|:|\n| |  |- |\\{|\\}|\\[|\\]|&a|\\*a|<<|#|`app.test`|Host\\(`app.test`\\)|\"|'|,|=|\\?|\\||>|!){0,40}") {
        for name in ["a.yml", "a.toml"] {
            for text in [text.clone(), format!("http:\n routers:\n  a: {text}\n"), format!("http: {{routers: {{a: {{rule: Host(`app.test`), {text}}}}}}}")] {
                if let Ok(new) = patched(name, &text) {
                    prop_assert_eq!(patched(name, &new.text).unwrap().text, new.text);
                }
            }
        }
    }
}
