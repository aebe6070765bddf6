//! A PostgreSQL of a test's own, from the programs in `SSOPROOF_POSTGRES_BIN`.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

/// The password of the user `authentik`.
pub(crate) const PASSWORD: &str = "database-Passw0rd!";
/// `initdb` refuses root: then this user owns the data.
const NOBODY: u32 = 65534;

/// A running or stopped PostgreSQL with its data; it ends with the test.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    address: SocketAddr,
    server: Option<Child>,
}

impl Postgres {
    /// A fresh one that answers; none, with a line that says so, when there are no programs.
    pub(crate) async fn start() -> Option<Self> {
        let Some(programs) = std::env::var_os("SSOPROOF_POSTGRES_BIN") else {
            print_skip();
            return None;
        };
        let programs = PathBuf::from(programs);
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        if geteuid().is_root() {
            for path in [folder.path(), &password] {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let made = as_nobody(&programs.join("initdb"))
            .args(["--username=authentik", "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8"])
            .arg(format!("--pwfile={}", password.display()))
            .arg(format!("--pgdata={}", folder.path().join("data").display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let mut postgres = Self { programs, folder, address, server: None };
        postgres.resume().await;
        Some(postgres)
    }

    /// How to reach it.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .host("127.0.0.1")
            .port(self.address.port())
            .user("authentik")
            .password(PASSWORD)
            .dbname("postgres");
        config
    }

    /// A connection, to look at what is stored or to stand in the way.
    pub(crate) async fn connect(&self) -> Client {
        let (client, connection) = self.config().connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Starts it on its data and waits until it answers.
    pub(crate) async fn resume(&mut self) {
        let server = as_nobody(&self.programs.join("postgres"))
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .args(["-p", &self.address.port().to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.server = Some(server);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let error = match self.config().connect(NoTls).await {
                Ok(_) => return,
                Err(error) => error,
            };
            assert!(Instant::now() < deadline, "PostgreSQL did not answer in 60 s: {error:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it as its administrator does, and keeps its data.
    pub(crate) fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let id = Pid::from_child(&server);
        // It may have ended by itself.
        let _ = kill_process(id, Signal::INT);
        let _ = server.wait();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

fn as_nobody(program: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()]);
    command.arg(program).current_dir("/");
    command
}

#[expect(clippy::print_stderr, reason = "a test that does not run says why")]
fn print_skip() {
    eprintln!("skipped: no PostgreSQL in SSOPROOF_POSTGRES_BIN");
}
