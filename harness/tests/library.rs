//! The library of scenarios: what deployments use of it, and what they are told of what does not fit.

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use ssoproof::scenario;
use ssoproof_deployment::Deployment;

const SPACEMUSIC: &str = "../scenarios/spacemusic";
const LANTERN: &str = "../scenarios/lantern";

fn ssoproof(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ssoproof"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("SSOPROOF_DEPLOYMENT")
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A copy of the Lantern Books deployment in which `from` is `to` in `deployment.yaml`.
fn lantern(from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    common::copy(Path::new(LANTERN), folder.path()).expect("copied");
    let file = folder.path().join("deployment.yaml");
    let before = std::fs::read_to_string(&file).expect("read");
    assert!(before.contains(from), "{from}");
    std::fs::write(&file, before.replacen(from, to, 1)).expect("written");
    folder
}

/// What `ssoproof check` complains of there.
fn complaint(from: &str, to: &str) -> String {
    let folder = lantern(from, to);
    let output = ssoproof(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(3), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn a_family_that_there_is_not_is_shown_with_what_was_meant() {
    let told = complaint("  - headers\n", "  - heders\n");
    assert!(told.contains("the library has no family of scenarios `heders`"), "{told}");
    assert!(told.contains("deployment.yaml:105:5]") && told.contains("did you mean `headers`?"), "{told}");
}

#[test]
fn a_scenario_that_there_is_not_is_shown_with_what_was_meant() {
    let told = complaint("  - login\n", "  - login/login-redirct\n");
    assert!(told.contains("the library has no scenario `login/login-redirct`"), "{told}");
    assert!(told.contains("did you mean `login/login-redirect`?"), "{told}");
}

#[test]
fn a_scenario_that_is_asked_for_by_name_has_to_fit() {
    let told = complaint("  - sessions\n", "  - sessions/minio-session-forged\n");
    let expected = "`sessions/minio-session-forged` does not fit: the deployment has no `apps.minio`";
    assert!(told.contains(expected), "{told}");
    assert!(told.contains("── here") && told.contains("use `sessions` to have what fits"), "{told}");
}

#[test]
fn single_scenarios_are_used_as_well() {
    let folder = lantern("  - sessions\n", "  - sessions/core-session-forged\n");
    let output = ssoproof(folder.path(), &["list", "--filter", "sessions/"]);
    let cases = text(&output.stdout);
    assert!(cases.lines().count() > 1, "{cases}{}", text(&output.stderr));
    assert!(cases.lines().all(|line| line.starts_with("sessions/core-session-forged/")), "{cases}");
}

#[test]
fn what_does_not_fit_is_left_out_and_listed_with_the_reason() {
    let output = ssoproof(Path::new(LANTERN), &["list"]);
    assert_eq!(output.status.code(), Some(0));
    let told = text(&output.stderr);
    let expected = [
        "access/access-taken, for the deployment has no `single`",
        "api/proxy-provider-patch, for the deployment has no `single`",
        "bridge/bridge-forged-cookie-anonymous, for the deployment has no `bridged`",
        "headers/forwarded-host-of-other-service, for the deployment has no `cast.guest.denied`",
        "login/login-redirect-open, for the deployment has no `single`",
        "login/login-return-start, for the deployment has no `cast.member.single`",
        "logout/end-session-other-app, for the deployment has no `apps.minio`",
        "oidc/oidc-same-subject, for the deployment has no `apps.minio`",
        "oidc/redirect-uri-near-miss, for the deployment has no `apps.minio`",
        "oidc/redirect-uri-of-other-app, for the deployment has no `apps.minio`",
        "routing/outpost-start, for the deployment has no `single`",
        "routing/way-around-absolute-target, for the deployment has no `cast.guest.denied`",
        "routing/way-around-other-host, for the deployment has no `cast.guest.denied`",
        "sessions/minio-session-forged, for the deployment has no `apps.minio`",
        "sessions/proxy-session-of-other-service, for the deployment has no `cast.guest.denied`",
    ];
    let expected: String = expected.iter().map(|line| format!("left out: {line}\n")).collect();
    assert_eq!(told, expected);
    let output = ssoproof(Path::new(LANTERN), &["check"]);
    let told = text(&output.stdout);
    assert!(told.ends_with("; 15 scenarios of the library do not fit, `ssoproof list` says why\n"), "{told}");
    let output = ssoproof(Path::new(LANTERN), &["list", "--filter", "oidc/oidc-same"]);
    assert_eq!((output.status.code(), text(&output.stderr).lines().count()), (Some(4), 1));
}

#[test]
fn a_part_that_nobody_plays_is_named_with_who_would() {
    let folder = lantern("    active: false\n", "");
    let output = ssoproof(folder.path(), &["list", "--filter", "login/login-refused-inactive"]);
    let told = text(&output.stderr);
    assert!(told.contains("the deployment has no `cast.former`: a persona that is not active"), "{told}");
}

/// Nothing of the library is dead: what one of the shipped deployments lacks, the other has.
#[test]
fn the_shipped_deployments_use_the_whole_library() {
    let mut used = BTreeSet::new();
    for folder in [SPACEMUSIC, LANTERN] {
        let deployment = Deployment::load(Path::new(folder)).expect("deployment");
        let loaded = scenario::read_library(&deployment).expect("library");
        if folder == SPACEMUSIC {
            let left_out: Vec<_> = loaded.left_out.iter().map(|one| &one.scenario).collect();
            assert!(left_out.is_empty(), "{left_out:?}");
        }
        used.extend(loaded.cases.iter().map(|case| case.scenario.source.path.display().to_string()));
    }
    for (family, names) in scenario::families() {
        for name in names {
            let path = format!("library/{family}/{name}.yaml");
            assert!(used.contains(&path), "{path} fits no deployment");
        }
    }
}

/// Scenarios of the library name documents of deployments; a misspelt name would be nobody's.
#[test]
fn the_library_names_statements_and_requirements_that_there_are() {
    let deployment = Deployment::load(Path::new(SPACEMUSIC)).expect("deployment");
    let loaded = scenario::read_library(&deployment).expect("library");
    let mut proven = BTreeSet::new();
    for case in &loaded.cases {
        let file = &case.scenario.file;
        for statement in &file.drift {
            assert!(deployment.statements.contains_key(&statement.value), "{}: {}", case.id, **statement);
        }
        proven.extend(file.requirements.iter().map(|id| id.value.clone()));
    }
    for id in scenario::requirements().keys().filter(|id| !id.starts_with("DOMAIN")) {
        assert!(proven.contains(id), "no scenario of the library proves {id}");
    }
}

#[test]
fn requirements_of_the_library_need_no_words_and_own_words_win() {
    let run =
        |folder: &Path| text(&ssoproof(folder, &["run", "--filter", "routing/router-of-service"]).stdout);
    let brought = run(Path::new(LANTERN));
    assert!(brought.contains("holds  Every router of a protected service has the forward auth"), "{brought}");
    let folder = lantern("requirements:\n", "requirements:\n  ROUTE-2: The door is shut.\n");
    let own = run(folder.path());
    assert!(own.contains("holds  The door is shut."), "{own}");
}

#[test]
fn the_folder_of_a_deployment_chooses_it() {
    let output = ssoproof(Path::new(".."), &["list", "scenarios/lantern", "--filter", "login-redirect/"]);
    let expected = "login/login-redirect/handbook  LOGIN-1\nlogin/login-redirect/orders  LOGIN-1\n\
                    login/login-redirect/stock  LOGIN-1\n";
    assert_eq!(text(&output.stdout), expected, "{}", text(&output.stderr));
}

#[test]
fn a_path_of_the_library_chooses_its_scenarios() {
    let arguments = ["list", "library/domain", "--deployment", "scenarios/lantern"];
    let output = ssoproof(Path::new(".."), &arguments);
    let cases = text(&output.stdout);
    assert!(
        cases.lines().all(|line| line.starts_with("domain/")) && cases.contains("domain/domain-login/stock")
    );
    let arguments = ["list", "library/domian", "--deployment", "scenarios/lantern"];
    let output = ssoproof(Path::new(".."), &arguments);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3));
    assert!(told.contains("`library/domian` does not exist, nor does the library have it"), "{told}");
    assert!(told.contains("did you mean `library/domain`?"), "{told}");
}

#[test]
fn of_several_deployments_the_usual_one_is_taken_and_without_one_none() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for name in ["one", "other"] {
        let scenarios = folder.path().join("scenarios").join(name);
        std::fs::create_dir_all(&scenarios).expect("folder");
        common::copy(Path::new(LANTERN), &scenarios).expect("copied");
    }
    let output = ssoproof(folder.path(), &["check"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3));
    assert!(told.contains("none says `default: true`") && told.contains("--deployment PATH"), "{told}");
    let file = folder.path().join("scenarios/other/deployment.yaml");
    let before = std::fs::read_to_string(&file).expect("read");
    std::fs::write(&file, format!("default: true\n{before}")).expect("written");
    let output = ssoproof(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn steps_of_the_library_are_used_by_their_path_and_no_other_file_is() {
    let own = |used: &str| {
        let folder = lantern("name: ", "name: ");
        let file = folder.path().join("stock/own.yaml");
        let scenario = format!(
            "id: own\npromise: It works.\nrequirements: [SHOP-1]\nneeds: [admin]\nsteps:\n  - use: {used}\n"
        );
        std::fs::write(&file, scenario).expect("written");
        let output = ssoproof(folder.path(), &["check", "stock/own.yaml"]);
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(own("library/api/steps/outpost.yaml").0, Some(0));
    let (code, told) = own("library/api/steps/outposts.yaml");
    assert!(code == Some(3) && told.contains("own.yaml:6:10"), "{told}");
    assert!(told.contains("the library has no steps `library/api/steps/outposts.yaml`"), "{told}");
    assert!(told.contains("did you mean `library/api/steps/outpost.yaml`?"), "{told}");
    let (code, told) = own("library/../requirements.yaml");
    assert!(code == Some(3) && told.contains("the library has no steps"), "{told}");
}
