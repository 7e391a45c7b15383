//! An API server's part: a policy's expressions, evaluated as it does, without its limits on cost.

use std::collections::HashMap;
use std::sync::Arc;

use cel::extractors::This;
use cel::objects::Key;
use cel::{Context, Env, Program, Value};
use serde::Deserialize;
use serde_json::Value as Json;

/// The documents of a stream.
pub fn documents(text: &str) -> Vec<Json> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Json::deserialize(document).unwrap())
        .filter(|document| !document.is_null())
        .collect()
}

/// A policy whose expressions are compiled.
pub struct Policy {
    env: Arc<Env>,
    conditions: Vec<Program>,
    variables: Vec<(String, Program)>,
    checks: Vec<(Program, String, Option<Program>)>,
}

/// What is judged.
#[derive(Default)]
pub struct Request<'a> {
    pub object: Option<&'a Json>,
    pub old: Option<&'a Json>,
    pub params: Option<&'a Json>,
}

impl Policy {
    pub fn new(spec: &Json) -> Self {
        let env = Arc::new(Env::stdlib());
        let compile = |expression: &Json| {
            let text = expression.as_str().unwrap();
            assert!(text.len() < 100_000, "an expression of {} characters", text.len());
            env.compile(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
        };
        let list = |key: &str| spec[key].as_array().cloned().unwrap_or_default();
        let name = |node: &Json| node["name"].as_str().unwrap().to_owned();
        Self {
            conditions: list("matchConditions").iter().map(|c| compile(&c["expression"])).collect(),
            variables: list("variables").iter().map(|v| (name(v), compile(&v["expression"]))).collect(),
            checks: list("validations")
                .iter()
                .map(|v| {
                    let message = v["message"].as_str().unwrap().to_owned();
                    (compile(&v["expression"]), message, v.get("messageExpression").map(compile))
                })
                .collect(),
            env,
        }
    }

    /// `Err` with the message where the object is refused; an expression that fails refuses, too.
    pub fn judge(&self, request: &Request<'_>) -> Result<(), String> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        let mut variable = |name: &str, value: Option<&Json>| {
            context.add_variable(name, value.cloned().unwrap_or(Json::Null)).unwrap();
        };
        variable("object", request.object);
        variable("oldObject", request.old);
        variable("params", request.params);
        context.add_function("substring", substring).unwrap();
        context.add_function("join", join).unwrap();
        for condition in &self.conditions {
            match condition.execute(&context) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => return Ok(()),
                other => return Err(format!("condition: {other:?}")),
            }
        }
        let mut known: HashMap<Key, Value> = HashMap::new();
        for (name, program) in &self.variables {
            let value = program.execute(&context).map_err(|error| format!("{name}: {error}"))?;
            known.insert(Key::String(Arc::new(name.clone())), value);
            context.add_variable_from_value("variables", Value::from(known.clone()));
        }
        for (program, message, said) in &self.checks {
            match program.execute(&context) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => {
                    let Some(said) = said else { return Err(message.clone()) };
                    let Ok(Value::String(text)) = said.execute(&context) else { panic!("no message") };
                    assert!(text.len() <= 5120 && !text.contains('\n'), "a server does not show {text:?}");
                    return Err(text.to_string());
                }
                other => return Err(format!("check: {other:?}")),
            }
        }
        Ok(())
    }
}

fn substring(This(text): This<Arc<String>>, at: i64) -> String {
    text.chars().skip(usize::try_from(at).unwrap()).collect()
}

fn join(This(list): This<Arc<Vec<Value>>>, between: Arc<String>) -> String {
    let texts: Vec<String> = list
        .iter()
        .map(|value| match value {
            Value::String(text) => text.to_string(),
            other => panic!("{other:?} is no text"),
        })
        .collect();
    texts.join(&between)
}
