//! How long a service stands open when a tool rewrites its file, with the real Traefik: without a patcher, with one, and
//! behind an entry point that is closed by default. Runs where `SSOPROOF_TRAEFIK_BIN` names the program.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ssoproof_patcher::{Entry, Folder, HostPattern, Metrics, Scope, Spare, Watch};

/// Rewrites in a row, and those after them that come alone.
const REWRITES: [usize; 2] = [50, 4];
/// Between two rewrites in a row.
const PACE: Duration = Duration::from_millis(60);
/// Before a rewrite that comes alone, and after the last one: more than the two seconds for which Traefik holds a
/// change back after another, so that it takes this one at once.
const QUIET: Duration = Duration::from_millis(2_500);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Guard {
    None,
    Patcher,
    /// With a Traefik that holds changes back for a moment only.
    PatcherUnthrottled,
    FailClosed,
}

#[derive(Clone, Copy, Debug)]
enum Writing {
    InPlace,
    ByRename,
}

/// What anonymous requests have got.
#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    open: usize,
    not_found: usize,
    /// Since when every request gets through.
    since: Option<Instant>,
    /// The longest time for which every request got through.
    longest: Duration,
    /// The patcher's longest time from news of a change to the patched file.
    patched_in: Duration,
}

impl Seen {
    fn note(&mut self, status: u16) {
        self.requests += 1;
        self.not_found += usize::from(status == 404);
        if status == 200 {
            self.open += 1;
            let since = *self.since.get_or_insert_with(Instant::now);
            self.longest = self.longest.max(since.elapsed());
        } else {
            self.since = None;
        }
    }
}

/// Traefik, ended with this.
struct Traefik(Child, SocketAddr);

impl Traefik {
    fn start(program: &Path, folder: &Path, guard: Guard) -> Self {
        // Below the ports of connections, so that none of this test's own takes it in between.
        let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, (20_000..30_000).find(free).unwrap()));
        let mut command = Command::new(program);
        command
            .arg(format!("--entryPoints.web.address={address}"))
            .arg(format!("--providers.file.directory={}", folder.display()))
            .args([
                "--providers.file.watch=true",
                "--global.checkNewVersion=false",
                "--global.sendAnonymousUsage=false",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if guard == Guard::PatcherUnthrottled {
            command.arg("--providers.providersThrottleDuration=20ms");
        }
        if guard == Guard::FailClosed {
            command.arg("--entryPoints.web.http.middlewares=authentik@file");
        }
        Self(command.spawn().expect("Traefik starts"), address)
    }

    /// The status that somebody without a session gets; 0 when there is no answer.
    fn ask(&self) -> u16 {
        let asked = || -> std::io::Result<u16> {
            let mut stream = TcpStream::connect(self.1)?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(b"GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n")?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer)?;
            Ok(String::from_utf8_lossy(&answer[9..]).parse().unwrap_or_default())
        };
        asked().unwrap_or_default()
    }

    fn until(&self, status: u16) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut last = 0;
        while last != status {
            assert!(Instant::now() < deadline, "the last status is {last}, not {status}");
            last = self.ask();
        }
    }
}

impl Drop for Traefik {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that answers everything with `status`, for as long as the test runs.
fn server(status: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            // A client that went away asks for nothing.
            let _ = stream.read(&mut request);
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    address
}

/// The file of the service as the tool writes it, and with the middleware.
fn service(backend: SocketAddr, protected: bool, version: usize) -> String {
    let list = if protected { "      middlewares: [authentik@file]\n" } else { "" };
    format!(
        "# {version}\nhttp:\n  routers:\n    app:\n      rule: Host(`app.test`)\n{list}      service: app\n  services:\n    app:\n      \
         loadBalancer: {{servers: [{{url: \"http://{backend}\"}}]}}\n"
    )
}

fn write(path: &Path, text: &str, writing: Writing) {
    match writing {
        Writing::InPlace => fs::write(path, text).unwrap(),
        Writing::ByRename => {
            let aside = path.parent().unwrap().with_file_name("aside");
            fs::write(&aside, text).unwrap();
            fs::rename(aside, path).unwrap();
        }
    }
}

/// Rewrites the file of a service again and again while anonymous requests run.
fn rewritten(program: &Path, guard: Guard, writing: Writing) -> Seen {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("traefik");
    fs::create_dir(&folder).unwrap();
    let (auth, backend) = (server("401 Unauthorized"), server("200 OK"));
    let middleware = format!(
        "http:\n  middlewares:\n    authentik: {{forwardAuth: {{address: \"http://{auth}/auth\"}}}}\n"
    );
    fs::write(folder.join("authentik.yml"), middleware).unwrap();
    let file = folder.join("app.yml");
    fs::write(&file, service(backend, true, 0)).unwrap();
    let traefik = Traefik::start(program, &folder, guard);
    traefik.until(401);
    let scope = Scope::of_hosts(["app.test".parse::<HostPattern>().unwrap()]);
    let watch = Watch::new(Folder::new(&folder, "authentik".parse().unwrap(), scope, Spare::beside(&folder)));
    let (stop, begun, ended) = (watch.stopper(), AtomicBool::new(false), AtomicBool::new(false));
    let seen = Mutex::new(Seen::default());
    std::thread::scope(|threads| {
        if matches!(guard, Guard::Patcher | Guard::PatcherUnthrottled) {
            threads.spawn(|| {
                let told = &mut |_: &Entry, metrics: &Metrics| {
                    begun.store(true, Ordering::Relaxed);
                    seen.lock().unwrap().patched_in = metrics.delay[1];
                };
                watch.run(told).unwrap();
            });
            let deadline = Instant::now() + Duration::from_secs(10);
            while !begun.load(Ordering::Relaxed) {
                assert!(Instant::now() < deadline, "the patcher has not begun");
                std::thread::yield_now();
            }
        }
        for _ in 0..2 {
            threads.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let status = traefik.ask();
                    seen.lock().unwrap().note(status);
                }
            });
        }
        // What is measured, and no wait for a state.
        std::thread::sleep(QUIET);
        let [in_a_row, alone] = REWRITES;
        for version in 1..=in_a_row + alone {
            write(&file, &service(backend, false, version), writing);
            std::thread::sleep(if version < in_a_row { PACE } else { QUIET });
        }
        ended.store(true, Ordering::Relaxed);
        stop.stop();
    });
    seen.into_inner().unwrap()
}

#[test]
fn only_an_entry_point_that_is_closed_by_default_lets_nobody_through() {
    let mut told = std::io::stderr();
    let Some(program) = std::env::var_os("SSOPROOF_TRAEFIK_BIN").map(PathBuf::from) else {
        writeln!(told, "SSOPROOF_TRAEFIK_BIN is not set: the exposure window is not measured").unwrap();
        return;
    };
    let [in_a_row, alone] = REWRITES;
    writeln!(told, "{in_a_row} rewrites, {} ms apart, then {alone} alone", PACE.as_millis()).unwrap();
    for writing in [Writing::InPlace, Writing::ByRename] {
        for guard in [Guard::None, Guard::Patcher, Guard::PatcherUnthrottled, Guard::FailClosed] {
            let seen = rewritten(&program, guard, writing);
            writeln!(
                told,
                "{writing:?} {guard:?}: {} of {} anonymous requests got through, for {} ms at most; {} found nothing; patched in {} ms at most",
                seen.open,
                seen.requests,
                seen.longest.as_millis(),
                seen.not_found,
                seen.patched_in.as_millis()
            )
            .unwrap();
            assert!(seen.requests > 0);
            match guard {
                Guard::None => assert!(seen.open > 0, "nothing got through without a patcher"),
                Guard::FailClosed => assert_eq!(seen.open, 0),
                Guard::Patcher | Guard::PatcherUnthrottled => {}
            }
        }
    }
}
