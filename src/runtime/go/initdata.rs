//! Initdata: base64 around gzip around a TOML document that names its own digest.
//!
//! Facts: `addHypervisorInitdataOverrides` in src/runtime/pkg/oci/utils.go and src/runtime/pkg/types at
//! 4.1.0; Go's compress/gzip.

use std::collections::BTreeMap;

use flate2::Crc;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::load::toml_of;
use super::record::{Held, record};
use crate::golang::base64;
use crate::golang::flate::{self, Fault};
use crate::golang::toml::{self, Decode, Decoder, Error, Value, table_of};
use crate::release::Release;
use crate::runtime::INITDATA_LIMIT;

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
    let source = Input { bytes: &packed, fault: fault.as_deref() };
    let start = source.header(0).map_err(|e| refuse("initdata create gzip reader error", e))?;
    let document = source.inflate(start).map_err(|e| refuse("uncompressing initdata with gzip error", e))?;
    let parsed = toml::parse(&document, toml_of(release)).and_then(|parsed| {
        let mut header = Header::default();
        header.decode(
            &Value::Table(parsed.root.clone()),
            &mut Decoder::new(&parsed, toml_of(release), release),
        )?;
        Ok(header)
    });
    let header = parsed.map_err(|e| refuse("parsing initdata annotation failed", e.to_string()))?;
    let digest = match header.algorithm.as_str() {
        "sha256" => Sha256::digest(&document).to_vec(),
        "sha384" => Sha384::digest(&document).to_vec(),
        "sha512" => Sha512::digest(&document).to_vec(),
        _ => return Err(Refused::Panic),
    };
    Ok(Initdata { text: String::from_utf8_lossy(&document).into_owned(), digest })
}

/// Bytes that end with a fault of their own, or just end.
struct Input<'a> {
    bytes: &'a [u8],
    fault: Option<&'a str>,
}

impl Input<'_> {
    /// What reading past the end says.
    fn short(&self) -> String {
        self.fault.unwrap_or("unexpected EOF").to_owned()
    }

    fn need(&self, end: usize) -> Result<(), String> {
        if end <= self.bytes.len() { Ok(()) } else { Err(self.short()) }
    }

    /// A gzip header at `at`; gives where the data starts.
    fn header(&self, at: usize) -> Result<usize, String> {
        if at == self.bytes.len() {
            return Err(self.fault.unwrap_or("EOF").to_owned());
        }
        self.need(at + 10)?;
        let flags = match self.bytes.get(at..at + 4) {
            Some(&[0x1f, 0x8b, 8, flags]) => flags,
            _ => return Err("gzip: invalid header".into()),
        };
        let mut end = at + 10;
        if flags & 4 != 0 {
            self.need(end + 2)?;
            let length = match self.bytes.get(end..end + 2) {
                Some(&[low, high]) => usize::from(u16::from_le_bytes([low, high])),
                _ => 0,
            };
            end += 2 + length;
            self.need(end)?;
        }
        for flag in [8, 16] {
            if flags & flag != 0 {
                let rest = self.bytes.get(end..).unwrap_or_default();
                end += 1 + rest.iter().position(|b| *b == 0).ok_or_else(|| self.short())?;
            }
        }
        if flags & 2 != 0 {
            self.need(end + 2)?;
            let mut crc = Crc::new();
            crc.update(self.bytes.get(at..end).unwrap_or_default());
            if self.bytes.get(end..end + 2) != Some(&(crc.sum() as u16).to_le_bytes()) {
                return Err("gzip: invalid header".into());
            }
            end += 2;
        }
        Ok(end)
    }

    /// All members from `start` on.
    fn inflate(&self, start: usize) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        let mut at = start;
        loop {
            let first = out.len();
            let stream = self.bytes.get(at..).unwrap_or_default();
            at += flate::inflate(stream, &mut out, INITDATA_LIMIT).map_err(|fault| match fault {
                Fault::Short => self.short(),
                Fault::Corrupt(offset) => Fault::corrupt(offset),
                Fault::TooLong => format!("more than {INITDATA_LIMIT} bytes are not read here"),
            })?;
            self.need(at + 8)?;
            let mut crc = Crc::new();
            crc.update(out.get(first..).unwrap_or_default());
            let mut trailer = crc.sum().to_le_bytes().to_vec();
            trailer.extend(crc.amount().to_le_bytes());
            if self.bytes.get(at..at + 8) != Some(trailer.as_slice()) {
                return Err("gzip: invalid checksum".into());
            }
            at += 8;
            if at == self.bytes.len() {
                return self.fault.map_or(Ok(out), |fault| Err(fault.to_owned()));
            }
            at = self.header(at)?;
        }
    }
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
