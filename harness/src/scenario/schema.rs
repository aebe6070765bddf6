//! The JSON Schema of scenario files, for editors.

use serde_json::Value;

use super::file::ScenarioFile;

/// The JSON Schema of a scenario file, made from the types that read it.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(ScenarioFile).to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".into(), "ssoproof scenario".into());
    }
    schema
}
