//! Who changes rows: requests. Where the database refuses a row, that concerns those who changed it and nobody else.

use std::sync::{Arc, OnceLock};

use super::store::StoreError;

tokio::task_local! {
    static CURRENT: Writer;
}

/// A request that may change rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writer(Arc<OnceLock<StoreError>>);

impl Writer {
    /// Does `work`; what it changes is changed by this writer.
    pub(crate) async fn at<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), work).await
    }

    /// Why the database has refused what this writer changed, once it has.
    pub(crate) fn refusal(&self) -> Option<&StoreError> {
        self.0.get()
    }
}

/// Those who changed a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writers(Vec<Writer>);

impl Writers {
    pub(crate) const fn nobody() -> Self {
        Self(Vec::new())
    }

    /// The one at work, if any.
    pub(crate) fn current() -> Self {
        Self(CURRENT.try_with(Clone::clone).into_iter().collect())
    }

    pub(crate) fn join(&mut self, others: Self) {
        for writer in others.0 {
            if !self.has(&writer) {
                self.0.push(writer);
            }
        }
    }

    /// Whether somebody is in both.
    pub(crate) fn meet(&self, others: &Self) -> bool {
        others.0.iter().any(|writer| self.has(writer))
    }

    /// Tells each that what it changed is not kept.
    pub(crate) fn refuse(&self, error: &StoreError) {
        // The first reason stays.
        self.0.iter().for_each(|writer| drop(writer.0.set(error.clone())));
    }

    fn has(&self, writer: &Writer) -> bool {
        self.0.iter().any(|known| Arc::ptr_eq(&known.0, &writer.0))
    }
}
