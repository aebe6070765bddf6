//! The embedded stack answers as the recorded programs did: every recorded exchange is sent again, one trial for
//! each recording, and a table says how many were.

mod authentik;
mod jmespath;
mod minio;
mod not_modelled;
mod recording;
mod run;
mod tally;
mod traefik;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Trial};

use crate::not_modelled::NotModelled;
use crate::recording::Recording;
use crate::tally::{Outcome, Tally};

#[expect(clippy::print_stdout, reason = "the table and the list are this test's report")]
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let list = Arc::new(NotModelled::read());
    let tally = Arc::new(Mutex::new(Tally::default()));
    let recordings =
        [authentik::recordings(), jmespath::recordings(), minio::recordings(), traefik::recordings()]
            .into_iter()
            .flatten();
    let trials = recordings.map(|recording| trial(recording, list.clone(), tally.clone())).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let ran = conclusion.num_passed + conclusion.num_failed > 0;
    let whole = ran && conclusion.num_filtered_out == 0 && conclusion.num_ignored == 0;
    let mut sound = !conclusion.has_failed();
    if ran {
        print!("{}", tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
    // A part of the recordings cannot say what the whole list is for.
    if whole {
        let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        for problem in list.problems().chain(tally.problems()) {
            println!("error: {problem}");
            sound = false;
        }
        print!("{list}");
    }
    if sound { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

fn trial(recording: Recording, list: Arc<NotModelled>, tally: Arc<Mutex<Tally>>) -> Trial {
    Trial::test(recording.trial_name(), move || {
        let mut failures = Vec::new();
        for played in (recording.play)() {
            let outcome = list.judge(&recording, &played);
            if let Outcome::Differs(text) = &outcome {
                failures.push(text.clone());
            }
            tally.lock().unwrap_or_else(PoisonError::into_inner).count(&recording, &outcome);
        }
        if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
    })
}
