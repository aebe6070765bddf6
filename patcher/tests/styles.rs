//! Every way to write a router, before and after.

use ssoproof_deployment::Source;
use ssoproof_deployment::traefik::Outline;
use ssoproof_patcher::{HostPattern, MiddlewareName, Patched, Scope, Unpatched, patch};

fn patched(name: &str, text: &str) -> Result<Patched, Unpatched> {
    let middleware: MiddlewareName = "authentik@file".parse().unwrap();
    let scope = Scope::of_hosts(["app.test".parse::<HostPattern>().unwrap()]);
    patch(&Source::inline(name, text), &middleware, &scope, &Outline::default())
}

/// `before` becomes `after`, with either line end, and stays so.
#[track_caller]
fn becomes(name: &str, before: &str, after: &str) {
    for line_end in ["\n", "\r\n"] {
        let (before, after) = (before.replace('\n', line_end), after.replace('\n', line_end));
        let once = patched(name, &before).unwrap_or_else(|error| panic!("{error}\n{before}"));
        assert_eq!(once.text, after, "of\n{before}\nwanted\n{after}\ngot\n{}", once.text);
        let twice = patched(name, &after).unwrap();
        assert_eq!((twice.text.as_str(), twice.routers.len()), (after.as_str(), 0));
    }
}

#[track_caller]
fn yaml(before: &str, after: &str) {
    becomes("a.yml", before, after);
}

#[track_caller]
fn toml(before: &str, after: &str) {
    becomes("a.toml", before, after);
}

/// A file with one router of our host, whose fields besides the rule are `fields`, indented by four.
fn router(fields: &str) -> String {
    format!("http:\n  routers:\n    app:\n      rule: Host(`app.test`)\n{fields}")
}

#[test]
fn absent_list_goes_below_the_rule() {
    yaml(
        &router("      # the service\n      service: app\n"),
        &router("      middlewares: [authentik@file]\n      # the service\n      service: app\n"),
    );
}

#[test]
fn absent_list_at_the_end_of_a_file_without_line_end() {
    yaml(router("").trim_end(), &router("      middlewares: [authentik@file]"));
    yaml(
        "http: {routers: {app: {rule: Host(`app.test`)}}}",
        "http: {routers: {app: {middlewares: [authentik@file], rule: Host(`app.test`)}}}",
    );
}

#[test]
fn comment_behind_the_rule_stays_there() {
    yaml(
        "http:\n  routers:\n    app:\n      rule: \"Host(`app.test`)\" # ours\n      service: app\n",
        "http:\n  routers:\n    app:\n      rule: \"Host(`app.test`)\" # ours\n      middlewares: [authentik@file]\n      service: app\n",
    );
}

#[test]
fn rule_over_several_lines_is_left_whole() {
    yaml(
        "http:\n  routers:\n    app:\n      rule: >-\n        Host(`app.test`)\n        && PathPrefix(`/`)\n\n      service: app\n",
        "http:\n  routers:\n    app:\n      rule: >-\n        Host(`app.test`)\n        && PathPrefix(`/`)\n\n      middlewares: [authentik@file]\n      service: app\n",
    );
    yaml(
        "http:\n  routers:\n    app:\n      rule: |\n        Host(`app.test`)\n",
        "http:\n  routers:\n    app:\n      middlewares: [authentik@file]\n      rule: |\n        Host(`app.test`)\n",
    );
}

#[test]
fn absent_list_is_written_as_the_files_other_lists_are() {
    yaml(
        &router("      entryPoints:\n        - \"web\"\n"),
        &router("      middlewares:\n        - \"authentik@file\"\n      entryPoints:\n        - \"web\"\n"),
    );
    yaml(
        &router("      entryPoints:\n      - web\n"),
        &router("      middlewares:\n      - authentik@file\n      entryPoints:\n      - web\n"),
    );
}

#[test]
fn empty_lists_and_null_are_filled() {
    yaml(&router("      middlewares: []\n"), &router("      middlewares: [authentik@file]\n"));
    yaml(
        &router("      middlewares: [ ]   # none\n"),
        &router("      middlewares: [authentik@file ]   # none\n"),
    );
    yaml(
        &router("      middlewares:\n      service: app\n"),
        &router("      middlewares: [authentik@file]\n      service: app\n"),
    );
    yaml(&router("      middlewares: # none\n"), &router("      middlewares: [authentik@file] # none\n"));
    yaml(&router("      middlewares:"), &router("      middlewares: [authentik@file]"));
    yaml(&router("      middlewares: ~\n"), &router("      middlewares: [authentik@file]\n"));
    yaml(&router("      middlewares: null # x\n"), &router("      middlewares: [authentik@file] # x\n"));
    yaml(&router("      middlewares: \"\"\n"), &router("      middlewares: [authentik@file]\n"));
    yaml(&router("      middlewares: {}\n"), &router("      middlewares: [authentik@file]\n"));
}

#[test]
fn list_in_brackets_gets_it_first() {
    yaml(
        &router("      middlewares: [compress]\n"),
        &router("      middlewares: [authentik@file, compress]\n"),
    );
    yaml(
        &router("      middlewares: [ 'compress', b ]\n"),
        &router("      middlewares: [ 'authentik@file', 'compress', b ]\n"),
    );
    yaml(
        &router("      middlewares: [\n        compress, # small\n        b\n      ]\n"),
        &router(
            "      middlewares: [\n        authentik@file,\n        compress, # small\n        b\n      ]\n",
        ),
    );
    yaml(
        &router("      middlewares: [ # all\n        compress\n      ]\n"),
        &router("      middlewares: [authentik@file,  # all\n        compress\n      ]\n"),
    );
}

#[test]
fn list_of_lines_gets_it_first_and_comments_stay_with_their_items() {
    yaml(
        &router("      middlewares: # all\n        # small\n        - compress\n        - b\n"),
        &router(
            "      middlewares: # all\n        - authentik@file\n        # small\n        - compress\n        - b\n",
        ),
    );
    yaml(
        &router("      middlewares:\n      - \"compress\"\n"),
        &router("      middlewares:\n      - \"authentik@file\"\n      - \"compress\"\n"),
    );
    yaml(
        &router("      middlewares:\n           -   compress"),
        &router("      middlewares:\n           - authentik@file\n           -   compress"),
    );
}

#[test]
fn names_in_one_text_become_a_list() {
    yaml(
        &router("      middlewares: compress\n"),
        &router("      middlewares: [authentik@file, compress]\n"),
    );
    yaml(
        &router("      middlewares: \"compress, b\" # x\n"),
        &router("      middlewares: [authentik@file, compress, b] # x\n"),
    );
}

#[test]
fn other_spellings_of_the_same_middleware_are_left_alone() {
    for list in ["[authentik]", "[compress, authentik@file]", "compress,authentik", "[secured]"] {
        let text = router(&format!("      middlewares: {list}\n"))
            + "  middlewares:\n    secured: {chain: {middlewares: [compress, inner]}}\n    inner: {chain: {middlewares: [authentik]}}\n";
        yaml(&text, &text);
    }
}

#[test]
fn field_names_are_read_in_any_case() {
    yaml(
        "HTTP:\n  Routers:\n    app:\n      Rule: Host(`app.test`)\n      Middlewares: [b]\n",
        "HTTP:\n  Routers:\n    app:\n      Rule: Host(`app.test`)\n      Middlewares: [authentik@file, b]\n",
    );
}

#[test]
fn mappings_in_braces() {
    yaml(
        "http: {routers: {app: {rule: Host(`app.test`), service: app}}}\n",
        "http: {routers: {app: {rule: Host(`app.test`), middlewares: [authentik@file], service: app}}}\n",
    );
    yaml(
        "{\"http\": {\"routers\": {\"app\": {\"rule\": \"Host(`app.test`)\", \"service\": \"app\"}}}}\n",
        "{\"http\": {\"routers\": {\"app\": {\"rule\": \"Host(`app.test`)\", \"middlewares\": [authentik@file], \"service\": \"app\"}}}}\n",
    );
    yaml(
        "http:\n  routers: {\n    app: {\n      rule: Host(`app.test`),\n      service: app\n    }\n  }\n",
        "http:\n  routers: {\n    app: {\n      rule: Host(`app.test`),\n      middlewares: [authentik@file],\n      service: app\n    }\n  }\n",
    );
    yaml(
        "http: {routers: {app: {rule: Host(`app.test`), middlewares: , service: app}}}\n",
        "http: {routers: {app: {rule: Host(`app.test`), middlewares: [authentik@file] , service: app}}}\n",
    );
}

#[test]
fn alias_of_a_list_elsewhere_is_written_out() {
    let file = |list: &str| {
        format!(
            "x-list: &list [compress]\nhttp:\n  routers:\n    app:\n      rule: Host(`app.test`)\n      middlewares: {list}\n    other: {{rule: Host(`other.test`), middlewares: *list}}\n"
        )
    };
    yaml(&file("*list"), &file("[authentik@file, compress]"));
}

#[test]
fn anchored_list_of_routers_that_are_all_meant_is_edited_once() {
    let file = |list: &str| {
        format!(
            "http:\n  routers:\n    app: {{rule: Host(`app.test`), middlewares: &list {list}}}\n    api: {{rule: Host(`app.test`) && Path(`/api`), middlewares: *list}}\n"
        )
    };
    yaml(&file("[compress]"), &file("[authentik@file, compress]"));
}

#[test]
fn anchored_list_that_another_router_shares_is_parted() {
    yaml(
        "http:\n  routers:\n    app: {rule: Host(`app.test`), middlewares: &list [compress]}\n    other: {rule: Host(`other.test`), middlewares: *list}\n",
        "http:\n  routers:\n    app: {rule: Host(`app.test`), middlewares: [authentik@file, compress]}\n    other: {rule: Host(`other.test`), middlewares: &list [compress]}\n",
    );
}

#[test]
fn merged_fields_are_overridden_in_the_router() {
    let file = |own: &str| {
        format!(
            "x-base: &base\n  entryPoints: [web]\n  middlewares: [compress]\nhttp:\n  routers:\n    app:\n      <<: *base\n      rule: Host(`app.test`)\n{own}    other:\n      <<: *base\n      rule: Host(`other.test`)\n"
        )
    };
    yaml(&file(""), &file("      middlewares: [authentik@file, compress]\n"));
}

#[test]
fn alias_of_a_whole_router_is_merged() {
    yaml(
        "x-app: &app {rule: Host(`app.test`), service: app}\nhttp:\n  routers:\n    app: *app\n",
        "x-app: &app {rule: Host(`app.test`), service: app}\nhttp:\n  routers:\n    app: {<<: *app, middlewares: [authentik@file]}\n",
    );
}

#[test]
fn router_that_others_not_meant_are_made_of_is_refused_with_its_place() {
    let text = "http:\n  routers:\n    app: &app\n      rule: Host(`app.test`)\n    other:\n      <<: *app\n      rule: Host(`other.test`)\n";
    let error = patched("a.yml", text).unwrap_err();
    assert_eq!(error.problem().position().unwrap(), "a.yml:3:5");
    assert_eq!(
        error.to_string(),
        "router `app` cannot be given `authentik@file` without changing something else"
    );
}

#[test]
fn routers_of_other_hosts_to_authentik_and_of_the_outpost_are_left_alone() {
    let text = "http:\n  middlewares:\n    authentik: {forwardAuth: {address: \"http://auth:9000/outpost.goauthentik.io/auth/traefik\"}}\n  services:\n    auth: {loadBalancer: {servers: [{url: \"http://auth:9000\"}]}}\n  routers:\n    a: {rule: Host(`other.test`), service: app}\n    b: {rule: Host(`app.test`) && PathPrefix(`/outpost.goauthentik.io/`), service: x}\n    c: {rule: Host(`app.test`) && PathPrefix(`/sso`), service: auth}\n";
    yaml(text, text);
}

#[test]
fn odd_indentation_document_marks_and_later_documents_stay() {
    yaml(
        "%YAML 1.2\n--- # first\nhttp:\n routers:\n     app:\n            rule: Host(`app.test`)\n            service: app\n...\n---\nhttp: {routers: {app: {rule: Host(`app.test`)}}}\n",
        "%YAML 1.2\n--- # first\nhttp:\n routers:\n     app:\n            rule: Host(`app.test`)\n            middlewares: [authentik@file]\n            service: app\n...\n---\nhttp: {routers: {app: {rule: Host(`app.test`)}}}\n",
    );
}

#[test]
fn byte_order_mark_stays() {
    yaml(
        "\u{feff}http:\n  routers:\n    app: {rule: Host(`app.test`)}\n",
        "\u{feff}http:\n  routers:\n    app: {middlewares: [authentik@file], rule: Host(`app.test`)}\n",
    );
}

#[test]
fn texts_beyond_ascii_do_not_move_the_place() {
    yaml(
        "# zoë ♪\nhttp:\n  routers:\n    größe: {rule: Host(`app.test`), service: ü}\n",
        "# zoë ♪\nhttp:\n  routers:\n    größe: {rule: Host(`app.test`), middlewares: [authentik@file], service: ü}\n",
    );
}

#[test]
fn toml_tables() {
    toml(
        "[http.routers.app]\n  rule = \"Host(`app.test`)\" # ours\n  service = \"app\"\n\n  [http.routers.app.tls]\n",
        "[http.routers.app]\n  rule = \"Host(`app.test`)\" # ours\n  middlewares = [\"authentik@file\"]\n  service = \"app\"\n\n  [http.routers.app.tls]\n",
    );
    toml(
        "[http.routers.app]\nrule = 'Host(`app.test`)'",
        "[http.routers.app]\nrule = 'Host(`app.test`)'\nmiddlewares = [\"authentik@file\"]",
    );
}

#[test]
fn toml_tables_in_braces_and_dotted_keys() {
    toml(
        "[http.routers]\napp = { rule = \"Host(`app.test`)\", service = \"app\" }\n",
        "[http.routers]\napp = { rule = \"Host(`app.test`)\", middlewares = [\"authentik@file\"], service = \"app\" }\n",
    );
    toml(
        "[http]\nrouters.\"my app\".rule = \"Host(`app.test`)\"\nrouters.\"my app\".service = \"app\"\n",
        "[http]\nrouters.\"my app\".rule = \"Host(`app.test`)\"\nrouters.\"my app\".middlewares = [\"authentik@file\"]\nrouters.\"my app\".service = \"app\"\n",
    );
    toml(
        "http.routers = { app.rule = \"Host(`app.test`)\" }\n",
        "http.routers = { app.rule = \"Host(`app.test`)\", app.middlewares = [\"authentik@file\"] }\n",
    );
}

#[test]
fn toml_lists() {
    let file =
        |list: &str| format!("[http.routers.app]\nrule = \"Host(`app.test`)\"\nmiddlewares = {list}\n");
    toml(&file("[]"), &file("[\"authentik@file\"]"));
    toml(&file("[ 'b' ]"), &file("[ 'authentik@file', 'b' ]"));
    toml(&file("[\n  # small\n  \"b\",\n]"), &file("[\"authentik@file\", \n  # small\n  \"b\",\n]"));
    toml(&file("[\n  \"b\",\n]"), &file("[\n  \"authentik@file\",\n  \"b\",\n]"));
    toml(&file("\"b,c\" # x"), &file("[\"authentik@file\", \"b\", \"c\"] # x"));
    toml(&file("[\"authentik\"]"), &file("[\"authentik\"]"));
}

#[test]
fn half_written_files_and_templates_are_reported() {
    for (name, text) in [
        ("a.yml", "http:\n  routers:\n    app: {rule: \"Host(`app"),
        ("a.toml", "[http.routers.app]\nrule = \"Host(`app"),
        (
            "a.yml",
            "http:\n  routers:\n{{ range $i := until 3 }}\n    app{{ $i }}: {rule: Host(`app.test`)}\n{{ end }}\n",
        ),
    ] {
        let error = patched(name, text).unwrap_err();
        assert!(matches!(error, Unpatched::Unreadable(_)), "{error:?}");
        assert_eq!(error.problem().help_line().is_some(), text.contains("{{"), "{error:?}");
    }
}

#[test]
fn empty_files_stay_empty() {
    for text in ["", "\n", "# nothing\n", "http:\n", "http: {routers: }\n", "- a\n", "a"] {
        yaml(text, text);
    }
}

#[test]
fn deep_and_large_files_cost_little() {
    let many = |line: &dyn Fn(usize) -> String| (0..20_000).map(line).collect::<String>();
    let expected = |name: &str, text: &str| {
        let begun = std::time::Instant::now();
        let patched = patched(name, text);
        // A minute would be a square of something.
        assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
        patched
    };
    for deep in ["[", "{a: ", "- ", "a:\n ", "&a [*a, "] {
        let _ = expected("a.yml", &format!("http: {}", deep.repeat(200_000)));
        let _ = expected("a.toml", &format!("http = {}", deep.repeat(200_000)));
    }
    let yaml = many(&|index| format!("    r{index}: {{rule: Host(`app.test`), service: app}}\n"));
    let patched = expected("a.yml", &format!("http:\n  routers:\n{yaml}")).unwrap();
    assert_eq!(patched.routers.len(), 20_000);
    let toml = many(&|index| format!("[http.routers.r{index}]\nrule = \"Host(`app.test`)\"\n"));
    assert_eq!(expected("a.toml", &toml).unwrap().routers.len(), 20_000);
    let laughs = (1..40).fold("x0: &x0 [a, a]\n".to_owned(), |text, index| {
        format!("{text}x{index}: &x{index} [{0}, {0}]\n", format!("*x{}", index - 1))
    });
    assert!(
        expected(
            "a.yml",
            &format!("{laughs}http: {{routers: {{a: {{rule: Host(`app.test`), middlewares: *x39}}}}}}\n")
        )
        .is_err()
    );
}
