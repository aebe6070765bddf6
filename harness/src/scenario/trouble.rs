//! Why a scenario gives no cases.

use ssoproof_deployment::{Place, Problem, Source, suggestion};

use super::cast;
use super::text::TextError;

/// Why a scenario gives no cases.
pub(super) enum Trouble {
    /// Something in it is wrong.
    Wrong(Problem),
    /// It is about what the deployment has not. In a scenario of the deployment's own that is a problem, and one of the
    /// library does not fit then.
    Lacks {
        /// What is not there: "`apps.minio`".
        what: String,
        /// The same at its place in the scenario.
        problem: Box<Problem>,
    },
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self::Wrong(problem)
    }
}

/// The trouble with a text at `place`.
pub(super) fn text_problem(source: &Source, place: Place, error: &TextError) -> Trouble {
    let problem = source.problem(place, error.to_string());
    match error {
        TextError::Undefined { path, part, known } => Trouble::Lacks {
            what: lacking(path, part),
            problem: Box::new(problem.with_help(suggestion(part, known))),
        },
        TextError::NoName(_) => problem.with_help("write `$$` for a dollar sign".to_owned()).into(),
        _ => problem.into(),
    }
}

/// What is not there when `part` of the dotted `path` has no value.
fn lacking(path: &str, part: &str) -> String {
    let mut there: Vec<&str> = path.split('.').take_while(|step| *step != part).collect();
    if let (["cast"], Some(player)) = (there.as_slice(), cast::part(part)) {
        return format!("`cast.{part}`: {player}");
    }
    there.push(part);
    format!("`{}`", there.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_named_as_far_as_it_goes() {
        assert_eq!(lacking("apps.minio.url", "minio"), "`apps.minio`");
        assert_eq!(lacking("domains", "domains"), "`domains`");
        assert_eq!(
            lacking("cast.outsider.url", "outsider"),
            "`cast.outsider`: an active persona whom no service lets in"
        );
    }
}
