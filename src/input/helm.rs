//! Values of the kata-deploy chart: what they say of one shim.
//!
//! Decides which keys the chart reads, and names those that it does not: the chart itself says nothing of a slip.
//! Facts: tools/packaging/kata-deploy/helm-chart/kata-deploy (values.yaml, templates/_helpers.tpl) and the shims of
//! tools/packaging/kata-deploy/binary/src/artifacts/install.rs at 4.1.0.

use serde_json::{Map, Value as Json};

use super::source::Source;

/// Why the values say nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HelmError {
    /// They are not YAML.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// What the reader says.
        reason: String,
    },
    /// They are no values of this chart.
    #[error("{0}: no values of the kata-deploy chart: there is no shims in it")]
    NoShims(String),
    /// The shim is none of the chart's.
    #[error("--shim {name}: the chart has no such shim{near}; it has {all}")]
    NoShim {
        /// What was said.
        name: String,
        /// What was meant, perhaps.
        near: String,
        /// All of them.
        all: String,
    },
}

/// What the values say of one shim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shim {
    /// Its name.
    pub name: String,
    /// The table of its configuration.
    pub hypervisor: String,
    /// Whether it is installed at all.
    pub enabled: bool,
    /// Entries that the chart adds to `enable_annotations`, as they arrive.
    pub names: Vec<String>,
    /// The drop-in, as it is written.
    pub drop_in: Option<String>,
    /// What goes behind `kernel_params`.
    pub kernel_params: Vec<String>,
    /// Whether images are pulled in the guest.
    pub force_guest_pull: bool,
    /// What the chart does not do as it seems to be meant.
    pub remarks: Vec<String>,
}

/// The shims of the chart that are no QEMU's, with their tables.
const OTHERS: [(&str, &str); 9] = [
    ("clh", "clh"),
    ("clh-azure", "clh"),
    ("clh-azure-runtime-rs", "clh"),
    ("clh-runtime-rs", "clh"),
    ("dragonball", "dragonball"),
    ("fc", "firecracker"),
    ("firecracker", "firecracker"),
    ("openvmm-azure-runtime-rs", "openvmm"),
    ("remote", "remote"),
];

/// Those of QEMU.
const QEMU: [&str; 9] = [
    "qemu",
    "qemu-coco-dev",
    "qemu-nvidia-cpu",
    "qemu-nvidia-gpu",
    "qemu-nvidia-gpu-snp",
    "qemu-nvidia-gpu-tdx",
    "qemu-se",
    "qemu-snp",
    "qemu-tdx",
];

/// The keys of a shim, and of the maps in it.
const KEYS: [(&str, &[&str]); 5] = [
    (
        "",
        &[
            "enabled",
            "dropIn",
            "supportedArches",
            "allowedHypervisorAnnotations",
            "containerd",
            "crio",
            "agent",
            "runtimeClass",
        ],
    ),
    ("containerd", &["snapshotter", "forceGuestPull"]),
    ("crio", &["guestPull"]),
    ("agent", &["httpsProxy", "noProxy"]),
    ("runtimeClass", &["nodeSelector", "overheadEnabled", "overhead"]),
];

fn shims() -> Vec<String> {
    let qemu = QEMU.iter().flat_map(|name| [(*name).to_owned(), format!("{name}-runtime-rs")]);
    OTHERS.iter().map(|(name, _)| (*name).to_owned()).chain(qemu).collect()
}

/// The table that a shim's configuration is about; `None`: the chart has no such shim.
pub fn hypervisor(shim: &str) -> Option<&'static str> {
    if let Some((_, table)) = OTHERS.iter().find(|(name, _)| *name == shim) {
        return Some(table);
    }
    let short = shim.strip_suffix("-runtime-rs").unwrap_or(shim);
    QEMU.contains(&short).then_some("qemu")
}

/// The name that was meant, by the fewest slips.
fn near(word: &str, names: impl Iterator<Item = impl AsRef<str>>) -> String {
    let slips = |name: &str| strsim::osa_distance(word, name);
    let found = names.map(|name| (slips(name.as_ref()), name.as_ref().to_owned())).min();
    found
        .filter(|(slips, _)| *slips <= 1 + word.len() / 5)
        .map_or(String::new(), |(_, name)| format!(" (did you mean {name}?)"))
}

/// What the values say of a shim.
pub fn read(values: &Source, shim: &str) -> Result<Shim, HelmError> {
    let path = values.path.to_string();
    let document: Json = serde_yaml::from_str(&values.text)
        .map_err(|error| HelmError::Malformed { path: path.clone(), reason: error.to_string() })?;
    let Some(hypervisor) = hypervisor(shim) else {
        let all = shims();
        let near = near(shim, all.iter());
        return Err(HelmError::NoShim { name: shim.to_owned(), near, all: all.join(", ") });
    };
    let table = document.get("shims").or_else(|| wrapped(&document)).and_then(Json::as_object);
    let shims_said = table.ok_or(HelmError::NoShims(path))?;
    let mut found = Shim { name: shim.to_owned(), hypervisor: hypervisor.to_owned(), ..Shim::default() };
    for (name, said) in shims_said.iter().filter(|(name, _)| *name != "disableAll") {
        if self::hypervisor(name).is_none() {
            let near = near(name, shims().iter());
            found.remarks.push(format!("shims.{name}: the chart has no such shim and passes it over{near}"));
        } else if let Some(said) = said.as_object() {
            slips(name, said, &mut found.remarks);
        }
    }
    let none = Map::new();
    let own = shims_said.get(shim).and_then(Json::as_object).unwrap_or(&none);
    let all_off = shims_said.get("disableAll").and_then(Json::as_bool).unwrap_or(false);
    found.enabled = own.get("enabled").and_then(Json::as_bool).unwrap_or(!all_off);
    if !found.enabled {
        found.remarks.push(format!("shims.{shim} is disabled: nothing of it is installed"));
    }
    let text = |of: &str, key: &str| own.get(of).and_then(|map| map.get(key)).and_then(Json::as_str);
    found.drop_in =
        own.get("dropIn").and_then(Json::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    for (key, parameter) in [("httpsProxy", "agent.https_proxy"), ("noProxy", "agent.no_proxy")] {
        if let Some(value) = text("agent", key).filter(|value| !value.is_empty()) {
            found.kernel_params.push(format!("{parameter}={value}"));
        }
    }
    let pulls = own.get("containerd").and_then(|map| map.get("forceGuestPull"));
    found.force_guest_pull = pulls.and_then(Json::as_bool).unwrap_or(false);
    for entry in own.get("allowedHypervisorAnnotations").and_then(Json::as_array).into_iter().flatten() {
        let Some(entry) = entry.as_str() else {
            found.remarks.push(format!("shims.{shim}.allowedHypervisorAnnotations: {entry} is no text"));
            continue;
        };
        add_names(&mut found, entry);
    }
    Ok(found)
}

/// The chart joins entries with commas and shims with blanks, and what it joined is split there again.
fn add_names(shim: &mut Shim, entry: &str) {
    let mut words = entry.split_whitespace();
    let kept = words.next().unwrap_or_default();
    if entry.contains([',', ' ', '\t', '\n']) {
        shim.remarks.push(format!(
            "shims.{}.allowedHypervisorAnnotations: {entry:?} is split at its blanks and commas; write it in dropIn, \
             with the whole list",
            shim.name
        ));
    }
    // What stands behind a blank begins an entry for all shims, or for that before its colon.
    let parts = kept.split(',').map(str::to_owned);
    shim.names.extend(parts);
    for word in words {
        match word.split_once(':') {
            None => shim.names.push(word.to_owned()),
            Some((name, rest)) if name == shim.name => shim.names.extend(rest.split(',').map(str::to_owned)),
            Some(_) => {}
        }
    }
}

/// The chart as a part of another's values.
fn wrapped(document: &Json) -> Option<&Json> {
    document.as_object()?.values().find_map(|value| value.get("shims").filter(|shims| shims.is_object()))
}

fn slips(shim: &str, said: &Map<String, Json>, remarks: &mut Vec<String>) {
    let mut look = |path: &str, keys: &[&str], said: &Map<String, Json>| {
        for key in said.keys().filter(|key| !keys.contains(&key.as_str())) {
            let near = near(key, keys.iter());
            remarks.push(format!("{path}.{key}: the chart reads no such key{near}"));
        }
    };
    for (table, keys) in KEYS {
        if table.is_empty() {
            look(&format!("shims.{shim}"), keys, said);
        } else if let Some(said) = said.get(table).and_then(Json::as_object) {
            look(&format!("shims.{shim}.{table}"), keys, said);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shim(text: &str, name: &str) -> Result<Shim, HelmError> {
        read(&Source::new("values.yaml", text), name)
    }

    #[test]
    fn what_the_chart_reads() {
        let text = "\
shims:
  disableAll: true
  qemu:
    enabled: true
    allowedHypervisorAnnotations: [default_memory, '^path$']
    agent: { httpsProxy: 'http://p:1', noProxy: a }
    dropIn: |
      [runtime]
      enable_debug = true
  fc: {}
";
        let qemu = shim(text, "qemu").unwrap();
        assert_eq!(qemu.names, ["default_memory", "^path$"]);
        assert_eq!(qemu.kernel_params, ["agent.https_proxy=http://p:1", "agent.no_proxy=a"]);
        assert_eq!(qemu.drop_in.as_deref(), Some("[runtime]\nenable_debug = true\n"));
        assert!(qemu.enabled && qemu.remarks.is_empty(), "{qemu:?}");
        let fc = shim(text, "fc").unwrap();
        assert_eq!((fc.hypervisor.as_str(), fc.enabled), ("firecracker", false));
        let nested =
            format!("kata-as-coco-runtime:\n{}", text.replace('\n', "\n  ").replacen("shims", "  shims", 1));
        assert_eq!(shim(&nested, "qemu").unwrap().names.len(), 2);
    }

    #[test]
    fn slips_are_named() {
        let text = "\
shims:
  qemu:
    allowedHypervisorAnotations: [a]
    agent: { httpProxy: x }
  qemu-tdxx: {}
";
        let remarks = shim(text, "qemu").unwrap().remarks;
        assert_eq!(
            remarks,
            [
                "shims.qemu.allowedHypervisorAnotations: the chart reads no such key (did you mean \
                 allowedHypervisorAnnotations?)",
                "shims.qemu.agent.httpProxy: the chart reads no such key (did you mean httpsProxy?)",
                "shims.qemu-tdxx: the chart has no such shim and passes it over (did you mean qemu-tdx?)",
            ]
        );
        assert!(shim(text, "qemoo").unwrap_err().to_string().contains("did you mean qemu?"));
        assert!(matches!(shim("a: b\n", "qemu"), Err(HelmError::NoShims(_))));
        assert!(matches!(shim("a: [\n", "qemu"), Err(HelmError::Malformed { .. })));
    }

    #[test]
    fn what_cannot_be_joined_falls_apart() {
        let text = "shims:\n  qemu:\n    allowedHypervisorAnnotations: ['a{1,2}', 'b fc:c qemu:d,e']\n";
        let qemu = shim(text, "qemu").unwrap();
        assert_eq!(qemu.names, ["a{1", "2}", "b", "d", "e"]);
        assert_eq!(qemu.remarks.len(), 2);
    }
}
