//! Initdata: base64 around gzip around a TOML document that names its own digest.
//!
//! Facts: `addHypervisorInitdataOverrides` in src/runtime/pkg/oci/utils.go and src/runtime/pkg/types at
//! 4.1.0.

use std::collections::BTreeMap;

use super::load::toml_of;
use super::record::{Held, record};
use crate::golang::base64;
use crate::golang::gzip::Reader;
use crate::golang::toml::{self, Decode, Decoder, Error, Value, table_of};
use crate::release::Release;
use crate::runtime::INITDATA_LIMIT;
use crate::runtime::initdata::digest;

/// What a good document gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Initdata {
    pub text: String,
    pub digest: Vec<u8>,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The runtime's message.
    Message(String),
    /// An algorithm that it does not know: the runtime calls a digest that is not there, and crashes.
    Panic,
}

/// The files of the document.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Data(BTreeMap<String, String>);

impl Decode<Release> for Data {
    fn decode(&mut self, value: &Value, at: &mut Decoder<'_, Release>) -> Result<(), Error> {
        for (key, value) in table_of(value).into_iter().flatten() {
            let mut text = String::new();
            at.below(key, |at| text.decode(value, at))?;
            self.0.insert(key.clone(), text);
        }
        Ok(())
    }
}

impl Held for Data {
    fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }
}

record! {
    /// The document's keys.
    Header as "types.Initdata" in None;
    {
        version: String,
        algorithm: String,
        data: Data,
    }
}

/// Reads an annotation's value.
pub(super) fn read(value: &str, release: Release) -> Result<Initdata, Refused> {
    let refuse = |what: &str, why: String| Refused::Message(format!("{what}: {why}"));
    let (packed, fault) = base64::decode_stream(value);
    let reader = Reader::new(&packed, fault.as_deref());
    let reader = reader.map_err(|e| refuse("initdata create gzip reader error", e.0))?;
    let document = reader.read_all(INITDATA_LIMIT);
    let document = document.map_err(|e| refuse("uncompressing initdata with gzip error", e.0))?;
    let parsed = toml::parse(&document, toml_of(release)).and_then(|parsed| {
        let mut header = Header::default();
        header.decode(
            &Value::Table(parsed.root.clone()),
            &mut Decoder::new(&parsed, toml_of(release), release),
        )?;
        Ok(header)
    });
    let header = parsed.map_err(|e| refuse("parsing initdata annotation failed", e.to_string()))?;
    let digest = digest(&header.algorithm, &document).ok_or(Refused::Panic)?;
    Ok(Initdata { text: String::from_utf8_lossy(&document).into_owned(), digest })
}
