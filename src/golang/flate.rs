//! DEFLATE as Go reads it: the same streams accepted, and faults found at the same byte.
//!
//! Facts: RFC 1951, and how compress/flate of Go takes its bytes: one at a time, no sooner than needed.

/// Why a stream ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The input is at its end.
    Short,
    /// The input is no such stream; how many bytes were taken.
    Corrupt(usize),
    /// More comes out than anybody wants.
    TooLong,
}

impl Fault {
    /// Go's words for a corrupt stream.
    pub fn corrupt(offset: usize) -> String {
        format!("flate: corrupt input before offset {offset}")
    }
}

/// Adds what the stream at the start of `input` holds to `out`; gives how many bytes the stream took.
pub fn inflate(input: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<usize, Fault> {
    let mut reader = Reader { input, taken: 0, bits: 0, count: 0, first: out.len(), limit };
    while !reader.block(out)? {}
    Ok(reader.taken)
}

const END_OF_BLOCK: usize = 256;
const LENGTH_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A prefix code: for every pattern of its longest length, the symbol and the length of its own code.
struct Codes {
    table: Vec<(u16, u8)>,
    /// How many bits are read before the first look.
    least: u32,
}

impl Codes {
    /// `None` where the lengths make no complete code. No lengths at all make a code that fails when used.
    fn new(lengths: &[u8]) -> Option<Self> {
        let longest = u32::from(lengths.iter().copied().max().unwrap_or(0));
        if longest == 0 {
            return Some(Self { table: vec![(0, 0)], least: 0 });
        }
        let mut counts = [0u32; 16];
        for length in lengths.iter().filter(|l| **l > 0) {
            *counts.get_mut(usize::from(*length))? += 1;
        }
        let mut next = [0u32; 16];
        let mut code = 0;
        for (slot, count) in next.iter_mut().zip(counts).skip(1).take(longest as usize) {
            code <<= 1;
            *slot = code;
            code += count;
        }
        if code != 1 << longest && !(code == 1 && longest == 1) {
            return None;
        }
        let mut table = vec![(0, 0); 1 << longest];
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, l)| **l > 0) {
            let slot = next.get_mut(usize::from(*length))?;
            let reversed = slot.reverse_bits() >> (32 - u32::from(*length));
            *slot += 1;
            let entry = (u16::try_from(symbol).ok()?, *length);
            table.iter_mut().skip(reversed as usize).step_by(1 << length).for_each(|e| *e = entry);
        }
        let least = lengths.iter().copied().filter(|l| *l > 0).min().unwrap_or(0);
        Some(Self { table, least: u32::from(least) })
    }

    fn fixed() -> Option<Self> {
        let lengths: Vec<u8> = (0..288)
            .map(|symbol| match symbol {
                0..144 => 8,
                144..256 => 9,
                256..280 => 7,
                _ => 8,
            })
            .collect();
        Self::new(&lengths)
    }
}

struct Reader<'a> {
    input: &'a [u8],
    taken: usize,
    bits: u32,
    count: u32,
    /// Where this stream's own output starts.
    first: usize,
    limit: usize,
}

impl Reader<'_> {
    fn corrupt<T>(&self) -> Result<T, Fault> {
        Err(Fault::Corrupt(self.taken))
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = self.input.get(self.taken).copied().ok_or(Fault::Short)?;
        self.taken += 1;
        Ok(byte)
    }

    fn need(&mut self, count: u32) -> Result<(), Fault> {
        while self.count < count {
            self.bits |= u32::from(self.byte()?) << self.count;
            self.count += 8;
        }
        Ok(())
    }

    /// Bits that are there already.
    fn take(&mut self, count: u32) -> usize {
        let value = self.bits & ((1 << count) - 1);
        self.bits >>= count;
        self.count -= count;
        value as usize
    }

    fn number(&mut self, count: u32) -> Result<usize, Fault> {
        self.need(count)?;
        Ok(self.take(count))
    }

    fn symbol(&mut self, codes: &Codes) -> Result<usize, Fault> {
        let mut wanted = codes.least;
        loop {
            self.need(wanted)?;
            let mask = codes.table.len() - 1;
            let (symbol, length) = codes.table.get(self.bits as usize & mask).copied().unwrap_or_default();
            if length == 0 {
                return self.corrupt();
            }
            wanted = u32::from(length);
            if wanted <= self.count {
                self.take(wanted);
                return Ok(usize::from(symbol));
            }
        }
    }

    /// One block; `true` after the last one.
    fn block(&mut self, out: &mut Vec<u8>) -> Result<bool, Fault> {
        self.need(3)?;
        let last = self.take(1) == 1;
        match self.take(2) {
            0 => self.stored(out)?,
            1 => match Codes::fixed() {
                Some(codes) => self.packed(&codes, None, out)?,
                None => return self.corrupt(),
            },
            2 => {
                let (literals, distances) = self.codes()?;
                self.packed(&literals, Some(&distances), out)?;
            }
            _ => return self.corrupt(),
        }
        Ok(last)
    }

    fn stored(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        (self.bits, self.count) = (0, 0);
        let mut head = [0; 4];
        for slot in &mut head {
            *slot = self.byte()?;
        }
        let [a, b, c, d] = head;
        let length = u16::from_le_bytes([a, b]);
        if u16::from_le_bytes([c, d]) != !length {
            return self.corrupt();
        }
        let bytes = self.input.get(self.taken..self.taken + usize::from(length)).ok_or(Fault::Short)?;
        out.extend_from_slice(bytes);
        self.taken += bytes.len();
        Ok(())
    }

    /// The codes of a dynamic block.
    fn codes(&mut self) -> Result<(Codes, Codes), Fault> {
        self.need(14)?;
        let literals = self.take(5) + 257;
        if literals > 286 {
            return self.corrupt();
        }
        let distances = self.take(5) + 1;
        if distances > 30 {
            return self.corrupt();
        }
        let order = self.take(4) + 4;
        let mut lengths = [0u8; 19];
        for symbol in LENGTH_ORDER.iter().take(order) {
            let length = self.number(3)? as u8;
            if let Some(slot) = lengths.get_mut(*symbol) {
                *slot = length;
            }
        }
        let Some(codes) = Codes::new(&lengths) else { return self.corrupt() };
        let total = literals + distances;
        let mut lengths: Vec<u8> = Vec::with_capacity(total);
        while lengths.len() < total {
            let (length, base, extra) = match self.symbol(&codes)? {
                16 => match lengths.last().copied() {
                    Some(last) => (last, 3, 2),
                    None => return self.corrupt(),
                },
                17 => (0, 3, 3),
                18 => (0, 11, 7),
                length => {
                    lengths.push(length as u8);
                    continue;
                }
            };
            let repeat = base + self.number(extra)?;
            if lengths.len() + repeat > total {
                return self.corrupt();
            }
            lengths.resize(lengths.len() + repeat, length);
        }
        let (first, second) = lengths.split_at(literals);
        let (Some(mut codes), Some(distances)) = (Codes::new(first), Codes::new(second)) else {
            return self.corrupt();
        };
        // Every block has to end, so as many bits as its end takes are there in any case.
        codes.least = codes.least.max(u32::from(first.get(END_OF_BLOCK).copied().unwrap_or(0)));
        Ok((codes, distances))
    }

    fn packed(
        &mut self,
        literals: &Codes,
        distances: Option<&Codes>,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        loop {
            let symbol = self.symbol(literals)?;
            let (base, extra) = match symbol {
                0..256 => {
                    out.push(symbol as u8);
                    continue;
                }
                END_OF_BLOCK => return Ok(()),
                257..265 => (symbol - 254, 0),
                265..285 => {
                    let (group, step) = ((symbol - 261) / 4, (symbol - 261) % 4);
                    (((4 + step) << group) + 3, group as u32)
                }
                285 => (258, 0),
                _ => return self.corrupt(),
            };
            let length = base + self.number(extra)?;
            let symbol = match distances {
                Some(codes) => self.symbol(codes)?,
                None => (self.number(5)? as u8).reverse_bits() as usize >> 3,
            };
            let distance = match symbol {
                0..4 => symbol + 1,
                4..30 => {
                    let extra = (symbol as u32 - 2) / 2;
                    let low = self.number(extra)?;
                    ((2 + (symbol & 1)) << extra) + 1 + low
                }
                _ => return self.corrupt(),
            };
            let Some(start) = out.len().checked_sub(distance).filter(|s| *s >= self.first) else {
                return self.corrupt();
            };
            if out.len() > self.limit {
                return Err(Fault::TooLong);
            }
            for at in start..start + length {
                let byte = out.get(at).copied().unwrap_or_default();
                out.push(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::DeflateEncoder;

    use super::*;

    #[test]
    fn what_was_packed_comes_out() {
        let texts = [
            "".to_owned(),
            "abc".to_owned(),
            "hello ".repeat(9000),
            ('a'..='z').cycle().take(70_000).collect(),
        ];
        for text in texts {
            for level in [0, 1, 9] {
                let mut packed = DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
                packed.write_all(text.as_bytes()).unwrap();
                let mut packed = packed.finish().unwrap();
                let length = packed.len();
                packed.extend(b"rest");
                let mut out = Vec::new();
                assert_eq!(inflate(&packed, &mut out, 1 << 20), Ok(length));
                assert_eq!(out, text.as_bytes());
            }
        }
    }

    #[test]
    fn faults_say_how_far_it_got() {
        let mut out = Vec::new();
        assert_eq!(inflate(&[7], &mut out, 10), Err(Fault::Corrupt(1)));
        assert_eq!(inflate(&[3], &mut out, 10), Err(Fault::Short));
        assert_eq!(inflate(&[1, 1, 0, 0, 0], &mut out, 10), Err(Fault::Corrupt(5)));
        // A distance that reaches before the start.
        assert_eq!(inflate(&[0x03, 0x33, 0, 0], &mut out, 10), Err(Fault::Corrupt(3)));
    }
}
