//! The user agent: cookies, redirects, forms, raw requests.
