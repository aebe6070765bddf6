//! PostgreSQL and its snapshots in Docker. Runs where `SSOPROOF_TEST_CONTAINERS` is set.

use secrecy::SecretString;
use ssoproof_containers::{Docker, Error, Lab, Labels, Postgres, PostgresSettings, Snapshot};

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
async fn a_snapshot_keeps_the_data_and_its_password() {
    if std::env::var_os("SSOPROOF_TEST_CONTAINERS").is_none() {
        eprintln!("not run: SSOPROOF_TEST_CONTAINERS is not set");
        return;
    }
    let image = std::env::var("SSOPROOF_IMAGE_POSTGRES").unwrap_or_else(|_| "postgres:16-alpine".to_owned());
    let docker = Docker::connect().await.unwrap();
    let stack = format!("ssoproof-test-{:08x}", rand::random::<u32>());
    let labels = Labels { stack: stack.clone(), lease: "none".to_owned(), host: "none".to_owned() };
    let lab = Lab::open(docker.clone(), labels.clone(), false).await.unwrap();
    let (right, wrong) = (SecretString::from("right"), SecretString::from("wrong"));
    let settings =
        |image, password| PostgresSettings { image, user: "authentik", password, database: "authentik" };
    let start = async |lab: &Lab, settings: PostgresSettings<'_>| {
        Postgres::ready(Postgres::plan(lab, &settings).start().await?, &settings).await
    };
    let first = start(&lab, settings(&image, &right)).await.unwrap();
    let snapshot = Snapshot::new(docker.clone(), stack.replace('-', ""), "test".to_owned());
    assert!(!snapshot.exists().await);
    snapshot.keep(&first).await.unwrap();
    assert!(snapshot.exists().await);
    first.component.remove().await.unwrap();
    let kept = snapshot.image();

    let refused = start(&lab, settings(&kept, &wrong)).await.err();
    let refused = refused.expect("the data has another password");
    assert!(matches!(&refused, Error::NotReady { component: "postgres", .. }), "{refused}");
    assert!(refused.to_string().contains("password authentication failed"), "{refused}");
    // A dropped container removes itself in its own time, and its name is free then.
    docker.remove_stack(&stack).await.unwrap();
    let lab = Lab::open(docker.clone(), labels, false).await.unwrap();
    let again = start(&lab, settings(&kept, &right)).await.unwrap();
    drop(again);

    docker.remove_stack(&stack).await.unwrap();
    docker.forget(&stack.replace('-', ""), None).await.unwrap();
    assert!(!snapshot.exists().await);
    assert!(docker.stacks().await.unwrap().iter().all(|left| left.stack != stack));
}
