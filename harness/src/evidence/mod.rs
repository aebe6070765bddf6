//! What a case leaves behind: ledger, loops, redaction, normal form, a command to repeat it.

pub mod ledger;
pub mod loops;
mod mask;

pub use ledger::{
    Cause, ChangeKind, CookieAttributes, ExchangeError, ExchangeErrorKind, HeaderLines, Hop, JarChange,
    Ledger, RequestRecord, ResponseRecord, SameSite,
};
pub use loops::{CycleStep, LoopReport, detect};
pub use mask::mask_url;
