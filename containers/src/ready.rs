//! Waiting for what a component truly answers.

use std::time::Duration;

use tokio::time::Instant;

use crate::component::Component;
use crate::docker::Error;

/// The longest wait for one component.
pub(crate) const LIMIT: Duration = Duration::from_secs(180);
/// The longest one question may take.
const QUESTION: Duration = Duration::from_secs(5);
/// The shortest and the longest pause between two questions.
const PAUSES: (Duration, Duration) = (Duration::from_millis(15), Duration::from_millis(500));
/// How much of the log goes with an error.
const LOG_LINES: usize = 20;

/// Why a component is not ready.
pub(crate) enum Not {
    /// It may still become so.
    Yet(String),
    /// It never will.
    Ever(String),
}

impl From<String> for Not {
    fn from(state: String) -> Self {
        Self::Yet(state)
    }
}

/// Asks `component` until `question` has an answer; `Err` is the state it is in.
///
/// # Errors
/// [`Error::Ended`] as soon as its container has ended, [`Error::NotReady`] when `limit` is over or nothing is to
/// be waited for.
pub(crate) async fn ready<T, N: Into<Not>>(
    component: &Component,
    limit: Duration,
    mut question: impl AsyncFnMut() -> Result<T, N>,
) -> Result<T, Error> {
    let (started, mut pause) = (Instant::now(), PAUSES.0);
    loop {
        let (state, hopeless) = match tokio::time::timeout(QUESTION, question()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(not)) => match not.into() {
                Not::Yet(state) => (state, false),
                Not::Ever(state) => (state, true),
            },
            Err(_) => (format!("no answer within {} s", QUESTION.as_secs()), false),
        };
        if let Some(code) = component.exit_code().await {
            let log = component.log_tail(LOG_LINES).await;
            return Err(Error::Ended { component: component.name(), code, state, log });
        }
        if hopeless || started.elapsed() >= limit {
            let (waited, log) = (started.elapsed(), component.log_tail(LOG_LINES).await);
            return Err(Error::NotReady { component: component.name(), waited, state, log });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 6 / 5).min(PAUSES.1);
    }
}

/// The error of a component whose container has ended.
pub(crate) async fn ended(component: &Component) -> Option<Error> {
    let code = component.exit_code().await?;
    let log = component.log_tail(LOG_LINES).await;
    Some(Error::Ended { component: component.name(), code, state: "it never answered".to_owned(), log })
}

/// A client that goes straight to a component and follows nothing; `task` is what it is for.
pub(crate) fn client(task: &str) -> Result<reqwest::Client, Error> {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
    client.map_err(|error| Error::Task { task: task.to_owned(), reason: error.to_string() })
}

/// The body of an answer with a status of success to `GET url`, else what came instead.
pub(crate) async fn get(client: &reqwest::Client, url: &str) -> Result<String, String> {
    let answer = client.get(url).send().await.map_err(|error| crate::docker::root_cause(&error))?;
    let status = answer.status();
    let body = answer.text().await.map_err(|error| crate::docker::root_cause(&error))?;
    if status.is_success() { Ok(body) } else { Err(format!("{url} answers {status}")) }
}
