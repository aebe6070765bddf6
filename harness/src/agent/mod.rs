//! The user agent: cookies, redirects, forms, raw requests, and the script of Authentik's flow pages.

mod browser;
mod flow;
mod form;
mod http1;
pub mod jar;
mod landing;
mod navigate;
mod outgoing;
mod raw;
mod sign_in;
mod site;

pub use browser::{Agent, Limits};
pub use flow::{FlowError, FlowPage, StageError};
pub use form::FormError;
pub use jar::{Jar, RequestContext, StoredCookie};
pub use landing::{Landing, Page, flow_slug};
pub use outgoing::{Mode, Outgoing, RawRequest};
pub use sign_in::{Credentials, SignIn, SignInError};
pub use site::{registrable_domain, same_site};
