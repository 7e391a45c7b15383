//! Command line flags as Go reads them: what Dragonball's built-in file sharing takes its options from.
//!
//! Facts: the crate go-flag 0.1.0, which runtime-rs 4.1.0 uses.

/// What a flag's value is.
#[derive(Debug)]
pub(super) enum Slot<'a> {
    Bool(&'a mut bool),
    Number(&'a mut u16),
    Text(&'a mut String),
}

/// One word of the command line.
enum Word<'a> {
    Argument,
    End,
    Bad,
    Flag { name: &'a str, value: Option<&'a str> },
}

fn word(text: &str) -> Word<'_> {
    let Some(rest) = text.strip_prefix('-').filter(|rest| !rest.is_empty()) else { return Word::Argument };
    let name = match rest.strip_prefix('-') {
        Some("") => return Word::End,
        Some(name) => name,
        None => rest,
    };
    if name.starts_with(['-', '=']) {
        return Word::Bad;
    }
    match name.split_once('=') {
        Some((name, value)) => Word::Flag { name, value: Some(value) },
        None => Word::Flag { name, value: None },
    }
}

/// Go's integer literals; the runtime's own reader, with its underscores.
fn number(text: &str) -> Option<u16> {
    if text.starts_with(['-', '+']) {
        return None;
    }
    if text == "0" {
        return Some(0);
    }
    let (mut digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', b'o' | b'O', ..] => (text.get(2..)?, 8),
        [b'0', b'b' | b'B', ..] => (text.get(2..)?, 2),
        [b'0', ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    if radix != 10 && digits.starts_with(['-', '+']) {
        return None;
    }
    if !text.contains('_') {
        return u16::from_str_radix(digits, radix).ok();
    }
    if radix != 10 {
        digits = digits.strip_prefix('_').unwrap_or(digits);
    }
    if digits.split('_').any(str::is_empty) {
        return None;
    }
    u16::from_str_radix(&digits.replace('_', ""), radix).ok()
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "1" | "t" | "T" | "TRUE" | "True" => Some(true),
        "false" | "0" | "f" | "F" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Reads `args` up to the first that is no flag. The error is the runtime's chain, outermost first.
pub(super) fn parse(args: &[String], flags: &mut [(&str, Slot<'_>)]) -> Result<(), String> {
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let (name, value) = match word(arg) {
            Word::Argument | Word::End => return Ok(()),
            Word::Bad => return Err(format!("bad flag syntax: {arg}")),
            Word::Flag { name, value } => (name, value),
        };
        let Some((_, slot)) = flags.iter_mut().find(|(known, _)| *known == name) else {
            return Err(format!("flag provided but not defined: -{name}"));
        };
        if let Slot::Bool(truth_of) = slot {
            **truth_of = match value {
                None => true,
                Some(value) => truth(value).ok_or("parse error: invalid bool")?,
            };
            continue;
        }
        let value = match value.or_else(|| rest.next().map(String::as_str)) {
            Some(value) => value,
            None => return Err(format!("flag needs an argument: -{name}")),
        };
        match slot {
            Slot::Number(set) => **set = number(value).ok_or("parse error: invalid integer")?,
            Slot::Text(set) => value.clone_into(set),
            Slot::Bool(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<(bool, u16, String), String> {
        let (mut on, mut size, mut list) = (false, 1, String::new());
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let mut flags =
            [("d", Slot::Bool(&mut on)), ("size", Slot::Number(&mut size)), ("o", Slot::Text(&mut list))];
        parse(&args, &mut flags)?;
        Ok((on, size, list))
    }

    #[test]
    fn flags_take_their_value_with_or_after_them() {
        assert_eq!(read(&["--size=0x10", "-o", "a,b", "-d"]), Ok((true, 16, "a,b".into())));
        assert_eq!(read(&["--d=f", "x", "--nope"]), Ok((false, 1, String::new())));
        assert_eq!(read(&["-size", "1_0"]), Ok((false, 10, String::new())));
    }

    #[test]
    fn errors_are_in_the_runtimes_words() {
        assert_eq!(read(&["--x"]), Err("flag provided but not defined: -x".into()));
        assert_eq!(read(&["--=x"]), Err("bad flag syntax: --=x".into()));
        assert_eq!(read(&["-o"]), Err("flag needs an argument: -o".into()));
        assert_eq!(read(&["-size", "65536"]), Err("parse error: invalid integer".into()));
        assert_eq!(read(&["-d=maybe"]), Err("parse error: invalid bool".into()));
    }
}
