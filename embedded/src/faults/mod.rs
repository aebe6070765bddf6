//! Faults: the proof that the proof can fail.
//!
//! Each is one defect as it is seen in the wild, switched on in the embedded stack at one of its [seams](Seam): the
//! Traefik files, what was set up in Authentik, the settings of an app, the version's behaviour, the wire between two
//! parts, or what runs in the patcher's place. No part of the stack asks whether a fault is on.

mod catalogue;
mod fault;
mod files;
mod recorder;
mod script;
mod switch;
mod tamper;
mod wire;

pub use fault::{Fault, Group, Link, Seam, Tampering};
pub use files::{Files, FilesError};
pub use recorder::{Exchange, Recorder};
pub use script::{Running, Script, Writes};
pub use switch::Switch;
pub use wire::{Tap, Wire};

/// Every fault, group by group.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    catalogue::ALL.iter().flat_map(|faults| faults.iter())
}

/// The fault called `name`.
pub fn find(name: &str) -> Option<&'static Fault> {
    all().find(|fault| fault.name == name)
}
