//! Public reports and triples about Grafana, MinIO, Traefik and Authentik, each with its id: every one is tried on the
//! explainers or on a stack, or stands in `not_expressed.yaml` with the reason why the product cannot express it.

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod grafana;
mod loops;
mod minio;
mod stack;
mod tokens;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};

use cases::Tally;

/// One test of a case.
struct Tried {
    id: String,
    title: String,
    run: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

impl Tried {
    fn new(id: &str, title: &str, run: impl FnOnce() -> Result<(), String> + Send + 'static) -> Self {
        Self { id: id.to_owned(), title: title.to_owned(), run: Box::new(run) }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tried: Vec<Tried> =
        [grafana::tried(), minio::tried(), tokens::tried(), loops::tried(), stack::tried()]
            .into_iter()
            .flatten()
            .collect();
    let tally = Arc::new(Mutex::new(Tally::read(tried.iter().map(|tried| tried.id.as_str()))));
    let accounted = tally.lock().expect("tally").accounted();
    let mut trials =
        vec![Trial::test("cases/every id is tested or explained", move || accounted.map_err(Failed::from))];
    for Tried { id, title, run } in tried {
        let upstream = tally.lock().expect("tally").upstream(&id);
        let tally = tally.clone();
        trials.push(Trial::test(format!("cases/{id} {title} ({upstream})"), move || {
            let outcome = run();
            tally.lock().expect("tally").note(&id, outcome.is_ok());
            outcome.map_err(Failed::from)
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        tally.lock().expect("tally").print();
    }
    conclusion.exit_code()
}
