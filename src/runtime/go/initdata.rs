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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use ::base64::Engine;
    use flate2::write::GzEncoder;

    use super::*;

    fn pack(text: &str) -> String {
        let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        ::base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap())
    }

    #[test]
    fn the_document_names_its_digest() {
        let text = "version = \"0.1.0\"\nalgorithm = \"sha384\"\n[data]\na = \"b\"\n";
        let read_back = read(&pack(text), Release::default()).unwrap();
        assert_eq!((read_back.text.as_str(), read_back.digest.len()), (text, 48));
        assert_eq!(read(&pack("algorithm = \"md5\""), Release::default()), Err(Refused::Panic));
        assert_eq!(read(&pack(""), Release::default()), Err(Refused::Panic));
        let message = |value: &str| match read(value, Release::default()) {
            Err(Refused::Message(message)) => message,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            message("cGxhaW4gdGV4dCB0aGF0"),
            "initdata create gzip reader error: gzip: invalid header"
        );
        let cut: String = pack(text).chars().take(40).collect();
        assert_eq!(message(&cut), "uncompressing initdata with gzip error: unexpected EOF");
        assert!(message(&pack("[data]\na = 1")).contains("(last key \"data.a\"): incompatible types"));
    }
}
