//! The watch as a service of systemd.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What the unit file says.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The watched folder, absolute.
    pub folder: PathBuf,
    /// Folders that are written besides the one that holds it.
    pub writes: Vec<PathBuf>,
}

/// What the service may not do; it needs a file system and nothing else.
const HARDENING: &str = "\
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER
ProtectSystem=strict
PrivateDevices=yes
PrivateNetwork=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077
";

impl Unit {
    /// The text of the unit file.
    pub fn text(&self) -> String {
        let parent = self.folder.parent().unwrap_or(&self.folder);
        let mut writes = vec![parent];
        writes.extend(self.writes.iter().map(PathBuf::as_path).filter(|path| !path.starts_with(parent)));
        let command: Vec<_> = self.command.iter().map(|word| quoted(word)).collect();
        let mut text = format!(
            "# /etc/systemd/system/ssoproof-traefik-patch.service\n\
             [Unit]\n\
             Description=Keep the forward auth middleware on Traefik's routers\n\
             Documentation=man:systemd.exec(5)\n\
             # Ready once everything that is there has been patched.\n\
             Before=traefik.service\n\
             StartLimitIntervalSec=0\n\n\
             [Service]\n\
             Type=notify\n\
             ExecStart={}\n\
             Restart=always\n\
             RestartSec=1s\n\
             # The folder and the one beside it for new files must be one mount: files are exchanged between them.\n",
            command.join(" ")
        );
        for path in &writes {
            // A string takes everything.
            let _ = writeln!(text, "ReadWritePaths={}", quoted(&path.display().to_string()));
        }
        let within = |home: &[&str]| {
            writes.iter().any(|path| home.iter().any(|home| path.starts_with(Path::new(home))))
        };
        if !within(&["/home", "/root", "/run/user"]) {
            text.push_str("ProtectHome=yes\n");
        }
        if !within(&["/tmp", "/var/tmp"]) {
            text.push_str("PrivateTmp=yes\n");
        }
        text.push_str(HARDENING);
        text.push_str("\n[Install]\nWantedBy=multi-user.target\n");
        text
    }
}

/// A word as systemd reads it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./=:,@+*".contains(letter);
    let escaped = word.replace('%', "%%");
    if !word.is_empty() && word.chars().all(plain) {
        return escaped;
    }
    format!("\"{}\"", escaped.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$"))
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn unit_may_write_where_files_are_exchanged_and_nowhere_else() {
        let unit = Unit {
            command: ["/usr/bin/ssoproof", "traefik", "patch", "/srv/my app/traefik", "--hosts", "*.a.test"]
                .map(ToOwned::to_owned)
                .to_vec(),
            folder: "/srv/my app/traefik".into(),
            writes: vec!["/srv/my app/.traefik.ssoproof".into(), "/var/metrics".into()],
        };
        let text = unit.text();
        assert!(
            text.contains(
                "ExecStart=/usr/bin/ssoproof traefik patch \"/srv/my app/traefik\" --hosts *.a.test\n"
            ),
            "{text}"
        );
        let writes: Vec<_> = text.lines().filter(|line| line.starts_with("ReadWritePaths")).collect();
        assert_eq!(writes, ["ReadWritePaths=\"/srv/my app\"", "ReadWritePaths=/var/metrics"]);
        assert!(text.contains("ProtectSystem=strict") && text.contains("ProtectHome=yes"));
    }
}
