//! The doctor on small deployments, each broken in one way, and on healthy ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures::StreamExt as _;
use serde::Deserialize;
use ssoproof::doctor::{self, Examination, Inputs};
use ssoproof_deployment::{Deployment, Source};
use ssoproof_embedded::faults::{self, Files, Group, Seam};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/doctor");
const SPACEMUSIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");

/// A deployment as `base` with something changed, and what must be found.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    #[serde(rename = "story")]
    _story: String,
    #[serde(default)]
    replace: Vec<Replace>,
    /// Files to write, by their path.
    #[serde(default)]
    add: BTreeMap<String, String>,
    #[serde(default)]
    with: With,
    /// `CODE file:line outcome`; `-` for no place.
    #[serde(default)]
    expect: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replace {
    r#in: String,
    from: String,
    to: String,
}

/// What else the doctor is given.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct With {
    no_deployment: bool,
    /// Another folder of Traefik files than the deployment's.
    traefik: Option<String>,
    hosts: Vec<String>,
    open: Vec<String>,
    traefik_version: Option<String>,
    r#static: Option<String>,
    grafana: Option<String>,
    minio: Option<String>,
    authentik: Option<String>,
}

/// The variants of a kind, by their names.
fn variants(kind: &str) -> BTreeMap<String, Variant> {
    let entries = std::fs::read_dir(Path::new(FIXTURES).join(kind)).expect("fixtures");
    let paths = entries.map(|entry| entry.expect("entry").path());
    let read = paths.map(|path| {
        let source = Source::read(&path).expect("read");
        let variant = source.yaml().unwrap_or_else(|problem| panic!("{problem} at {:?}", problem.position()));
        (path.file_stem().expect("name").to_string_lossy().into_owned(), variant)
    });
    read.collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("folder") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

impl Variant {
    /// Writes the deployment into `folder`, and says what the doctor is given.
    fn make(&self, folder: &Path) -> Inputs {
        copy(&Path::new(FIXTURES).join("base"), folder);
        for replace in &self.replace {
            let path = folder.join(&replace.r#in);
            let text = std::fs::read_to_string(&path).expect("read");
            assert!(text.contains(&replace.from), "{} has no\n{}", replace.r#in, replace.from);
            std::fs::write(path, text.replacen(&replace.from, &replace.to, 1)).expect("written");
        }
        for (name, text) in &self.add {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            std::fs::write(path, text).expect("written");
        }
        let file = |name: &Option<String>| name.as_ref().map(|name| folder.join(name));
        Inputs {
            deployment: (!self.with.no_deployment).then(|| folder.to_owned()),
            traefik: file(&self.with.traefik)
                .or_else(|| self.with.no_deployment.then(|| folder.join("traefik"))),
            hosts: self.with.hosts.clone(),
            open: self.with.open.clone(),
            traefik_version: self.with.traefik_version.clone(),
            static_config: file(&self.with.r#static),
            grafana: file(&self.with.grafana),
            minio: file(&self.with.minio),
            authentik: file(&self.with.authentik),
            traefik_bin: None,
        }
    }

    /// What the doctor finds, with its text.
    async fn examined(&self) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().expect("folder");
        let inputs = self.make(folder.path());
        let examination = doctor::examine(&inputs, None).await.expect("examined");
        (found(&examination, folder.path()), doctor::text(&examination, false))
    }
}

/// Every finding as variants expect it.
fn found(examination: &Examination, folder: &Path) -> Vec<String> {
    let told = examination.findings.iter().map(|finding| {
        let at = finding.at.as_ref().map(|at| {
            let path = at.source.path.strip_prefix(folder).unwrap_or(&at.source.path);
            format!("{}:{}", path.display(), at.place.line)
        });
        format!("{} {} {}", finding.code.id, at.as_deref().unwrap_or("-"), finding.outcome.word())
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broken_variant_is_found_exactly_and_confirmed() {
    let variants = variants("broken");
    assert!(variants.len() >= 40, "{}", variants.len());
    let mut wrong = Vec::new();
    for (name, variant) in &variants {
        let (found, text) = variant.examined().await;
        let mut expected = variant.expect.clone();
        expected.sort();
        assert!(!expected.is_empty(), "{name} expects nothing");
        if found != expected {
            wrong.push(format!("{name}\n  expected {expected:#?}\n  found {found:#?}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), variants.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_on_healthy_variants() {
    let variants = variants("healthy");
    assert!(variants.len() >= 10, "{}", variants.len());
    for (name, variant) in &variants {
        let (found, text) = variant.examined().await;
        assert!(found.is_empty(), "{name}: {found:#?}\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spacemusic_deployment_has_notes_of_drift_alone() {
    let inputs = Inputs { deployment: Some(PathBuf::from(SPACEMUSIC)), ..Inputs::default() };
    let examination = doctor::examine(&inputs, None).await.expect("examined");
    let codes: Vec<&str> = examination.findings.iter().map(|finding| finding.code.id).collect();
    assert_eq!(codes, ["DOC-D01"; 5], "{}", doctor::text(&examination, false));
    assert_eq!(examination.count(doctor::Severity::Error), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sarif_has_what_code_hosts_ask_for() {
    let variants = variants("broken");
    for name in ["router-without-middlewares", "outpost-any-host", "alias-kept"] {
        let folder = tempfile::tempdir().expect("folder");
        let inputs = variants[name].make(folder.path());
        let examination = doctor::examine(&inputs, None).await.expect("examined");
        let log = doctor::sarif(&examination);
        assert_eq!(log["version"], "2.1.0");
        assert!(log["$schema"].as_str().is_some_and(|schema| schema.contains("sarif-2.1.0")), "{log}");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        assert!(run["tool"]["driver"]["name"].is_string());
        let results = run["results"].as_array().expect("results");
        assert_eq!(results.len(), examination.findings.len(), "{name}");
        for (result, finding) in results.iter().zip(&examination.findings) {
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("index")).expect("small");
            assert_eq!(result["ruleId"], rules[index]["id"]);
            assert!(rules[index]["shortDescription"]["text"].is_string());
            assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().expect("level")));
            assert!(result["message"]["text"].as_str().is_some_and(|text| text.ends_with('.')), "{result}");
            let Some(at) = &finding.at else { continue };
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["region"]["startLine"], at.place.line);
            let uri = place["artifactLocation"]["uri"].as_str().expect("uri");
            assert!(uri.starts_with("file:///") && !uri.contains(' '), "{uri}");
        }
    }
}

#[test]
fn codes_are_told_once_and_in_one_form() {
    let mut seen = std::collections::BTreeSet::new();
    for code in doctor::codes() {
        assert!(seen.insert(code.id), "{} stands for two things", code.id);
        let rest = code.id.strip_prefix("DOC-").expect("prefix");
        assert!(rest.len() == 3 && rest.starts_with(|c: char| c.is_ascii_uppercase()), "{}", code.id);
        let known = |diagnosis: &str| ssoproof::diagnoses::ALL.iter().any(|one| one.code() == diagnosis);
        assert!(code.diagnosis.is_none_or(known), "{} names {:?}", code.id, code.diagnosis);
    }
}

/// Every code is shown by a variant, so that none rots.
#[test]
fn every_code_has_a_broken_variant() {
    let expected: Vec<String> = variants("broken").into_values().flat_map(|variant| variant.expect).collect();
    let missing: Vec<&str> = doctor::codes()
        .map(|code| code.id)
        .filter(|id| *id != "DOC-D01" && !expected.iter().any(|one| one.starts_with(id)))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_traefik_files_is_found_and_confirmed() {
    let mut missed = Vec::new();
    for fault in faults::all() {
        // What is about tools that write files is no fault of the files as they stand.
        let (Seam::Files(change), false) = (&fault.seam, fault.group == Group::Devpush) else { continue };
        let folder = tempfile::tempdir().expect("folder");
        copy(Path::new(SPACEMUSIC), folder.path());
        let deployment = Deployment::load(folder.path()).expect("deployment");
        let mut files = Files::read(&folder.path().join("traefik")).expect("files");
        assert!(change(&mut files, &deployment), "{} has nothing to break", fault.name);
        files.write().expect("written");
        let inputs = Inputs { deployment: Some(folder.path().to_owned()), ..Inputs::default() };
        let examination = doctor::examine(&inputs, None).await.expect("examined");
        let confirmed =
            examination.findings.iter().filter(|finding| finding.severity > doctor::Severity::Note);
        let confirmed = confirmed.filter(|finding| matches!(finding.outcome, doctor::Outcome::Confirmed(_)));
        let told: Vec<String> =
            confirmed.map(|finding| format!("{} {:?}", finding.code.id, finding.code.diagnosis)).collect();
        let named = told.iter().any(|one| one.contains(fault.diagnosis));
        if !named {
            missed.push(format!(
                "{} ({}): {told:?} ({} did not reproduce)",
                fault.name,
                fault.diagnosis,
                examination.not_reproduced()
            ));
        }
    }
    assert!(missed.is_empty(), "{}:\n{}", missed.len(), missed.join("\n"));
}

/// The program on a variant, with more arguments.
fn program(variant: &Variant, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("folder");
    variant.make(folder.path());
    let output = Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .arg("doctor")
        .arg(folder.path())
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_program_ends_with_what_was_found() {
    let (broken, healthy) = (variants("broken"), variants("healthy"));
    let (code, text, _) = program(&broken["router-without-middlewares"], &[]);
    assert_eq!(code, Some(100), "{text}");
    assert!(text.contains("services.yml:3:5") && text.contains("confirmed: 200 from docs:80"), "{text}");
    assert!(text.ends_with("1 error, 0 warnings, 0 notes\n"), "{text}");
    // A warning is none of those that fail.
    assert_eq!(program(&broken["outpost-any-host"], &[]).0, Some(0));
    let (code, text, _) = program(&healthy["base"], &["--json", "-"]);
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &report["errors"]), (Some(0), &serde_json::json!(0)));
    let (code, _, complaint) = program(&healthy["base"], &["--grafana", "/nowhere.env"]);
    assert_eq!(code, Some(3));
    assert!(complaint.contains("/nowhere.env"), "{complaint}");
    assert_eq!(
        program(&healthy["base"], &["--live", "--authentik-token-env", "SSOPROOF_NO_SUCH"]).0,
        Some(2)
    );
}

/// The variants in which two routers have the same priority: the real Traefik decides anew at every start.
const BY_CHANCE: [&str; 2] = ["tie", "outpost-any-host-tie"];

/// The same, tried on the real Traefik of the recordings' middle version.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
async fn the_real_traefik_confirms_every_broken_variant() {
    let Some(binary) = std::env::var_os("SSOPROOF_TRAEFIK_BIN") else {
        eprintln!("not run: SSOPROOF_TRAEFIK_BIN is not set");
        return;
    };
    let variants = variants("broken");
    let of_its_version = variants.iter().filter(|(_, variant)| variant.with.traefik_version.is_none());
    let tried = of_its_version.map(|(name, variant)| {
        let binary = PathBuf::from(&binary);
        async move {
            let folder = tempfile::tempdir().expect("folder");
            let inputs = Inputs { traefik_bin: Some(binary), ..variant.make(folder.path()) };
            let examination = doctor::examine(&inputs, None).await.expect("examined");
            let (found, mut expected) = (found(&examination, folder.path()), variant.expect.clone());
            expected.sort();
            let text = doctor::text(&examination, false);
            (found != expected && !BY_CHANCE.contains(&name.as_str()))
                .then(|| format!("{name}\n  expected {expected:#?}\n  found {found:#?}\n{text}"))
        }
    });
    let wrong: Vec<String> =
        futures::stream::iter(tried).buffer_unordered(4).filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), variants.len(), wrong.join("\n"));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 48, ..Default::default() })]

    /// Files in which something was cut out or said twice: whatever they are, the doctor ends with a report or a problem.
    #[test]
    fn no_file_makes_it_panic(from in 0_usize..1_000, length in 0_usize..80, twice in proptest::bool::ANY) {
        let text = std::fs::read_to_string(Path::new(FIXTURES).join("base/traefik/services.yml")).expect("read");
        let (from, end) = (from.min(text.len()), (from + length).min(text.len()));
        let cut = &text[from..end];
        let mangled = format!("{}{}{}", &text[..from], if twice { cut.repeat(2) } else { String::new() }, &text[end..]);
        let folder = tempfile::tempdir().expect("folder");
        copy(&Path::new(FIXTURES).join("base"), folder.path());
        std::fs::write(folder.path().join("traefik/services.yml"), mangled).expect("written");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        for deployment in [Some(folder.path().to_owned()), None] {
            let inputs = Inputs { deployment, traefik: Some(folder.path().join("traefik")), ..Inputs::default() };
            let examined = runtime.block_on(doctor::examine(&inputs, None));
            proptest::prop_assert!(examined.is_ok(), "{:?}", examined.err());
        }
    }
}
