//! A recording: the exchanges that one program of one version had, and how they are had again.

/// One recording, to be played by one trial.
pub(crate) struct Recording {
    /// `authentik`, `traefik`, `minio` or `jmespath`.
    pub(crate) program: &'static str,
    /// The recorded program's version, as its folder is named.
    pub(crate) version: String,
    /// The recording's name, without its ending.
    pub(crate) name: String,
    /// Has the exchanges again, in order.
    pub(crate) play: Box<dyn Fn() -> Vec<Played> + Send>,
}

impl Recording {
    /// `authentik::2026.2.2::41-oidc-code-flow-minio`.
    pub(crate) fn trial_name(&self) -> String {
        format!("{}::{}::{}", self.program, self.version, self.name)
    }
}

/// One exchange that was had again.
#[derive(Clone)]
pub(crate) struct Played {
    /// Its place in the recording, from 0.
    pub(crate) at: usize,
    /// What was asked, as recorded: `GET https://stream.spacemusic.tv/path`, or the case's name.
    pub(crate) request: String,
    /// Where the answer is not the recorded one.
    pub(crate) differences: Vec<String>,
}
