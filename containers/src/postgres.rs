//! PostgreSQL: where Authentik keeps everything.

use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::component::{Component, Planned, Recipe};
use crate::docker::Error;
use crate::lab::Lab;
use crate::ready::{LIMIT, Not, ready};

/// Its name in a stack.
const NAME: &str = "postgres";
const PORT: u16 = 5432;
/// Outside every volume that an image declares, so that a commit of the container keeps the data.
const DATA: &str = "/var/lib/ssoproof/data";

/// How a PostgreSQL starts.
pub struct PostgresSettings<'a> {
    /// The image; a snapshot of an earlier one has its data in it.
    pub image: &'a str,
    /// The user, who owns the database.
    pub user: &'a str,
    /// The user's password.
    pub password: &'a SecretString,
    /// The database.
    pub database: &'a str,
}

/// A running PostgreSQL.
pub struct Postgres {
    /// Its container.
    pub component: Component,
    config: tokio_postgres::Config,
}

impl Postgres {
    /// The name by which the other containers of a stack reach it.
    pub fn host(lab: &Lab) -> String {
        lab.container(NAME)
    }

    /// One with these settings.
    pub fn plan(lab: &Lab, settings: &PostgresSettings<'_>) -> Planned {
        let mut recipe = Recipe::new(NAME, settings.image, &lab.back);
        recipe.environment = vec![
            ("POSTGRES_USER".to_owned(), settings.user.to_owned()),
            ("POSTGRES_PASSWORD".to_owned(), settings.password.expose_secret().to_owned()),
            ("POSTGRES_DB".to_owned(), settings.database.to_owned()),
            ("PGDATA".to_owned(), DATA.to_owned()),
        ];
        // The data outlives no stack but by a commit of the container, which needs nothing written through.
        let switches = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
        recipe.command = std::iter::once("postgres".to_owned())
            .chain(switches.iter().flat_map(|switch| ["-c".to_owned(), (*switch).to_owned()]))
            .collect();
        Planned { lab: lab.clone(), recipe }
    }

    /// Waits until the one in `component` answers a query over TCP with the stack's own credentials.
    ///
    /// # Errors
    /// [`Error`] with the last state and the end of its log.
    pub async fn ready(component: Component, settings: &PostgresSettings<'_>) -> Result<Self, Error> {
        let address = component.address(PORT).await?;
        let mut config = tokio_postgres::Config::new();
        config
            .host(address.ip().to_string())
            .port(address.port())
            .user(settings.user)
            .password(settings.password.expose_secret())
            .dbname(settings.database);
        ready(&component, LIMIT, async || {
            let (client, connection) = config.connect(NoTls).await.map_err(|error| said(&error))?;
            let connection = tokio::spawn(connection);
            let answer = client.simple_query("SELECT 1").await.map_err(|error| said(&error));
            drop(client);
            connection.abort();
            answer
        })
        .await?;
        Ok(Self { component, config })
    }

    /// Writes all data to its files, so that a copy of them is whole.
    ///
    /// # Errors
    /// [`Error::Task`] with what PostgreSQL said.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        let refused = |error: tokio_postgres::Error| Error::Task {
            task: "write PostgreSQL's data to its files".to_owned(),
            reason: crate::docker::root_cause(&error),
        };
        let (client, connection) = self.config.connect(NoTls).await.map_err(refused)?;
        tokio::spawn(connection);
        client.batch_execute("CHECKPOINT").await.map_err(refused)
    }
}

/// PostgreSQL's own words, or those of the connection. Nothing is to be waited for once it refuses the password.
fn said(error: &tokio_postgres::Error) -> Not {
    match error.as_db_error() {
        Some(refused) if *refused.code() == SqlState::INVALID_PASSWORD => {
            Not::Ever(refused.message().to_owned())
        }
        Some(refused) => Not::Yet(refused.message().to_owned()),
        None => Not::Yet(crate::docker::root_cause(error)),
    }
}
