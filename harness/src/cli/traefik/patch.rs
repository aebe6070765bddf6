//! `ssoproof traefik patch`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use ssoproof_deployment::{Deployment, Problem};
use ssoproof_patcher::{
    Entry, Event, Folder, Found, HostPattern, Left, MiddlewareName, Scope, Spare, Stop, Unit, Watch,
    tell_ready, unified,
};

use super::super::exit::Exit;
use super::super::place;
use crate::reports::{err, out};
use crate::stacks::Interruption;

const EXIT_CODES: &str = "Exit codes: 0 every router has the middleware, or has it now; 1 a file or the folder cannot \
be read or written, 2 usage, 3 a file does not parse or cannot be patched (the others are), 100 with --dry-run: a router \
lacks it. A watch ends with 0 on SIGTERM and SIGINT.";

/// Where, which middleware, and which routers.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Options {
    /// The folder of the dynamic files; the deployment's own when left out.
    #[arg(required_unless_present = "deployment")]
    folder: Option<PathBuf>,
    /// The middleware, `authentik@file`; the deployment's own when left out.
    #[arg(long, short, value_name = "NAME", required_unless_present = "deployment")]
    middleware: Option<MiddlewareName>,
    /// The hosts to protect, `docs.example.org` or `*.example.org`: every router that could take a request for one of
    /// them gets the middleware, but for those to Authentik.
    #[arg(long, value_name = "HOST,…", value_delimiter = ',', required_unless_present = "deployment")]
    hosts: Vec<HostPattern>,
    /// Protect the hosts of this deployment's services, and leave its outpost router and Authentik's host alone.
    #[arg(long, short, value_name = "PATH", conflicts_with = "hosts")]
    deployment: Option<PathBuf>,
    /// A router to leave alone; may be given more than once.
    #[arg(long, value_name = "ROUTER")]
    except: Vec<String>,
    /// Print what would change as a unified diff, and write nothing.
    #[arg(long, conflicts_with_all = ["watch", "print_systemd"])]
    dry_run: bool,
    /// Stay, and patch whenever a file changes; every event is a line of JSON on standard output.
    #[arg(long)]
    watch: bool,
    /// Keep counters in this file, in the text format of Prometheus.
    #[arg(long, value_name = "FILE", requires = "watch")]
    metrics: Option<PathBuf>,
    /// Where new files are made before they take the place of old ones: on the same mount, outside of the folder
    /// [default: `.NAME.ssoproof` beside it].
    #[arg(long, value_name = "FOLDER")]
    spare: Option<PathBuf>,
    /// Print a systemd unit that runs this watch, and do nothing.
    #[arg(long)]
    print_systemd: bool,
    /// Print what was done as JSON.
    #[arg(long, conflicts_with = "watch")]
    json: bool,
}

/// Patches once, stays to patch, or prints what would do so.
pub(super) fn patch(options: &Options) -> Exit {
    match folder(options) {
        Ok(folder) if options.print_systemd => out(&unit(options, &folder).text()),
        Ok(folder) if options.watch => watch(folder, options),
        Ok(folder) => once(folder, options),
        Err(problem) => place::refuse(problem, Exit::Parse),
    }
}

/// The folder that is meant, with what its routers should have.
fn folder(options: &Options) -> Result<Folder, Problem> {
    let deployment = options.deployment.as_deref().map(Deployment::load).transpose()?;
    let own = deployment.as_ref().map(|deployment| &deployment.traefik);
    let directory = match (&options.folder, &deployment) {
        (Some(folder), _) => folder.clone(),
        (None, Some(deployment)) => deployment.folder.join(&deployment.traefik.dynamic.value),
        (None, None) => return Err(Problem::new("no folder of dynamic files")),
    };
    let middleware = match (&options.middleware, own) {
        (Some(middleware), _) => middleware.clone(),
        (None, Some(own)) => own.middleware.parse().map_err(|error| Problem::new(format!("{error}")))?,
        (None, None) => return Err(Problem::new("no middleware")),
    };
    let scope = match &deployment {
        Some(deployment) => Scope::of_deployment(deployment),
        None => Scope::of_hosts(options.hosts.iter().cloned()),
    };
    let scope = options.except.iter().fold(scope, |scope, router| scope.without(router));
    let spare = options.spare.as_ref().map_or_else(|| Spare::beside(&directory), Spare::at);
    Ok(Folder::new(directory, middleware, scope, spare))
}

fn once(mut folder: Folder, options: &Options) -> Exit {
    let looked = if options.dry_run { folder.look() } else { folder.mend_for_good() };
    let (found, left) = match looked {
        Ok(looked) => looked,
        Err(problem) => return place::refuse(problem, Exit::Internal),
    };
    if !folder.knows_auth() && options.deployment.is_none() {
        let name = folder.middleware();
        place::complain(
            Problem::new(format!(
                "no file defines `{name}`, so that routers to Authentik are known by the outpost's path alone"
            ))
            .with_help("leave others out with `--except ROUTER`".to_owned()),
        );
    }
    let printed = out(&if options.json { document(&found, &left, options) } else { text(&found, options) });
    left.iter().for_each(|left| place::complain(left.why.problem(&left.path)));
    if printed != Exit::Ok {
        printed
    } else if left.iter().any(|left| left.why.is_passing()) {
        Exit::Internal
    } else if !left.is_empty() {
        Exit::Parse
    } else if options.dry_run && !found.is_empty() {
        Exit::CaseFailed
    } else {
        Exit::Ok
    }
}

/// What was done, as people read it.
fn text(found: &[Found], options: &Options) -> String {
    let change = |found: &Found| unified(&found.old.path, &found.old.text, &found.patched.text);
    if options.dry_run {
        return found.iter().map(change).collect();
    }
    if found.is_empty() {
        return "nothing to do\n".to_owned();
    }
    let line = |found: &Found| {
        format!("patched {}: {}\n", found.old.path.display(), found.patched.routers.join(", "))
    };
    found.iter().map(line).collect()
}

fn document(found: &[Found], left: &[Left], options: &Options) -> String {
    let found: Vec<_> = found
        .iter()
        .map(|found| {
            let diff = unified(&found.old.path, &found.old.text, &found.patched.text);
            json!({ "file": found.old.path, "routers": found.patched.routers, "diff": diff })
        })
        .collect();
    let left: Vec<_> = left
        .iter()
        .map(|left| {
            let problem = left.why.problem(&left.path);
            json!({ "file": left.path, "message": problem.to_string(), "at": problem.position() })
        })
        .collect();
    format!("{:#}\n", json!({ "written": !options.dry_run, "patched": found, "left": left }))
}

fn watch(folder: Folder, options: &Options) -> Exit {
    let watch = Watch::new(folder);
    let stop = watch.stopper();
    if let Err(problem) = stop_when_told(stop) {
        return place::refuse(problem, Exit::Internal);
    }
    let ended = watch.run(&mut |entry: &Entry, metrics| {
        // Nobody is left to tell when standard output is closed; the files matter more.
        out(&entry.line());
        if let Some(path) = &options.metrics
            && let Err(error) = metrics.write(path)
        {
            err(&format!("failed to write `{}`: {error}\n", path.display()));
        }
        if matches!(entry.event, Event::Started | Event::Waiting) {
            tell_ready();
        }
    });
    match ended {
        Ok(()) => Exit::Ok,
        Err(error) => place::refuse(Problem::new(error.to_string()), Exit::Internal),
    }
}

/// Ends the watch on SIGTERM and SIGINT.
fn stop_when_told(stop: Stop) -> Result<(), Problem> {
    let failed = |error: std::io::Error| Problem::new(format!("failed to listen for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let listened = runtime.block_on(async { Interruption::listen() });
    let mut interruption = listened.map_err(|error| Problem::new(error.to_string()))?;
    std::thread::Builder::new()
        .spawn(move || {
            runtime.block_on(interruption.came());
            stop.stop();
        })
        .map(drop)
        .map_err(failed)
}

/// The unit that runs this watch.
fn unit(options: &Options, folder: &Folder) -> Unit {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let shown = |path: &PathBuf| absolute(path).display().to_string();
    let directory = absolute(&folder.directory().to_owned());
    let program = std::env::current_exe().unwrap_or_else(|_| "/usr/local/bin/ssoproof".into());
    let mut command =
        vec![shown(&program), "traefik".to_owned(), "patch".to_owned(), directory.display().to_string()];
    let mut say = |name: &str, value: String| command.extend([format!("--{name}"), value]);
    say("middleware", folder.middleware().to_string());
    match &options.deployment {
        Some(deployment) => say("deployment", shown(deployment)),
        None => {
            let hosts: Vec<_> = options.hosts.iter().map(ToString::to_string).collect();
            say("hosts", hosts.join(","));
        }
    }
    options.except.iter().for_each(|router| say("except", router.clone()));
    options.metrics.iter().for_each(|file| say("metrics", shown(file)));
    options.spare.iter().for_each(|spare| say("spare", shown(spare)));
    command.push("--watch".to_owned());
    let mut writes: Vec<_> = options.spare.iter().map(absolute).collect();
    writes.extend(options.metrics.iter().filter_map(|file| absolute(file).parent().map(ToOwned::to_owned)));
    Unit { command, folder: directory, writes }
}
