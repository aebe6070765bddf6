//! Files and configurations against what was recorded of Traefik (`truth/traefik/3.6.7-5-config`).

use super::{Dynamic, EntryPoint, Profile, RequestFacts, RuntimeConfig, Status};
use crate::source::Source;

const FRAME: &str = "
http:
  middlewares:
    authentik: {forwardAuth: {address: \"http://auth:9000/a\", authResponseHeaders: [X-authentik-username]}}
  services:
    back: {loadBalancer: {servers: [{url: \"http://back:80\"}]}}
    outpost: {loadBalancer: {servers: [{url: \"http://auth:9000\"}]}}
";

fn load(files: &[(&str, &str)]) -> Result<Dynamic, String> {
    let sources = files.iter().map(|(name, text)| Source::inline(name, text));
    Dynamic::from_sources(sources, <&Profile>::default()).map_err(|problem| problem.to_string())
}

/// The frame with `routers` in a file of their own.
fn run(routers: &str) -> RuntimeConfig {
    let routers = format!("http:\n  routers:\n{routers}");
    let dynamic = load(&[("frame.yml", FRAME), ("routers.yml", &routers)]).unwrap();
    RuntimeConfig::build(
        dynamic,
        &[EntryPoint::new("web"), EntryPoint::new("websecure")],
        <&Profile>::default(),
    )
}

fn winner<'a>(config: &'a RuntimeConfig, host: &str, path: &str) -> Option<&'a str> {
    config.winner("web", false, &RequestFacts::get(host, path)).map(|router| router.name.as_str())
}

#[test]
fn the_longest_rule_wins_and_the_first_name_breaks_a_tie() {
    let config = run("    zz: {rule: 'Host(`a.test`)', service: back}
    aa: {rule: 'Host(`a.test`)', service: back}
    outpost: {rule: 'Host(`a.test`) && PathPrefix(`/outpost.goauthentik.io/`)', service: outpost}
    any: {rule: 'PathPrefix(`/outpost.goauthentik.io/`)', service: outpost}
    zero: {rule: 'Host(`b.test`)', service: back, priority: 0}
    low: {rule: 'Host(`b.test`) && PathPrefix(`/`)', service: back, priority: 1}
    long: {rule: 'Host(`a-very-long-hostname-for-the-application.example`)', service: back}
");
    assert_eq!(winner(&config, "a.test", "/"), Some("aa@file"));
    assert_eq!(winner(&config, "a.test", "/outpost.goauthentik.io/ping"), Some("outpost@file"));
    assert_eq!(winner(&config, "b.test", "/"), Some("zero@file"));
    assert_eq!(winner(&config, "b.test", "/outpost.goauthentik.io/ping"), Some("any@file"));
    let long = "a-very-long-hostname-for-the-application.example";
    assert_eq!(winner(&config, long, "/outpost.goauthentik.io/ping"), Some("long@file"));
    assert_eq!(winner(&config, "other.test", "/"), None);
    assert_eq!(config.router("outpost").unwrap().priority, Some(56));
}

#[test]
fn what_is_missing_disables_a_router_and_lets_a_broader_one_answer() {
    let config =
        run("    nomw: {rule: 'Host(`a.test`) && PathPrefix(`/`)', service: back, middlewares: [nope]}
    nodocker: {rule: 'Host(`d.test`)', service: back, middlewares: [authentik@docker]}
    nosvc: {rule: 'Host(`b.test`)', service: nope}
    noep: {rule: 'Host(`c.test`)', service: back, entryPoints: [secure]}
    someep: {rule: 'Host(`e.test`)', service: back, entryPoints: [secure, web]}
    v2: {rule: 'Host(`a`,`b`)', service: back}
    none: {rule: 'Host(`f.test`)'}
    catch: {rule: 'HostRegexp(`.+`)', service: back, priority: 1}
");
    let errors = |name: &str| config.router(name).unwrap().errors.join("|");
    assert_eq!(errors("nomw"), "middleware \"nope@file\" does not exist");
    assert_eq!(errors("nodocker"), "middleware \"authentik@docker\" does not exist");
    assert_eq!(errors("nosvc"), "the service \"nope@file\" does not exist");
    assert_eq!(errors("noep"), "entryPoint \"secure\" doesn't exist|no valid entryPoint for this router");
    assert_eq!(errors("someep"), "entryPoint \"secure\" doesn't exist");
    assert_eq!(config.router("someep").unwrap().status, Status::Warning);
    assert!(errors("v2").ends_with("unexpected number of parameters; got 2, expected one of [1]"));
    assert_eq!(
        errors("none"),
        "router has no service and no child routers|router must have either a service or child routers"
    );
    assert_eq!(winner(&config, "a.test", "/"), Some("catch@file"));
    assert_eq!(winner(&config, "e.test", "/"), Some("someep@file"));
}

#[test]
fn tls_routers_answer_tls_alone() {
    let config = run("    app: {rule: 'Host(`a.test`)', service: back, tls: {}}\n");
    let facts = RequestFacts::get("a.test", "/");
    assert!(config.winner("web", false, &facts).is_none());
    assert!(config.winner("websecure", true, &facts).is_some());
}

#[test]
fn chains_are_resolved_and_may_not_bite_their_tail() {
    let chains = "http:\n  middlewares:\n    ch: {chain: {middlewares: [authentik]}}\n    loop: {chain: {middlewares: [loop2]}}\n    loop2: {chain: {middlewares: [loop]}}\n  routers:\n    a: {rule: 'Host(`a`)', service: back, middlewares: [ch]}\n    b: {rule: 'Host(`b`)', service: back, middlewares: [loop]}\n";
    let dynamic = load(&[("a.yml", FRAME), ("b.yml", chains)]).unwrap();
    let config = RuntimeConfig::build(dynamic, &[EntryPoint::new("web")], <&Profile>::default());
    assert!(config.router("a").unwrap().runs("authentik@file"));
    let error = &config.router("b").unwrap().errors[0];
    assert_eq!(
        error,
        "could not instantiate middleware loop@file: recursion detected in loop@file->loop2@file->loop@file"
    );
}

#[test]
fn the_first_definition_counts_and_the_second_is_told() {
    let open = "http:\n  routers:\n    app: {rule: 'Host(`a`)', service: back}\n";
    let safe = "http:\n  routers:\n    app: {rule: 'Host(`a`)', service: back, middlewares: [authentik]}\n";
    let dynamic = load(&[("a.yml", open), ("b.yml", safe)]).unwrap();
    assert!(dynamic.routers["app"].middlewares.is_none());
    let told = &dynamic.duplicates[0];
    assert_eq!((told.kept.to_string().as_str(), told.skipped.to_string().as_str()), ("a.yml:3", "b.yml:3"));
}

#[test]
fn a_mistake_in_one_file_refuses_all_with_traefiks_words() {
    let middleware = |text: &str| format!("http: {{middlewares: {{m: {{{text}}}}}}}");
    let router = |text: &str| format!("http: {{routers: {{r: {{{text}}}}}}}");
    for (text, error) in [
        (
            middleware("forwardAuth: {address: x, authResponseHeader: [a]}"),
            "field not found, node: authResponseHeader",
        ),
        (router("rule: x, middleware: [y]"), "field not found, node: middleware"),
        (middleware("nope: {}"), "field not found, node: nope"),
        (
            middleware("forwardAuth: {address: x, trustForwardHeader: \"yes\"}"),
            "strconv.ParseBool: parsing \"yes\": invalid syntax",
        ),
        (router("priority: abc"), "strconv.ParseInt: parsing \"abc\": invalid syntax"),
        (router("priority: 1.5"), "strconv.ParseInt: parsing \"1.500000\": invalid syntax"),
        (router("rule: {a: b}"), "invalid node rule: string"),
        (
            middleware("stripPrefix: {}"),
            "stripPrefix cannot be a standalone element (type *dynamic.StripPrefix)",
        ),
        (
            middleware("headers: {customRequestHeaders: {}}"),
            "customRequestHeaders cannot be a standalone element (type map[string]string)",
        ),
        (
            "http: {routers: {}}".to_owned(),
            "routers cannot be a standalone element (type map[string]*dynamic.Router)",
        ),
        ("http: {}".to_owned(), "http cannot be a standalone element (type *dynamic.HTTPConfiguration)"),
        ("- a".to_owned(), "cannot unmarshal !!seq into map[string]interface {}"),
    ] {
        assert_eq!(load(&[("a.yml", FRAME), ("b.yml", &text)]).err().as_deref(), Some(error), "{text}");
    }
    for text in [
        router(""),
        router("rule: [a]"),
        middleware("forwardAuth: null"),
        middleware("rateLimit: {average: 1}"),
        "x-anchors: &a {rule: b}\nhttp: {routers: {r: *a}}".to_owned(),
        "http: null".to_owned(),
    ] {
        assert_eq!(load(&[("a.yml", FRAME), ("b.yml", &text)]).err(), None, "{text}");
    }
}

#[test]
fn fields_are_those_of_the_version() {
    let source = || {
        [Source::inline("a.yml", "http: {middlewares: {m: {forwardAuth: {address: x, forwardBody: true}}}}")]
    };
    assert!(Dynamic::from_sources(source(), Profile::for_version("3.6")).is_ok());
    let problem = Dynamic::from_sources(source(), Profile::for_version("3.0")).unwrap_err();
    assert_eq!(problem.to_string(), "field not found, node: forwardBody");
    assert_eq!(problem.position().unwrap(), "a.yml:1:52");
}

#[test]
fn field_names_have_no_case_and_toml_is_read() {
    let yaml = "http: {middlewares: {m: {forwardauth: {address: x, AuthResponseHeaders: \"a, b\"}}}}";
    let toml = "[http.routers.app]\nrule = \"Host(`app.test`)\"\nservice = \"back\"\nmiddlewares = [\"m@file\"]\n\
                [[http.services.back.loadBalancer.servers]]\nurl = \"http://b\"\n";
    let dynamic = load(&[("a.yml", yaml), ("b.toml", toml)]).unwrap();
    let config = RuntimeConfig::build(dynamic, &[EntryPoint::new("web")], <&Profile>::default());
    let router = config.router("app").unwrap();
    assert_eq!((router.status, router.at().to_string().as_str()), (Status::Enabled, "b.toml:1"));
    assert!(router.runs("m@file"));
}

#[test]
fn what_is_not_modelled_is_named() {
    let text = "tcp: {routers: {}}\nhttp: {middlewares: {m: {rateLimit: {average: 1}}, h: {headers: {frameDeny: true}}}}";
    let found: Vec<_> =
        load(&[("a.yml", text)]).unwrap().unmodelled.into_iter().map(|what| what.what).collect();
    assert_eq!(found, ["tcp", "middleware `m` of type rateLimit", "middleware `h`: frameDeny"]);
}

#[test]
fn the_directory_is_read_in_order_with_dotfiles_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let router =
        |name: &str| format!("http: {{routers: {{{name}: {{rule: 'Host(`{name}`)', service: s}}}}}}");
    for name in ["b.yaml", "a.yml", ".hidden.yml"] {
        std::fs::write(folder.path().join(name), router(&name[..2].replace('.', "x"))).unwrap();
    }
    std::fs::write(folder.path().join("c.txt"), "garbage: [").unwrap();
    std::fs::write(folder.path().join("d.yml.bak"), "garbage: [").unwrap();
    let dynamic = Dynamic::load(folder.path(), <&Profile>::default()).unwrap();
    let names: Vec<_> = dynamic.files.iter().map(|file| file.path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, [".hidden.yml", "a.yml", "b.yaml"]);
    assert_eq!(dynamic.routers.len(), 3);
}
