//! A stack in the hands of one case.

use std::sync::Arc;

use super::{Stack, StackError, StackFuture};
use crate::evidence::Ledger;

/// A stack lent to one case, in the state that every case starts from.
pub struct Loan {
    stack: Arc<dyn Stack>,
    back: Option<Back>,
}

type Back = Box<dyn FnOnce(&Ledger) -> StackFuture<'static, ()> + Send>;

impl Loan {
    /// A stack that nobody needs back.
    pub fn new(stack: Arc<dyn Stack>) -> Self {
        Self { stack, back: None }
    }

    /// A stack that others wait for; `back` puts it into the state it was lent in, and is told what was done.
    pub fn returning(
        stack: Arc<dyn Stack>,
        back: impl FnOnce(&Ledger) -> StackFuture<'static, ()> + Send + 'static,
    ) -> Self {
        Self { stack, back: Some(Box::new(back)) }
    }

    /// The stack.
    pub fn stack(&self) -> &dyn Stack {
        self.stack.as_ref()
    }

    /// Gives it back after what `ledger` tells.
    ///
    /// # Errors
    /// [`StackError`] when it could not be put back into its state.
    pub async fn give_back(self, ledger: &Ledger) -> Result<(), StackError> {
        match self.back {
            Some(back) => back(ledger).await,
            None => Ok(()),
        }
    }
}
