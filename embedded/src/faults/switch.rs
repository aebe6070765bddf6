//! A fault that comes and goes while a stack runs.

use std::sync::{Arc, PoisonError, RwLock};

use super::fault::{Fault, Link, Seam, Tampering};

/// The fault that the wires of a running stack have now. Clones share it.
#[derive(Clone, Default)]
pub struct Switch(Arc<RwLock<Option<&'static Fault>>>);

impl Switch {
    /// Lets `fault` come in the place of the one before; none lets it go.
    pub fn turn(&self, fault: Option<&'static Fault>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// The fault that is there.
    pub fn fault(&self) -> Option<&'static Fault> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a wire at `link` does.
    pub(super) fn at(&self, link: Link) -> Tampering {
        match self.fault().map(|fault| &fault.seam) {
            Some(Seam::Wire(at, tampering)) if *at == link => *tampering,
            _ => Tampering::NONE,
        }
    }
}
