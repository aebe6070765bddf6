//! The parameters of a query or a form.

/// Names and values in the order sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` bytes; every text has a reading.
    pub(crate) fn parse(encoded: impl AsRef<[u8]>) -> Self {
        Self(url::form_urlencoded::parse(encoded.as_ref()).into_owned().collect())
    }

    /// The last value of `name`, as Django takes it; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    /// The same with another parameter at the end.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// The parameters encoded again.
    pub(crate) fn encoded(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_a_missing_one_is_empty() {
        let params = Params::parse("a=1&a=2&b&%ff=%");
        assert_eq!((params.get("a"), params.get("b"), params.get("c")), ("2", "", ""));
    }

    #[test]
    fn encoding_is_that_of_a_form() {
        let params = Params::parse("scope=openid+email").with("next", "/a/?b=c d");
        assert_eq!(params.encoded(), "scope=openid+email&next=%2Fa%2F%3Fb%3Dc+d");
    }
}
