//! The connection to the database: made again with growing pauses, and given up in time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::{Client, Config, NoTls, Statement};

use super::redis::Redis;
use crate::authentik::rows::RowError;
use crate::logs::Logs;

/// The longest time one exchange with the database may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pauses between attempts to connect: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(250));
/// What keeps two processes from migrating at once, and two workers from applying the defaults.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock(1936944752);";
/// The tables: rows, and how often they were changed. Applied as often as one likes.
///
/// A key may be of any length and a value hold any character: an index over the key takes no long one, and neither
/// `text` nor `jsonb` takes NUL.
const SCHEMA: &str = "\
    CREATE TABLE IF NOT EXISTS authentik_row (
        kind text NOT NULL, key bytea NOT NULL, value json NOT NULL
    );
    CREATE UNIQUE INDEX IF NOT EXISTS authentik_row_key ON authentik_row (kind, sha256(key));
    CREATE TABLE IF NOT EXISTS authentik_revision (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), revision bigint NOT NULL
    );
    CREATE TABLE IF NOT EXISTS authentik_worker (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), seen timestamptz NOT NULL
    );
    INSERT INTO authentik_revision (revision) VALUES (0) ON CONFLICT DO NOTHING;";
const REVISION: &str = "SELECT revision FROM authentik_revision";
/// One statement is one transaction.
const WRITE: &str = "\
    WITH kept AS (
        INSERT INTO authentik_row (kind, key, value)
        SELECT * FROM unnest($1::text[], $2::bytea[], $3::json[])
        ON CONFLICT (kind, sha256(key)) DO UPDATE SET value = excluded.value
    ), gone AS (
        DELETE FROM authentik_row
        USING unnest($4::text[], $5::bytea[]) AS dropped (kind, key)
        WHERE authentik_row.kind = dropped.kind AND sha256(authentik_row.key) = sha256(dropped.key)
    )
    UPDATE authentik_revision SET revision = revision + 1 RETURNING revision";

/// Why the database did not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// It is not reached, or does not answer in time.
    #[error("{0}")]
    Unreachable(String),
    /// It refuses what it was asked for, and would again.
    #[error("refused by the database: {0}")]
    Refused(String),
    /// A row is not what this version writes.
    #[error("{0}")]
    Unreadable(String),
}

impl From<RowError> for StoreError {
    fn from(error: RowError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl StoreError {
    /// No answer in time.
    pub(crate) fn silent() -> Self {
        Self::Unreachable("no answer from the database".to_owned())
    }

    /// What became of a question. PostgreSQL's lesser errors are about the question, the others end the connection.
    fn of(error: &tokio_postgres::Error) -> Self {
        let severity = error.as_db_error().and_then(DbError::parsed_severity);
        if severity == Some(Severity::Error) {
            Self::Refused(said(error))
        } else {
            Self::Unreachable(said(error))
        }
    }
}

/// A connection to the migrated database, with the statements of every request prepared.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) revision: Statement,
    pub(super) write: Statement,
}

/// The database, reached or not.
pub(super) struct Database {
    config: Config,
    redis: Option<Redis>,
    logs: Logs,
    connection: Mutex<Connection>,
}

#[derive(Default)]
struct Connection {
    session: Option<Arc<Session>>,
    failure: Option<Failure>,
}

/// The last attempt to connect, when it failed.
struct Failure {
    error: StoreError,
    pause: Duration,
    again: Instant,
}

impl Database {
    pub(super) fn new(config: Config, redis: Option<Redis>, logs: Logs) -> Self {
        Self { config, redis, logs, connection: Mutex::default() }
    }

    /// The connection, made when there is none. Soon after a failed attempt the error is that attempt's.
    pub(super) async fn session(&self) -> Result<Arc<Session>, StoreError> {
        let mut connection = self.connection.lock().await;
        if let Some(session) = connection.session.as_ref().filter(|session| !session.client.is_closed()) {
            return Ok(session.clone());
        }
        connection.session = None;
        if let Some(failure) = connection.failure.as_ref().filter(|failure| Instant::now() < failure.again) {
            return Err(failure.error.clone());
        }
        match timeout(PATIENCE, self.connect())
            .await
            .unwrap_or_else(|_| Err(waiting("PostgreSQL", "no answer")))
        {
            Ok(session) => {
                let session = Arc::new(session);
                *connection = Connection { session: Some(session.clone()), failure: None };
                self.log("connected to PostgreSQL, migrations applied");
                Ok(session)
            }
            Err(error) => {
                let last = connection.failure.take();
                if last.as_ref().is_none_or(|last| last.error.to_string() != error.to_string()) {
                    self.log(&error.to_string());
                }
                let pause = last.map_or(PAUSES.0, |last| (last.pause * 2).min(PAUSES.1));
                let failure = Failure { error: error.clone(), pause, again: Instant::now() + pause };
                connection.failure = Some(failure);
                Err(error)
            }
        }
    }

    /// A connection of its own to the migrated database.
    pub(super) async fn connect(&self) -> Result<Session, StoreError> {
        let said = |error: tokio_postgres::Error| waiting("PostgreSQL", &said(&error));
        let (client, connection) = self.config.connect(NoTls).await.map_err(said)?;
        // It ends with the connection, and the next question tells.
        tokio::spawn(connection);
        self.redis_answers().await?;
        // Statements sent at once are one transaction.
        client.batch_execute(&format!("{LOCK}{SCHEMA}")).await.map_err(said)?;
        let revision = client.prepare(REVISION).await.map_err(said)?;
        let write = client.prepare(WRITE).await.map_err(said)?;
        Ok(Session { client, revision, write })
    }

    /// Whether Redis answers, for a version that needs it.
    pub(super) async fn redis_answers(&self) -> Result<(), StoreError> {
        let Some(redis) = &self.redis else { return Ok(()) };
        redis.ping().await.map_err(|reason| waiting("Redis", &reason))
    }

    /// The outcome of a question to `session`, in time. A connection that gives none is not used again.
    pub(super) async fn bounded<T>(
        &self,
        session: &Arc<Session>,
        question: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        match timeout(PATIENCE, question).await {
            Ok(outcome) => outcome.map_err(|error| StoreError::of(&error)),
            Err(_) => {
                let mut connection = self.connection.lock().await;
                if connection.session.as_ref().is_some_and(|used| Arc::ptr_eq(used, session)) {
                    connection.session = None;
                }
                Err(StoreError::silent())
            }
        }
    }

    pub(super) fn log(&self, line: &str) {
        self.logs.write("authentik", line);
    }
}

fn waiting(program: &str, reason: &str) -> StoreError {
    StoreError::Unreachable(format!("waiting for {program}: {reason}"))
}

/// PostgreSQL's own words, or those of the connection.
fn said(error: &tokio_postgres::Error) -> String {
    if let Some(refused) = error.as_db_error() {
        return refused.message().to_owned();
    }
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
