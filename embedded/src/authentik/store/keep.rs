//! Keeping the state of a process and that of the database the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::types::Json;
use tokio_postgres::{Config, GenericClient, Statement};

use super::connection::{Database, LOCK, StoreError};
use super::redis::Redis;
use crate::authentik::bootstrap;
use crate::authentik::rows::Row;
use crate::authentik::shared::{Settings, Shared};
use crate::authentik::state::State;
use crate::authentik::writer::Writer;
use crate::logs::Logs;

/// The longest time that applying the default blueprints may take.
const APPLYING: Duration = Duration::from_secs(10);

/// No revision: what the process holds has to be read.
const UNKNOWN: i64 = -1;

/// How deep a row may be nested: less than the 128 levels that are read.
const DEEPEST: usize = 100;

/// A database. Clones share its connection.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    database: Database,
    /// One writes at a time: who comes later waits until the rows of those before are written.
    writing: Mutex<()>,
    /// The revision that the state in this process is of.
    known: AtomicI64,
}

impl Store {
    /// The database that `config` names; nothing is dialled yet.
    pub fn new(config: Config, logs: Logs) -> Self {
        Self::with_redis(config, None, logs)
    }

    /// The same for a version that needs Redis beside it: until that answers too, there is no database.
    pub fn with_redis(config: Config, redis: Option<Redis>, logs: Logs) -> Self {
        Self(Arc::new(Inner {
            database: Database::new(config, redis, logs),
            writing: Mutex::default(),
            known: AtomicI64::new(UNKNOWN),
        }))
    }

    /// Waits until the database answers and is migrated, however long that takes; the log says why it does not.
    pub async fn wait(&self) {
        while self.0.database.session().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether the database answers, and Redis where it is needed.
    ///
    /// # Errors
    /// [`StoreError`] with what they said.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.revision().await?;
        self.0.database.redis_answers().await
    }

    /// Applies the default blueprints and the bootstrap settings, unless somebody has.
    ///
    /// # Errors
    /// [`StoreError`] with what the database said.
    pub async fn apply_defaults(&self, settings: &Settings) -> Result<(), StoreError> {
        const EMPTY: &str = "SELECT NOT EXISTS (SELECT FROM authentik_row)";
        let database = &self.0.database;
        let session = database.session().await?;
        let empty: bool = database.bounded(&session, session.client.query_one(EMPTY, &[])).await?.get(0);
        if !empty {
            return Ok(());
        }
        let rows = bootstrap::fresh(settings).rows()?;
        let apply = async {
            let mut own = database.connect().await?;
            let write = own.write;
            let done = async {
                let transaction = own.client.transaction().await?;
                transaction.batch_execute(LOCK).await?;
                let empty: bool = transaction.query_one(EMPTY, &[]).await?.get(0);
                if empty {
                    self::write(&transaction, &write, &rows).await?;
                }
                transaction.commit().await?;
                Ok(empty)
            };
            database.bounded(&session, done).await
        };
        if timeout(APPLYING, apply).await.unwrap_or_else(|_| Err(StoreError::silent()))? {
            database.log("default blueprints applied");
        }
        Ok(())
    }

    /// Says that the worker is alive.
    ///
    /// # Errors
    /// [`StoreError`] with what the database said.
    pub async fn beat(&self) -> Result<(), StoreError> {
        let statement = "INSERT INTO authentik_worker (seen) VALUES (now()) \
                         ON CONFLICT (only_one) DO UPDATE SET seen = now()";
        let session = self.0.database.session().await?;
        self.0.database.bounded(&session, session.client.batch_execute(statement)).await
    }

    /// How often the database was changed.
    async fn revision(&self) -> Result<i64, StoreError> {
        let session = self.0.database.session().await?;
        let asked = session.client.query_one(&session.revision, &[]);
        Ok(self.0.database.bounded(&session, asked).await?.get(0))
    }

    /// Makes the state what the database holds, when somebody else has changed it.
    pub(crate) async fn refresh(&self, shared: &Shared) -> Result<(), StoreError> {
        if self.revision().await? == self.0.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let _writing = self.0.writing.lock().await;
        let revision = self.revision().await?;
        if revision == self.0.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let session = self.0.database.session().await?;
        let read = session.client.query("SELECT kind, key, value FROM authentik_row", &[]);
        let mut loaded = State { secret_key: shared.secret_key.clone(), ..State::default() };
        for row in self.0.database.bounded(&session, read).await? {
            let Json(value): Json<Value> = row.get(2);
            loaded.put(Row::stored(row.get(0), row.get(1), value)?)?;
        }
        loaded.track();
        let mut state = shared.state_mut();
        // What requests under way have changed and not written yet stays changed.
        for row in state.take_changes()? {
            loaded.put(row)?;
        }
        *state = loaded;
        self.0.known.store(revision, Ordering::Release);
        Ok(())
    }

    /// Writes what has changed, as a whole or not at all. What the database does not answer for stays changed, for the
    /// next to write; what it refuses is dropped, and told to those alone who have changed it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when `writer` has changed what is refused, by whomever it was written.
    pub(crate) async fn flush(&self, shared: &Shared, writer: &Writer) -> Result<(), StoreError> {
        let _writing = self.0.writing.lock().await;
        let mut unwritten = Unwritten { shared, parts: Vec::new() };
        let rows = shared.state_mut().take_changes()?;
        unwritten.parts.extend((!rows.is_empty()).then_some(rows));
        let mut whole = true;
        while let Some(part) = unwritten.parts.last() {
            let written = self.write(part).await;
            if let Err(error @ (StoreError::Unreachable(_) | StoreError::Unreadable(_))) = written {
                return Err(error);
            }
            let part = unwritten.parts.pop().unwrap_or_default();
            match written {
                Err(_) if whole => unwritten.parts = apart(part),
                Err(error) => self.refuse(&part, &error),
                Ok(()) => {}
            }
            whole = false;
        }
        writer.refusal().cloned().map_or(Ok(()), Err)
    }

    /// Writes `rows` as a whole or not at all.
    async fn write(&self, rows: &[Row]) -> Result<(), StoreError> {
        // What is nested deeper than JSON is read would be kept, and never be read again.
        if rows.iter().flat_map(|row| &row.value).any(|value| deeper(value, DEEPEST)) {
            return Err(StoreError::Refused(format!("a row is nested more than {DEEPEST} deep")));
        }
        let session = self.0.database.session().await?;
        let written = write(&session.client, &session.write, rows);
        let revision = self.0.database.bounded(&session, written).await?;
        // Another process has written in between when it is more than one ahead: the next request reads.
        let known = &self.0.known;
        let _ = known.compare_exchange(revision - 1, revision, Ordering::AcqRel, Ordering::Acquire);
        Ok(())
    }

    /// Tells those who have changed `rows` that they are not kept; the next request reads what is.
    fn refuse(&self, rows: &[Row], error: &StoreError) {
        rows.iter().for_each(|row| row.writers.refuse(error));
        self.0.known.store(UNKNOWN, Ordering::Release);
    }
}

/// Whether `value` is nested more than `levels` deep.
fn deeper(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return value.is_array() || value.is_object() };
    match value {
        Value::Array(members) => members.iter().any(|member| deeper(member, below)),
        Value::Object(members) => members.values().any(|member| deeper(member, below)),
        _ => false,
    }
}

/// Parts the rows by who has changed them: those of one writer stay together.
fn apart(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let mut parts: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let (mut own, others): (Vec<_>, Vec<_>) = std::mem::take(&mut parts)
            .into_iter()
            .partition(|part| part.iter().any(|known| known.writers.meet(&row.writers)));
        parts = others;
        own.push(vec![row]);
        parts.push(own.into_iter().flatten().collect());
    }
    parts
}

/// Rows on their way to the database. Those that do not arrive, an abandoned request's too, count as changed again.
struct Unwritten<'s> {
    shared: &'s Shared,
    /// Each is written as a whole.
    parts: Vec<Vec<Row>>,
}

impl Drop for Unwritten<'_> {
    fn drop(&mut self) {
        if self.parts.is_empty() {
            return;
        }
        let mut state = self.shared.state_mut();
        // The state may have moved on meanwhile; then what it is now is what has to be written.
        self.parts.iter().flatten().for_each(|row| state.mark(row));
    }
}

/// Writes the rows in one transaction; returns the revision that it makes.
async fn write(
    client: &impl GenericClient,
    statement: &Statement,
    rows: &[Row],
) -> Result<i64, tokio_postgres::Error> {
    let (kept, gone): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.value.is_some());
    let kinds = |rows: &[&Row]| rows.iter().map(|row| row.kind.clone()).collect::<Vec<_>>();
    let keys = |rows: &[&Row]| rows.iter().map(|row| row.key.clone().into_bytes()).collect::<Vec<_>>();
    let values: Vec<_> = kept.iter().filter_map(|row| row.value.as_ref()).map(Json).collect();
    let (gone_kinds, gone_keys) = (kinds(&gone), keys(&gone));
    let row =
        client.query_one(statement, &[&kinds(&kept), &keys(&kept), &values, &gone_kinds, &gone_keys]).await?;
    Ok(row.get(0))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::authentik::Profile;

    #[tokio::test]
    async fn rows_of_an_abandoned_request_stay_to_be_written() {
        let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut config = Config::new();
        config.host("127.0.0.1").port(silent.local_addr().unwrap().port()).user("authentik");
        let store = Store::new(config, Logs::default());
        let mut state = State::default();
        state.track();
        state.users.insert(7, bootstrap::user(7, "alice", "Alice"));
        let shared = Shared::new(state, Profile::V2026_2, Logs::default(), String::new());

        timeout(Duration::from_millis(50), store.flush(&shared, &Writer::default())).await.unwrap_err();
        let rows = shared.state_mut().take_changes().unwrap();
        assert!(rows.iter().any(|row| row.kind == "users" && row.key == "7"), "{rows:?}");
    }
}
