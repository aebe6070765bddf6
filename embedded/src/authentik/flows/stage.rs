//! What a stage does with an answer, and what it does by itself.

use serde_json::{Map, Value};

use super::super::model::{Pending, Plan, PlannedStage, Stage, User};
use super::super::profile::Profile;
use super::super::state::State;

/// The wrong passwords after which the flow is over.
const MAX_FAILURES: u32 = 5;

/// Where a stage leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It waits for an answer: its challenge is shown, with the plan's errors.
    Waits,
    /// It is done: the next stage follows.
    Passes,
    /// The browser's user signs in, then the next stage follows.
    SignsIn,
    /// The browser's session ends, then the next stage follows.
    SignsOut,
    /// The flow is over.
    Denied,
}

/// What the plan's current stage does when it is looked at.
pub(super) fn shown(plan: &Plan) -> Outcome {
    match plan.stages.first() {
        Some(
            PlannedStage::SessionEnd
            | PlannedStage::Consent { .. }
            | PlannedStage::Autosubmit { .. }
            | PlannedStage::Bound(Stage::Identification | Stage::Password),
        ) => Outcome::Waits,
        Some(PlannedStage::Bound(Stage::UserLogin)) => Outcome::SignsIn,
        Some(PlannedStage::Bound(Stage::UserLogout)) => Outcome::SignsOut,
        Some(PlannedStage::Bound(Stage::AuthenticatorValidate) | PlannedStage::Fulfilment) | None => {
            Outcome::Passes
        }
    }
}

/// What the plan's current stage does with `answer`.
pub(super) fn answered(
    state: &State,
    profile: &Profile,
    plan: &mut Plan,
    answer: &Map<String, Value>,
) -> Outcome {
    match plan.stages.first() {
        Some(PlannedStage::Bound(Stage::Identification)) => identified(state, profile, plan, answer),
        Some(PlannedStage::Bound(Stage::Password)) => authenticated(state, plan, answer),
        Some(PlannedStage::SessionEnd | PlannedStage::Consent { .. }) => Outcome::Passes,
        _ => shown(plan),
    }
}

fn identified(state: &State, profile: &Profile, plan: &mut Plan, answer: &Map<String, Value>) -> Outcome {
    let typed = answer.get("uid_field").and_then(Value::as_str).unwrap_or_default().trim();
    if typed.is_empty() && profile.blank_name_is_refused {
        let (text, code) = match answer.get("uid_field") {
            Some(_) => ("This field may not be blank.", "blank"),
            None => ("This field is required.", "required"),
        };
        complain(plan, "uid_field", text, code);
        return Outcome::Waits;
    }
    if typed.is_empty() {
        complain(plan, "non_field_errors", "No identification data provided.", "invalid");
        return Outcome::Waits;
    }
    let user = named(state, typed).map(|user| user.pk);
    plan.pending = Some(Pending { typed: typed.to_owned(), user, verified: false });
    Outcome::Passes
}

/// The user with a username, in any case, or with an e-mail address.
fn named<'s>(state: &'s State, typed: &str) -> Option<&'s User> {
    let typed = typed.to_lowercase();
    let by = |field: fn(&User) -> &str| {
        state.users.values().find(|user| !field(user).is_empty() && field(user).to_lowercase() == typed)
    };
    by(|user| &user.email).or_else(|| by(|user| &user.username))
}

fn authenticated(state: &State, plan: &mut Plan, answer: &Map<String, Value>) -> Outcome {
    let password = match answer.get("password") {
        None => {
            complain(plan, "password", "This field is required.", "required");
            return Outcome::Waits;
        }
        Some(password) => password.as_str().unwrap_or_default(),
    };
    if password.is_empty() {
        complain(plan, "password", "This field may not be blank.", "blank");
        return Outcome::Waits;
    }
    // An unknown name, an inactive user and a wrong password end alike (`21-login-failures`, `22-login-inactive`).
    let user = plan.pending.as_ref().and_then(|pending| state.users.get(&pending.user?));
    let hash = user.filter(|user| user.is_active).and_then(|user| user.password.as_ref());
    if hash.is_some_and(|hash| hash.accepts(password)) {
        if let Some(pending) = &mut plan.pending {
            pending.verified = true;
        }
        return Outcome::Passes;
    }
    plan.failures += 1;
    if plan.failures >= MAX_FAILURES {
        return Outcome::Denied;
    }
    complain(plan, "password", "Invalid password", "invalid");
    Outcome::Waits
}

fn complain(plan: &mut Plan, field: &str, text: &str, code: &str) {
    plan.errors.entry(field.to_owned()).or_default().push((text.to_owned(), code.to_owned()));
}
