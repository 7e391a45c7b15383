//! Holds the launch of runtime-rs against what the real runtime 4.1.0 started for the same configuration:
//! process arguments, daemons, API calls, kernel command line, agent request, or the error.
//!
//! A vector is a configuration as the difference from its hypervisor's `base`; texts and bodies are numbers
//! in tables.

// A vector that cannot be read fails the test, in the functions beside it, too.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use katascope::answer::launch::Arg;
use katascope::input::host::{Errno, FileKind, Files, HostFacts, PodNetwork, Stat};
use katascope::input::{Annotations, Host};
use katascope::launch::rs;
use katascope::runtime::Sandbox;
use katascope::runtime::rs::config::Config;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

/// Files that have sizes and no content.
struct Sized(BTreeMap<String, u64>);

impl Files for Sized {
    fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        let below = format!("{}/", path.trim_end_matches('/'));
        match self.0.get(path) {
            Some(size) => Ok(Stat::new(FileKind::File, *size, 0o755)),
            None if self.0.keys().any(|file| file.starts_with(&below)) => {
                Ok(Stat::new(FileKind::Directory, 0, 0o755))
            }
            None => Err(Errno::NotFound),
        }
    }

    fn read_link(&self, _: &str) -> Result<String, Errno> {
        Err(Errno::Other(22))
    }

    fn read_dir(&self, _: &str) -> Result<Vec<String>, Errno> {
        Err(Errno::NotDirectory)
    }

    fn read(&self, _: &str) -> Result<Vec<u8>, Errno> {
        Err(Errno::NotFound)
    }
}

fn toml_value(value: &Json) -> toml::Value {
    match value {
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => match n.as_i64() {
            Some(whole) => whole.into(),
            None => n.as_f64().unwrap().into(),
        },
        Json::String(text) => text.as_str().into(),
        Json::Array(all) => all.iter().map(toml_value).collect::<Vec<_>>().into(),
        Json::Object(map) => {
            toml::Value::Table(map.iter().map(|(key, value)| (key.clone(), toml_value(value))).collect())
        }
        Json::Null => unreachable!("absent keys are not recorded"),
    }
}

/// The configuration of dotted keys.
fn config(keys: &Map<String, Json>) -> Config<'static> {
    let mut root = toml::Table::new();
    for (key, value) in keys {
        let mut table = &mut root;
        let mut path = key.split('.').peekable();
        while let Some(part) = path.next() {
            if path.peek().is_none() {
                table.insert(part.to_owned(), toml_value(value));
            } else {
                let next = table.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
                table = next.as_table_mut().unwrap();
            }
        }
    }
    Config::deserialize(toml::Value::Table(root)).unwrap()
}

struct Vectors {
    files: Arc<Sized>,
    document: Json,
}

impl Vectors {
    fn read() -> Self {
        let document: Json = serde_json::from_str(include_str!("vectors/rs-launch.json")).unwrap();
        let files = document["files"].as_array().unwrap().iter();
        let files = files.map(|file| (file[0].as_str().unwrap().to_owned(), file[1].as_u64().unwrap()));
        Self { files: Arc::new(Sized(files.collect())), document }
    }

    fn entry(&self, table: &str, number: &Json) -> &Json {
        &self.document[table][number.as_u64().unwrap() as usize]
    }

    fn texts(&self, numbers: &Json) -> Vec<&str> {
        let numbers = numbers.as_array().into_iter().flatten();
        numbers.map(|number| self.entry("strings", number).as_str().unwrap()).collect()
    }

    fn config(&self, vector: &Json) -> Config<'static> {
        let mut keys = self.document["bases"][vector["base"].as_str().unwrap()].as_object().unwrap().clone();
        for key in vector["unset"].as_array().into_iter().flatten() {
            keys.remove(key.as_str().unwrap());
        }
        for (key, value) in vector["set"].as_object().into_iter().flatten() {
            keys.insert(key.clone(), value.clone());
        }
        config(&keys)
    }

    fn host(&self, vector: &Json) -> Host {
        let number = |name: &str, default: u64| vector["host"][name].as_u64().unwrap_or(default);
        let facts = HostFacts {
            cpus: number("cpus", 16) as u32,
            memory_mib: number("memory_mib", 65536),
            nested: vector["host"]["nested"] == true,
            network: Arc::new(PodNetwork::empty()),
            ..HostFacts::default()
        };
        Host::new(facts, self.files.clone())
    }

    /// What differs.
    fn compare(&self, vector: &Json) -> Vec<String> {
        let (config, host, annotations) = (self.config(vector), self.host(vector), Annotations::default());
        let sandbox =
            Sandbox { id: "SANDBOXID", hostname: "", host_network: false, annotations: &annotations };
        let outcome = rs::launch(&host, &config, &sandbox);
        let mut notes = Vec::new();
        let mut same = |name: &str, wanted: Json, got: Json| {
            if wanted != got {
                let place = match (&wanted, &got) {
                    (Json::Array(wanted), Json::Array(got)) => {
                        let place = wanted.iter().zip(got).position(|(a, b)| a != b);
                        let place = place.unwrap_or(wanted.len().min(got.len()));
                        format!("[{place}]: {:?} is {:?}", wanted.get(place), got.get(place))
                    }
                    _ => format!(": {wanted} is {got}"),
                };
                notes.push(format!("{name}{place}"));
            }
        };
        same("check", json!(outcome.as_ref().err().map(|f| &f.message)), {
            json!(rs::check(&host, &config, &sandbox).err().map(|failure| failure.message))
        });
        let (launch, agent, _) = match outcome {
            Ok(started) => started,
            Err(failure) => {
                same("error", vector["error"].clone(), json!(failure.message));
                return notes;
            }
        };
        same("error", vector["error"].clone(), Json::Null);
        let texts = |args: &[Arg]| args.iter().map(|arg| arg.text.clone()).collect::<Vec<_>>();
        same("program", vector["program"].clone(), json!(launch.program));
        same("args", json!(self.texts(&vector["args"])), json!(texts(&launch.args)));
        let helpers = launch.helpers.iter().flat_map(|helper| {
            let program = std::iter::once(helper.program.clone());
            program.chain(texts(&helper.args))
        });
        same("helper", json!(self.texts(&vector["helper"])), helpers.collect());
        let wanted = vector["requests"].as_array().into_iter().flatten();
        let wanted =
            wanted.map(|call| json!([self.entry("strings", &call[0]), self.entry("bodies", &call[1])]));
        let got = launch.requests.iter().filter(|call| call.path != "StartVM");
        let got = got.map(|call| json!([format!("{} {}", call.method, call.path), call.body]));
        same("requests", wanted.collect(), got.collect());
        same("cmdline", self.entry("strings", &vector["cmdline"]).clone(), json!(agent.kernel_cmdline));
        same("create_sandbox", self.entry("bodies", &vector["create_sandbox"]).clone(), agent.create_sandbox);
        same("policy", vector["policy"].clone(), json!(agent.policy));
        notes
    }
}

#[test]
fn launches_are_as_recorded() {
    let vectors = Vectors::read();
    let all = vectors.document["vectors"].as_array().unwrap();
    let mut report = String::new();
    let mut differing = 0;
    for vector in all {
        let notes = vectors.compare(vector);
        if !notes.is_empty() {
            differing += 1;
            writeln!(report, "{}: {}", vector["id"], notes.join("; ")).unwrap();
        }
    }
    assert!(all.len() > 400, "the vectors are not all there");
    assert!(differing == 0, "{differing} of {} differ:\n{report}", all.len());
}
