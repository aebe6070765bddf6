//! What a case leaves behind: ledger, loops, redaction, normal form, a command to repeat it.

mod aws_error;
mod backends;
mod curl;
pub mod jwt;
mod ledger;
pub mod loops;
mod mask;
mod normalise;
mod redact;

pub(crate) use aws_error::AwsError;
pub use backends::{Backends, Tells};
pub(crate) use backends::{PROBE, header_lines};
pub use curl::curl;
pub(crate) use curl::curl_line;
pub(crate) use jwt::jwt_part;
pub use ledger::{
    Cause, ChangeKind, CookieAttributes, ExchangeError, ExchangeErrorKind, HeaderLines, Hop, JarChange,
    Ledger, RequestRecord, ResponseRecord, SameSite, only_reads, parameter,
};
pub use loops::{CycleStep, LoopReport, detect};
pub use mask::mask_url;
pub(crate) use mask::mask_value;
pub use normalise::normal_form;
pub(crate) use normalise::{is_identity, typed};
pub use redact::Redactor;
