//! The shape of a scenario file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use ssoproof_deployment::Located;

use crate::stacks::Need;
use crate::steps::Step;

/// A promise and the steps that prove it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// What cases are called by; the file's name says it too.
    pub id: Located<String>,
    /// What holds when every case passes, in one sentence.
    pub promise: String,
    /// The requirements of the deployment that this proves.
    pub requirements: Vec<Located<String>>,
    /// Reports of the kind of defect this finds: `authentik#2023`, a URL.
    #[serde(default)]
    pub refs: Vec<String>,
    /// Words to choose cases by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What a stack must offer beyond answering requests.
    #[serde(default)]
    pub needs: Vec<Located<Need>>,
    /// Values of the deployment that it is about, beside those that its texts name: `apps.grafana`, `single`. A scenario
    /// of the library does not fit a deployment that has nothing there.
    #[serde(default)]
    pub given: Vec<Located<String>>,
    /// The statements of the deployment's document that passing cases prove untrue.
    #[serde(default)]
    pub drift: Vec<Located<String>>,
    /// Why cases are known to fail for now; one that passes then is an error.
    #[serde(default)]
    pub expect_failure: Option<Located<String>>,
    /// Names with the values each takes: one case for every combination.
    #[serde(default)]
    pub matrix: Matrix,
    /// Who acts: a persona's name, `$persona` of the matrix, or `anonymous`; each with cookies of its own.
    #[serde(default)]
    pub actors: BTreeMap<String, Located<String>>,
    /// What they do.
    pub steps: Vec<Located<Step>>,
    /// What is done at the end, whatever happened.
    #[serde(default)]
    pub always: Vec<Located<Step>>,
}

/// Steps that scenarios share.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepsFile {
    /// The steps.
    pub steps: Vec<Located<Step>>,
}

/// The matrix of a scenario, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Matrix(pub Vec<(Located<String>, Located<Axis>)>);

/// The values of one name of the matrix.
#[derive(Clone, Debug)]
pub enum Axis {
    /// A path into the deployment's values that ends in `.*`: every element there.
    Selector(String),
    /// The values themselves: names of services, personas or apps for the axes of those names, or anything;
    /// a mapping needs a `name`.
    List(Vec<Value>),
}

impl<'de> Deserialize<'de> for Matrix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Matrix;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a mapping from names to selectors or lists")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Matrix, A::Error> {
                let mut axes = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    axes.push(entry);
                }
                Ok(Matrix(axes))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

impl<'de> Deserialize<'de> for Axis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Visitor<'de> for Values {
            type Value = Axis;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a selector such as `forward_auth.*` or a list of values")
            }

            fn visit_str<E>(self, text: &str) -> Result<Axis, E> {
                Ok(Axis::Selector(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Axis, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Axis::List(values))
            }
        }
        deserializer.deserialize_any(Values)
    }
}

impl JsonSchema for Matrix {
    fn schema_name() -> Cow<'static, str> {
        "Matrix".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let axis = generator.subschema_for::<Axis>();
        json_schema!({ "type": "object", "additionalProperties": axis })
    }
}

impl JsonSchema for Axis {
    fn schema_name() -> Cow<'static, str> {
        "Axis".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A selector such as `forward_auth.*`, or a list of values; a mapping needs a `name`.",
            "oneOf": [{ "type": "string" }, { "type": "array", "minItems": 1 }]
        })
    }
}
