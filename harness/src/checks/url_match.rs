//! URLs as expectations: what is not written does not count.

use url::Url;

/// Whether `got` is the URL `expected`: scheme, host, port and path; query and fragment when `expected` has them.
pub(super) fn same(expected: &str, got: &Url) -> bool {
    let Ok(wanted) = Url::parse(expected) else { return false };
    wanted.origin() == got.origin()
        && wanted.path() == got.path()
        && (wanted.query().is_none() || wanted.query() == got.query())
        && (wanted.fragment().is_none() || wanted.fragment() == got.fragment())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_counts_only_when_it_is_expected() {
        let got = Url::parse("https://a.test/x%20y?b=1#c").unwrap();
        assert!(same("https://a.test/x%20y", &got));
        assert!(same("https://a.test/x%20y?b=1", &got));
        assert!(!same("https://a.test/x%20y?b=2", &got));
        assert!(!same("https://a.test/", &got));
        assert!(!same("http://a.test/x%20y", &got));
        assert!(!same("no url", &got));
    }
}
