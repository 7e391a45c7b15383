//! What QEMU answers on its monitor (QMP), beside the predicted command line.
//!
//! Decides which argument an answer speaks of. What was plugged in later is in no argument, and is no difference. Facts:
//! the QAPI schema of QEMU 6 to 10: query-name, query-uuid, query-version, query-cpus-fast,
//! query-memory-size-summary, query-chardev, query-iothreads, query-memdev, query-kvm.

use serde_json::Value as Json;

use super::running::{Compared, EARLIER, Verdict, is_filled, row};
use crate::answer::launch::{Arg, Cause, Launch};

/// What one answer says: of an option, and of the one with an id where there are several, the text that it has.
struct Said {
    option: &'static str,
    id: Option<String>,
    text: String,
}

/// The answers of a session; `None` where the text is none.
pub fn answers(text: &str) -> Option<Vec<Json>> {
    const MOST: usize = 1000;
    let all = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    let all: Vec<Json> = all.take(MOST).map_while(Result::ok).collect();
    let is_of_qmp = |value: &Json| value.get("return").is_some() || value.get("QMP").is_some();
    all.iter().any(is_of_qmp).then_some(all)
}

fn said(answer: &Json) -> Vec<Said> {
    let Some(body) = answer.get("return") else { return Vec::new() };
    let one = |option, text: String| vec![Said { option, id: None, text }];
    let text = |value: &Json, key: &str| value.get(key).and_then(Json::as_str).map(str::to_owned);
    if let Some(name) = text(body, "name").filter(|name| name.starts_with("sandbox-")) {
        return one("-name", name);
    }
    if let Some(uuid) = text(body, "UUID") {
        return one("-uuid", uuid);
    }
    if let Some(base) = body.get("base-memory").and_then(Json::as_u64) {
        return one("-m", format!("{}M", base >> 20));
    }
    if let Some(enabled) =
        body.get("enabled").and_then(Json::as_bool).filter(|_| body.get("present").is_some())
    {
        return one("-machine", if enabled { "accel=kvm" } else { "accel=tcg" }.to_owned());
    }
    let Some(items) = body.as_array() else { return Vec::new() };
    let mut found = Vec::new();
    let is_cpu = |item: &&Json| item.get("cpu-index").is_some();
    if items.iter().any(|item| is_cpu(&item)) {
        found.push(Said { option: "-smp", id: None, text: items.iter().filter(is_cpu).count().to_string() });
    }
    for item in items {
        if let (Some(label), Some(file)) = (text(item, "label"), text(item, "filename")) {
            let path = file.split(',').next().unwrap_or_default();
            let path = path.strip_prefix("unix:").or_else(|| path.strip_prefix("disconnected:unix:"));
            found.extend(path.map(|path| Said {
                option: "-chardev",
                id: Some(label),
                text: format!("path={path}"),
            }));
        } else if let (Some(id), Some(size)) = (text(item, "id"), item.get("size").and_then(Json::as_u64)) {
            found.push(Said { option: "-object", id: Some(id), text: format!("size={}M", size >> 20) });
        } else if let (Some(id), true) = (text(item, "id"), item.get("thread-id").is_some()) {
            found.push(Said { option: "-object", id: Some(id), text: "iothread".to_owned() });
        }
    }
    found
}

/// Holds the answers against a launch.
pub fn of_launch(launch: &Launch, answers: &[Json]) -> Vec<Compared> {
    let pairs: Vec<(&Arg, &Arg)> = launch.args.iter().zip(launch.args.iter().skip(1)).collect();
    answers.iter().flat_map(said).filter_map(|said| compared(&pairs, &said)).collect()
}

fn compared(pairs: &[(&Arg, &Arg)], said: &Said) -> Option<Compared> {
    let named = |value: &str| {
        said.id.as_ref().is_none_or(|id| {
            value.split(',').filter_map(|part| part.strip_prefix("id=")).any(|own| is_filled(own, id))
        })
    };
    let found = pairs.iter().find(|(option, value)| option.text == said.option && named(&value.text));
    let shown = match &said.id {
        Some(id) => format!("{} {}, id={id}", said.option, said.text),
        None => format!("{} {}", said.option, said.text),
    };
    let Some((_, value)) = found else {
        // Later devices have names of their own.
        let verdict = Verdict::Unknown;
        let why = Some("no predicted argument has this name: it may have been plugged in later".to_owned());
        return Some(row("QMP", verdict, None, Some(shown), Cause::default(), why));
    };
    let predicted = part_of(&value.text, said)?;
    let verdict = if same(said.option, &predicted, &said.text) {
        if predicted == said.text { Verdict::Equal } else { Verdict::Made }
    } else if said.option == "-smp" && number(&said.text) > number(&predicted) {
        let why = Some("vCPUs beyond those at the start were plugged in later".to_owned());
        return Some(row("QMP", Verdict::Unknown, Some(predicted), Some(shown), value.cause.clone(), why));
    } else {
        Verdict::Different
    };
    let why = verdict.differs().then(|| EARLIER.to_owned());
    let predicted = format!("{} {predicted}", said.option);
    Some(row("QMP", verdict, Some(predicted), Some(shown), value.cause.clone(), why))
}

/// The part of a predicted value that an answer speaks of.
fn part_of(value: &str, said: &Said) -> Option<String> {
    let name = said.text.split('=').next().unwrap_or_default();
    match said.option {
        "-m" | "-smp" | "-name" | "-uuid" => value.split(',').next().map(str::to_owned),
        "-object" if said.text == "iothread" => value.split(',').next().map(str::to_owned),
        _ => value.split(',').find(|part| part.split('=').next() == Some(name)).map(str::to_owned),
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// Sizes are one in whatever unit.
fn same(option: &str, predicted: &str, text: &str) -> bool {
    let size = |text: &str| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let unit = match text.chars().next_back() {
            Some('G') => 1 << 30,
            Some('M') => 1 << 20,
            _ => 1,
        };
        digits.parse::<u64>().ok()?.checked_mul(unit)
    };
    let is_size = option == "-m" || text.starts_with("size=");
    is_filled(predicted, text) || is_size && size(predicted).is_some() && size(predicted) == size(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_held_against_the_line() {
        let words = [
            "-name",
            "sandbox-{sandbox-id},debug-threads=on",
            "-m",
            "2048M,slots=10,maxmem=16G",
            "-smp",
            "1,maxcpus=8",
            "-chardev",
            "socket,id=charconsole0,path=/run/vc/vm/{sandbox-id}/console.sock,server=on",
            "-object",
            "memory-backend-file,id=dimm1,size=2048M,mem-path=/dev/shm,share=on",
        ];
        let arg = |text: &&str| Arg { text: (*text).to_owned(), cause: Cause::default() };
        let launch = Launch { args: words.iter().map(arg).collect(), ..Launch::default() };
        let text = r#"{"QMP": {"version": {}}} {"return": {"name": "sandbox-ab"}}
            {"return": {"base-memory": 4294967296, "plugged-memory": 0}}
            {"return": [{"cpu-index": 0, "thread-id": 7}, {"cpu-index": 1, "thread-id": 8}]}
            {"return": [{"label": "charconsole0", "filename": "unix:/run/vc/vm/ab/console.sock,server=on"}]}
            {"return": [{"id": "dimm1", "size": 2147483648}]}"#;
        let rows = of_launch(&launch, &answers(text).unwrap());
        let verdicts: Vec<Verdict> = rows.iter().map(|row| row.verdict).collect();
        let wanted = [Verdict::Made, Verdict::Different, Verdict::Unknown, Verdict::Made, Verdict::Equal];
        assert_eq!(verdicts, wanted, "{rows:#?}");
        assert!(answers("{\"ociVersion\": \"1\"}").is_none());
    }
}
