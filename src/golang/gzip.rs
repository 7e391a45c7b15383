//! gzip as Go reads it: members one after the other, each with its header and its checksum.
//!
//! Facts: RFC 1952, and compress/gzip of Go.

use flate2::Crc;

use super::LibraryError;
use super::flate::{self, Fault};

/// A name or comment, its end included, is no longer.
const LONGEST_NAME: usize = 512;

/// Bytes that end with a fault of their own, or just end, behind their first header.
pub struct Reader<'a> {
    bytes: &'a [u8],
    fault: Option<&'a str>,
    start: usize,
}

impl<'a> Reader<'a> {
    /// Reads the first header.
    pub fn new(bytes: &'a [u8], fault: Option<&'a str>) -> Result<Self, LibraryError> {
        let mut reader = Self { bytes, fault, start: 0 };
        reader.start = reader.header(0)?;
        Ok(reader)
    }

    /// What all members hold.
    pub fn read_all(&self, limit: usize) -> Result<Vec<u8>, LibraryError> {
        let mut out = Vec::new();
        let mut at = self.start;
        loop {
            let first = out.len();
            let stream = self.bytes.get(at..).unwrap_or_default();
            at += flate::inflate(stream, &mut out, limit).map_err(|fault| match fault {
                Fault::Short => self.short(),
                Fault::Corrupt(offset) => LibraryError(Fault::corrupt(offset)),
                Fault::TooLong => LibraryError(format!("more than {limit} bytes are not read here")),
            })?;
            self.need(at + 8)?;
            let mut crc = Crc::new();
            crc.update(out.get(first..).unwrap_or_default());
            let mut trailer = crc.sum().to_le_bytes().to_vec();
            trailer.extend(crc.amount().to_le_bytes());
            if self.bytes.get(at..at + 8) != Some(trailer.as_slice()) {
                return Err(LibraryError("gzip: invalid checksum".into()));
            }
            at += 8;
            if at == self.bytes.len() {
                return self.fault.map_or(Ok(out), |fault| Err(LibraryError(fault.to_owned())));
            }
            at = self.header(at)?;
        }
    }

    /// What reading past the end says.
    fn short(&self) -> LibraryError {
        LibraryError(self.fault.unwrap_or("unexpected EOF").to_owned())
    }

    fn need(&self, end: usize) -> Result<(), LibraryError> {
        if end <= self.bytes.len() { Ok(()) } else { Err(self.short()) }
    }

    /// A header at `at`; gives where the data starts.
    fn header(&self, at: usize) -> Result<usize, LibraryError> {
        let invalid = || LibraryError("gzip: invalid header".into());
        if at == self.bytes.len() {
            return Err(LibraryError(self.fault.unwrap_or("EOF").to_owned()));
        }
        self.need(at + 10)?;
        let flags = match self.bytes.get(at..at + 4) {
            Some(&[0x1f, 0x8b, 8, flags]) => flags,
            _ => return Err(invalid()),
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
                match rest.iter().take(LONGEST_NAME).position(|b| *b == 0) {
                    Some(length) => end += length + 1,
                    None if rest.len() >= LONGEST_NAME => return Err(invalid()),
                    None => return Err(self.short()),
                }
            }
        }
        if flags & 2 != 0 {
            self.need(end + 2)?;
            let mut crc = Crc::new();
            crc.update(self.bytes.get(at..end).unwrap_or_default());
            if self.bytes.get(end..end + 2) != Some(&(crc.sum() as u16).to_le_bytes()) {
                return Err(invalid());
            }
            end += 2;
        }
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: usize, is_ended: bool) -> Result<(), String> {
        let mut bytes = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0xff];
        bytes.extend(std::iter::repeat_n(b'a', name));
        if is_ended {
            bytes.push(0);
        }
        Reader::new(&bytes, None).map(|_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_has_a_longest() {
        assert_eq!(told(511, true), Ok(()));
        assert_eq!(told(512, true), Err("gzip: invalid header".to_owned()));
        assert_eq!(told(511, false), Err("unexpected EOF".to_owned()));
        assert_eq!(told(512, false), Err("gzip: invalid header".to_owned()));
    }
}
