//! PostgreSQL as the place where an Authentik keeps its state.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::types::Json;
use tokio_postgres::{Client, Config, NoTls};

use super::bootstrap;
use super::rows::Row;
use super::shared::{Settings, Shared};
use super::state::State;
use crate::logs::Logs;

/// The longest time one exchange with the database may take: a request that waits for it is refused then.
const PATIENCE: Duration = Duration::from_secs(3);
/// What keeps two processes from migrating at once.
const MIGRATION: i64 = 0x7373_6f70;
/// The tables: rows, and how often they were changed. Applied as often as one likes.
const SCHEMA: &str = "\
    CREATE TABLE IF NOT EXISTS authentik_row (
        kind text NOT NULL, key text NOT NULL, value jsonb NOT NULL, PRIMARY KEY (kind, key)
    );
    CREATE TABLE IF NOT EXISTS authentik_revision (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), revision bigint NOT NULL
    );
    CREATE TABLE IF NOT EXISTS authentik_worker (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), seen timestamptz NOT NULL
    );
    INSERT INTO authentik_revision (revision) VALUES (0) ON CONFLICT DO NOTHING;";

/// A database. Clones share its connection.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    config: Config,
    logs: Logs,
    connection: Mutex<Connection>,
    /// One writes at a time: who comes later waits until the rows of those before are written.
    writing: Mutex<()>,
    /// The revision that the state in this process is of.
    known: AtomicI64,
}

#[derive(Default)]
struct Connection {
    client: Option<Arc<Client>>,
    /// Why there is none, as it was last logged.
    reason: Option<String>,
}

/// Why the database did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(String);

impl Store {
    /// The database that `config` names; nothing is dialled yet.
    pub fn new(config: Config, logs: Logs) -> Self {
        Self(Arc::new(Inner {
            config,
            logs,
            connection: Mutex::default(),
            writing: Mutex::default(),
            known: AtomicI64::new(-1),
        }))
    }

    /// Waits until the database answers and is migrated, however long that takes; says why it does not.
    pub async fn wait(&self) {
        let mut pause = Duration::from_millis(20);
        while self.client().await.is_err() {
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(1));
        }
    }

    /// Applies the default blueprints and the bootstrap settings, unless somebody has.
    ///
    /// # Errors
    /// [`StoreError`] with what the database said.
    pub async fn apply_defaults(&self, settings: &Settings) -> Result<(), StoreError> {
        let client = self.client().await?;
        let done = async {
            client.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION})")).await?;
            let empty =
                client.query_one("SELECT count(*) FROM authentik_row", &[]).await?.get::<_, i64>(0) == 0;
            if empty {
                write(&client, &bootstrap::fresh(settings).rows()).await?;
                self.log("default blueprints applied");
            }
            client.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION})")).await
        };
        self.bounded(done, PATIENCE * 10).await
    }

    /// Says that the worker is alive.
    ///
    /// # Errors
    /// [`StoreError`] with what the database said.
    pub async fn beat(&self) -> Result<(), StoreError> {
        let client = self.client().await?;
        let statement = "INSERT INTO authentik_worker (seen) VALUES (now()) \
                         ON CONFLICT (only_one) DO UPDATE SET seen = now()";
        self.bounded(client.batch_execute(statement), PATIENCE).await
    }

    /// Makes the state what the database holds, when somebody else has changed it.
    pub(crate) async fn refresh(&self, shared: &Shared) -> Result<(), StoreError> {
        let client = self.client().await?;
        let asked = client.query_one("SELECT revision FROM authentik_revision", &[]);
        let revision: i64 = self.bounded(asked, PATIENCE).await?.get(0);
        if revision == self.0.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let _writing = self.0.writing.lock().await;
        let read = async {
            let revision = client.query_one("SELECT revision FROM authentik_revision", &[]).await?.get(0);
            let rows = client.query("SELECT kind, key, value FROM authentik_row", &[]).await?;
            Ok((revision, rows))
        };
        let (revision, rows): (i64, _) = self.bounded(read, PATIENCE * 2).await?;
        if revision == self.0.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut loaded = State { secret_key: shared.secret_key.clone(), ..State::default() };
        for row in rows {
            let Json(value): Json<Value> = row.get(2);
            loaded.put(Row { kind: row.get(0), key: row.get(1), value: Some(value) });
        }
        loaded.track();
        let mut state = shared.state_mut();
        // What requests under way have changed and not written yet stays changed.
        let unwritten = state.take_changes();
        *state = loaded;
        unwritten.into_iter().for_each(|row| state.put(row));
        self.0.known.store(revision, Ordering::Release);
        Ok(())
    }

    /// Writes what has changed, as a whole or not at all.
    pub(crate) async fn flush(&self, shared: &Shared) -> Result<(), StoreError> {
        let _writing = self.0.writing.lock().await;
        let rows = shared.state_mut().take_changes();
        if rows.is_empty() {
            return Ok(());
        }
        let written = match self.client().await {
            Ok(client) => self.bounded(write(&client, &rows), PATIENCE).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(revision) => {
                // Another process has written in between when it is more than one ahead: the next request reads.
                let expected = revision - 1;
                let _ =
                    self.0.known.compare_exchange(expected, revision, Ordering::AcqRel, Ordering::Acquire);
                Ok(())
            }
            Err(error) => {
                let mut state = shared.state_mut();
                for row in rows {
                    // The state may have moved on meanwhile; then what it is now is what has to be written.
                    state.mark(&row);
                }
                Err(error)
            }
        }
    }

    /// The connection, made and migrated when there is none.
    async fn client(&self) -> Result<Arc<Client>, StoreError> {
        let mut connection = self.0.connection.lock().await;
        if let Some(client) = connection.client.as_ref().filter(|client| !client.is_closed()) {
            return Ok(client.clone());
        }
        connection.client = None;
        let connected = timeout(PATIENCE, self.connect()).await;
        let connected =
            connected.unwrap_or_else(|_| Err(StoreError("no answer from the database".to_owned())));
        match connected {
            Ok(client) => {
                let client = Arc::new(client);
                connection.client = Some(client.clone());
                connection.reason = None;
                self.log("connected to PostgreSQL, migrations applied");
                Ok(client)
            }
            Err(error) => {
                let reason = error.to_string();
                if connection.reason.as_ref() != Some(&reason) {
                    self.log(&format!("waiting for PostgreSQL: {reason}"));
                    connection.reason = Some(reason);
                }
                Err(error)
            }
        }
    }

    async fn connect(&self) -> Result<Client, StoreError> {
        let (client, connection) = self.0.config.connect(NoTls).await.map_err(|error| said(&error))?;
        // It ends with the connection, and the next question tells.
        tokio::spawn(connection);
        let migrate = async {
            client.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION})")).await?;
            client.batch_execute(SCHEMA).await?;
            client.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION})")).await
        };
        migrate.await.map_err(|error| said(&error))?;
        Ok(client)
    }

    /// The outcome of a question, within `patience`. A connection that fails is not used again.
    async fn bounded<T>(
        &self,
        question: impl Future<Output = Result<T, tokio_postgres::Error>>,
        patience: Duration,
    ) -> Result<T, StoreError> {
        let outcome = match timeout(patience, question).await {
            Ok(outcome) => outcome.map_err(|error| said(&error)),
            Err(_) => Err(StoreError("no answer from the database".to_owned())),
        };
        if outcome.is_err() {
            self.0.connection.lock().await.client = None;
        }
        outcome
    }

    fn log(&self, line: &str) {
        self.0.logs.write("authentik", line);
    }
}

/// Writes the rows in one transaction; returns the revision that it makes.
async fn write(client: &Client, rows: &[Row]) -> Result<i64, tokio_postgres::Error> {
    let (kept, gone): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.value.is_some());
    let kinds = |rows: &[&Row]| rows.iter().map(|row| row.kind.clone()).collect::<Vec<_>>();
    let keys = |rows: &[&Row]| rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>();
    let values: Vec<_> = kept.iter().filter_map(|row| row.value.as_ref()).map(Json).collect();
    // One statement is one transaction.
    let statement = "\
        WITH kept AS (
            INSERT INTO authentik_row (kind, key, value)
            SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[])
            ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value
        ), gone AS (
            DELETE FROM authentik_row
            USING unnest($4::text[], $5::text[]) AS dropped (kind, key)
            WHERE authentik_row.kind = dropped.kind AND authentik_row.key = dropped.key
        )
        UPDATE authentik_revision SET revision = revision + 1 RETURNING revision";
    let (gone_kinds, gone_keys) = (kinds(&gone), keys(&gone));
    let row =
        client.query_one(statement, &[&kinds(&kept), &keys(&kept), &values, &gone_kinds, &gone_keys]).await?;
    Ok(row.get(0))
}

/// PostgreSQL's own words, or those of the connection.
fn said(error: &tokio_postgres::Error) -> StoreError {
    if let Some(refused) = error.as_db_error() {
        return StoreError(refused.message().to_owned());
    }
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    StoreError(inner.to_string())
}
