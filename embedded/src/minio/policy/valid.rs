//! Which statements MinIO takes.

use super::{PolicyError, S3_ARN, Statement};

impl Statement {
    /// Refuses what MinIO's admin API refuses; it also knows every action's name.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let admin = |action: &&String| action.starts_with("admin:");
        if self.action.is_empty() && self.not_action.is_empty() {
            return Err(PolicyError::NoAction);
        }
        if self.action.iter().any(|action| admin(&action)) {
            let other = self.action.iter().find(|action| !admin(action));
            return other.map_or(Ok(()), |other| Err(PolicyError::NotAdmin(other.clone())));
        }
        if self.about_server() {
            return Ok(());
        }
        let mut resources = self.resource.iter().chain(&self.not_resource).peekable();
        if resources.peek().is_none() {
            return Err(PolicyError::NoResource);
        }
        let foreign = resources.find(|resource| !resource.starts_with(S3_ARN));
        foreign.map_or(Ok(()), |foreign| Err(PolicyError::Resource(foreign.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::PolicyDocument;

    /// As the admin API of a running MinIO puts it.
    #[test]
    fn statement_that_says_too_little_or_too_much_is_refused_in_minio_words() {
        for (statement, said) in [
            (r#""Action":["admin:*","s3:*"],"Resource":"arn:aws:s3:::*""#, "unsupported admin action 's3:*'"),
            (r#""Action":"s3:*""#, "Resource must not be empty"),
            (r#""Action":"s3:*","Resource":"recordings/*""#, "invalid resource 'recordings/*'"),
            (r#""Resource":"arn:aws:s3:::*""#, "Action must not be empty"),
        ] {
            let refused =
                PolicyDocument::parse(&format!(r#"{{"Statement":{{"Effect":"Allow",{statement}}}}}"#));
            assert_eq!(refused.unwrap_err().to_string(), said, "{statement}");
        }
        let admin = r#"{"Statement":{"Effect":"Allow","Action":"admin:*"}}"#;
        assert_eq!(PolicyDocument::parse(admin).map_err(|error| error.to_string()).err(), None);
    }
}
