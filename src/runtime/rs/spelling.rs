//! How a release spells the keys of its configuration: which it reads, which stood there under another name
//! or as another type.
//!
//! The structs know every key that any release has. Here a file's keys are led to them, and their names back
//! to the file's. Which keys a release reads stands in the catalogue. Facts:
//! src/libs/kata-types/src/config at each tag.

use crate::catalog::config_key;
use crate::release::Release;
use crate::release::rs::Change;

/// The table of one entry of `shared_mounts`, which stands in a list.
pub const SHARED_MOUNT: &str = "runtime.shared_mounts";
const SHARED_MOUNT_FIELDS: [&str; 5] = ["name", "src_ctr", "src_path", "dst_ctr", "dst_path"];

/// What becomes of a key of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spelled {
    /// The structs call it the same.
    Same,
    /// The structs call it so.
    As(String),
    /// The release has no such key.
    PassedOver,
}

/// Ends the name of a key that the structs have and the release has not, where that is an error.
pub const NOT_YET: char = '\u{1}';

const HYPERVISOR: &str = "hypervisor.<name>";
const AGENT: &str = "agent.<name>";

const TIMEOUT: &str = "create_container_timeout";
const MILLISECONDS: &str = "create_container_timeout (ms)";

/// Keys that some releases call or type in another way than the structs do: the releases and the table, the key in
/// their files, what the structs call it, and the key of the structs that it is shown under, where its type is another.
const OTHERS: &[(Change, &str, &str, &str, &str)] = &[
    (Change::WholeVcpus, HYPERVISOR, "default_vcpus", "default_vcpus (whole)", "default_vcpus"),
    (Change::BalloonKey, HYPERVISOR, "enable_balloon_f_reporting", "reclaim_guest_freed_memory", ""),
    (Change::DebugMonitorKey, HYPERVISOR, "dbg_monitor_socket", "extra_monitor_socket", ""),
    (Change::RequestTimeoutKey, AGENT, "request_timeout_ms", MILLISECONDS, TIMEOUT),
    (Change::TimeoutInMilliseconds, AGENT, TIMEOUT, MILLISECONDS, TIMEOUT),
    (Change::StaticResourceKey, "runtime", "static_resource_mgmt", "static_sandbox_resource_mgmt", ""),
];

/// Second names that the structs themselves know: the table, the name, and what it stands for.
const ALIASES: [(&str, &str, &str); 2] = [
    (HYPERVISOR, "dbg_monitor_socket", "extra_monitor_socket"),
    ("agent.<name>.mem_agent", "mem_agent_enable", "enable"),
];

/// Whether a key of the catalogue's table is a second name.
fn is_alias(table: &str, key: &str) -> bool {
    ALIASES.iter().any(|(own, alias, _)| *own == table && *alias == key)
}

/// The other name under which a key may stand in a file.
pub fn alias(key: &str) -> Option<String> {
    let (table, name) = key.rsplit_once('.')?;
    let generic = generic(table);
    let (_, alias, _) = ALIASES.iter().find(|(own, _, key)| *own == generic && *key == name)?;
    Some(format!("{table}.{alias}"))
}

/// `hypervisor.qemu.factory` as the catalogue has it.
fn generic(table: &str) -> String {
    let mut parts: Vec<&str> = table.split('.').collect();
    if let [head, name, ..] = parts.as_mut_slice()
        && matches!(*head, "hypervisor" | "agent")
    {
        *name = "<name>";
    }
    parts.join(".")
}

/// Whether a release reads a key of the catalogue's table.
pub fn reads(table: &str, key: &str, release: Release) -> bool {
    config_key(table, key).is_some_and(|known| known.reader(release).is_some())
}

/// Whether a table is one in which an unknown key is an error.
fn is_strict(table: &str, release: Release) -> bool {
    let strict = table == "agent.<name>"
        || ["mem_agent", "factory", "rootless_user"].iter().any(|inner| table.ends_with(inner));
    strict && release.has(Change::StrictTables)
}

/// What becomes of a key of a file.
pub fn of(table: &str, key: &str, release: Release) -> Spelled {
    // The tables themselves, and what stands at the top.
    if !table.contains('.') && table != "runtime" {
        return Spelled::Same;
    }
    if table == SHARED_MOUNT {
        let read = SHARED_MOUNT_FIELDS.contains(&key) || release.has(Change::StrictTables);
        return if read { Spelled::Same } else { Spelled::PassedOver };
    }
    let table = generic(table);
    let is_it = |own: &str, file: &str, change| own == table && file == key && release.has(change);
    if let Some((.., own, _)) = OTHERS.iter().find(|(change, own, file, ..)| is_it(own, file, *change)) {
        return Spelled::As((*own).to_owned());
    }
    let is_table = inner_table(&table, key, release);
    let alias = is_alias(&table, key) && !is_former_name(&table, key, release);
    if is_table || alias || reads(&table, key, release) {
        return Spelled::Same;
    }
    match is_strict(&table, release) {
        true if is_known_to_structs(&table, key) => Spelled::As(format!("{key}{NOT_YET}")),
        true => Spelled::Same,
        false => Spelled::PassedOver,
    }
}

/// A name that only stands for the present one since a later release.
fn is_former_name(table: &str, key: &str, release: Release) -> bool {
    table == "hypervisor.<name>" && key == "dbg_monitor_socket" && !release.has(Change::StrictTables)
}

/// Whether any release reads it.
fn is_known_to_structs(table: &str, key: &str) -> bool {
    config_key(table, key).is_some() || is_alias(table, key)
}

/// Tables within tables.
fn inner_table(table: &str, key: &str, release: Release) -> bool {
    match (table, key) {
        ("agent.<name>", "mem_agent") => reads("agent.<name>.mem_agent", "enable", release),
        ("hypervisor.<name>", "factory") => reads("hypervisor.<name>.factory", "enable_template", release),
        ("hypervisor.<name>", "rootless_user") => reads("hypervisor.<name>.rootless_user", "uid", release),
        _ => false,
    }
}

/// What a release calls a key of the structs (`hypervisor.qemu.extra_monitor_socket`); `None`: it has none.
pub fn in_file(key: &str, release: Release) -> Option<String> {
    let (table, name) = key.rsplit_once('.')?;
    let generic = generic(table);
    let is_it = |(change, table, _, own, shown): &&(Change, &str, &str, &str, &str)| {
        let shown = if shown.is_empty() { own } else { shown };
        *table == generic && *shown == name && release.has(*change)
    };
    match OTHERS.iter().find(is_it) {
        Some((_, _, file, ..)) => Some(format!("{table}.{file}")),
        // What no release reads from a file is what an annotation alone sets.
        None => {
            (reads(&generic, name, release) || config_key(&generic, name).is_none()).then(|| key.to_owned())
        }
    }
}

/// The message of a strict table's unknown key, without the keys that came later.
pub fn without_later_keys(message: &str, release: Release) -> String {
    let message: String = message.chars().filter(|c| *c != NOT_YET).collect();
    let Some((before, rest)) = message.split_once(", expected one of ") else { return message };
    let end = rest.rfind('`').map_or(rest.len(), |_| list_end(rest));
    let (list, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let table = after
        .split_once('`')
        .and_then(|(_, rest)| rest.split_once('`'))
        .map_or_else(String::new, |(table, _)| generic(table));
    let known = |name: &&str| {
        let bare = name.trim_matches('`');
        table == SHARED_MOUNT
            || is_alias(&table, bare)
            || inner_table(&table, bare, release)
            || reads(&table, bare, release)
    };
    let names: Vec<&str> = list.split(", ").filter(known).collect();
    format!("{before}, expected one of {}{after}", names.join(", "))
}

/// Where a list of quoted names ends.
fn list_end(text: &str) -> usize {
    let mut at = 0;
    for name in text.split(", ") {
        let quoted = name.strip_prefix('`').and_then(|rest| rest.find('`'));
        match quoted {
            Some(end) if end + 2 == name.len() => at += name.len() + 2,
            Some(end) => return at + end + 2,
            None => return at.saturating_sub(2),
        }
    }
    text.len()
}
