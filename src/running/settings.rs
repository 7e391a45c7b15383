//! What was configured, as far as the lines of a VM tell, held against what the releases ship.

use super::program::hidden;
use super::releases;
use super::{Argument, Missing, Process, Program};
use crate::catalog::{self, lines};
use crate::release::Runtime;

/// A key that the lines tell of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The whole key: `hypervisor.qemu.default_memory`.
    pub key: String,
    /// Its value, where the lines tell it.
    pub value: Option<String>,
    /// The annotation that would set it, too.
    pub annotation: Option<&'static str>,
    /// How it stands to what is shipped.
    pub state: State,
    /// More about it.
    pub remark: Option<&'static str>,
}

/// How a value stands to the shipped configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The same.
    Shipped,
    /// Another, so that somebody edited the file, or a pod's annotation set it; what is shipped.
    Edited(String),
    /// The shipped file leaves it to the host, or nobody knows what it says.
    Open,
}

impl State {
    /// The word of reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Edited(_) => "edited",
            Self::Open => "open",
        }
    }
}

/// What is not by itself in a row: keys that several arguments tell together.
struct Gathered {
    found: Vec<(String, Option<String>, Option<&'static str>)>,
}

impl Gathered {
    fn add(&mut self, key: &str, value: Option<String>, remark: Option<&'static str>) {
        match self.found.iter_mut().find(|(own, _, _)| own == key) {
            Some((_, own, _)) if own.is_none() => *own = value,
            Some(_) => {}
            None => self.found.push((key.to_owned(), value, remark)),
        }
    }
}

/// The settings that processes of one VM tell.
pub fn gather(processes: &[&Process], runtime: Option<Runtime>, tags: &[(usize, usize)]) -> Vec<Setting> {
    let table = processes.iter().find_map(|process| process.program.table());
    let mut gathered = Gathered { found: Vec::new() };
    for process in processes {
        if process.program == Program::Qemu {
            qemu(&process.arguments, process.missing, &mut gathered);
            if runtime == Some(Runtime::Rs) {
                qemu_of_rs(&process.arguments, &mut gathered);
            }
        }
        if process.program == Program::Virtiofsd {
            virtiofsd(&process.arguments, &mut gathered);
        }
        for argument in &process.arguments {
            let parts = argument.parts.iter().map(|part| part.sets.as_ref());
            for sets in std::iter::once(argument.sets.as_ref()).chain(parts).flatten() {
                let odd = [" or ", "annotation "].iter().any(|word| sets.key.contains(word));
                // In runtime-rs another key decides it.
                let odd = odd || (runtime == Some(Runtime::Rs) && sets.key == "disable_image_nvdimm");
                if !odd
                    && !matches!(sets.key.as_str(), "kernel_params" | "virtio_fs_extra_args" | "cpu_features")
                {
                    gathered.add(&sets.key, sets.value.clone(), None);
                }
            }
        }
    }
    for process in processes {
        let key = match process.program {
            Program::Virtiofsd => "virtio_fs_daemon",
            program if program.is_vmm() && program != Program::Jailer => "path",
            _ => continue,
        };
        if let Some(path) = process.path.as_deref().filter(|path| path.starts_with('/')) {
            let remark = (!is_installed(path)).then_some("no release installs this");
            gathered.add(key, Some(path.to_owned()), remark);
        }
    }
    let known = runtime.map(|runtime| (runtime, tags));
    let machine = processes.iter().flat_map(|p| &p.arguments).find(|a| a.option == "-machine");
    // What is shipped is known for x86_64.
    let foreign = machine.is_some_and(|m| !m.kind().starts_with("pc") && m.kind() != "q35");
    let of = |(key, value, remark): (String, Option<String>, Option<&'static str>)| {
        let own = foreign && matches!(key.as_str(), "machine_type" | "cpu_features");
        let state = if own { State::Open } else { state(&key, value.as_deref(), known) };
        let base = key.rsplit('.').next().unwrap_or(&key);
        let prefix = if key.starts_with("agent.") { "agent" } else { "hypervisor" };
        let annotation =
            catalog::annotation(&format!("io.katacontainers.config.{prefix}.{base}")).map(|a| a.key);
        let base = base.to_owned();
        let base = base.as_str();
        let key = match table {
            Some(table) if !key.contains('.') => format!("hypervisor.{table}.{key}"),
            _ => key,
        };
        let sized = matches!(base, "default_memory" | "default_vcpus") && matches!(state, State::Edited(_));
        let remark = remark.or(sized.then_some("or static_sandbox_resource_mgmt, from 2.4 on"));
        Setting { key, value, annotation, state, remark }
    };
    let told = |setting: &Setting| {
        setting.state != State::Open || setting.value.as_deref().is_some_and(|v| !v.is_empty())
    };
    gathered.found.into_iter().map(of).filter(told).collect()
}

/// Whether kata-deploy or a distribution puts the program there.
fn is_installed(path: &str) -> bool {
    const KNOWN: [&str; 12] = [
        "/usr/bin/qemu-*system-*",
        "/usr/libexec/qemu-kvm",
        "/opt/kata/bin/qemu-*system-*",
        "/opt/kata/bin/virtiofsd",
        "/opt/kata/libexec/*virtiofsd",
        "/usr/libexec/*virtiofsd",
        "/usr/lib*/qemu/virtiofsd",
        "/usr/bin/virtiofsd*",
        "/*/bin/cloud-hypervisor*",
        "/*/bin/firecracker",
        "/*/bin/stratovirt",
        "/usr/bin/acrn-dm",
    ];
    KNOWN.iter().any(|pattern| lines::like(pattern, path))
}

fn state(key: &str, value: Option<&str>, known: Option<(Runtime, &[(usize, usize)])>) -> State {
    let (Some(value), Some((runtime, tags))) = (value, known) else { return State::Open };
    if value.starts_with("at least ") {
        return State::Open;
    }
    let shipped: Vec<&str> = lines::shipped(key, runtime)
        .filter(|(_, spans)| releases::meets(tags, spans))
        .map(|(value, _)| value)
        .collect();
    match shipped.as_slice() {
        [] => State::Open,
        [only] if *only == value => State::Shipped,
        several if several.contains(&value) => State::Open,
        [one, ..] => State::Edited((*one).to_owned()),
    }
}

fn qemu(arguments: &[Argument], missing: Missing, gathered: &mut Gathered) {
    let of = |option: &str| arguments.iter().find(|argument| argument.option == option);
    let device = |kind: &str| arguments.iter().any(|a| a.option == "-device" && lines::like(kind, a.kind()));
    // Where a later argument is there, what belongs before it would be, too.
    let complete = |option: &str| !missing.middle && !missing.front && of(option).is_some();
    let extra: Vec<&str> = arguments
        .iter()
        .filter(|argument| argument.option == "-append")
        .flat_map(|argument| &argument.parts)
        .filter(|part| part.sets.as_ref().is_some_and(|sets| sets.key == "kernel_params"))
        .map(|part| part.text.as_str())
        .collect();
    let whole = of("-append").is_some_and(|a| a.value.as_deref().is_some_and(|value| !hidden(value)));
    if !extra.is_empty() || (whole && (complete("-pidfile") || complete("-smp"))) {
        gathered.add("kernel_params", Some(extra.join(" ")), None);
    }
    if let Some(cpu) = of("-cpu").and_then(|argument| argument.value.as_deref()) {
        let features = cpu.split_once(',').map_or("", |(_, features)| features);
        gathered.add("cpu_features", Some(features.to_owned()), None);
    }
    let ports = arguments.iter().filter(|a| a.option == "-device" && a.kind() == "pcie-root-port");
    let ports = ports.filter(|a| {
        a.part("id").is_some_and(|id| id.text.starts_with("id=rp") && !id.text.contains("bridge"))
    });
    let ports = ports.count();
    if ports > 0 {
        let all = of("-rtc").is_some();
        let value = Some(if all { ports.to_string() } else { format!("at least {ports}") });
        gathered.add("pcie_root_port", value, Some("hot_plug_vfio or cold_plug_vfio is not no-port"));
    }
    let bridges =
        arguments.iter().filter(|a| a.option == "-device" && a.kind().ends_with("pci-bridge")).count();
    if bridges > 0 && (!missing.any() || device("vhost-vsock-*") || of("-rtc").is_some()) && !missing.middle {
        // The last of them is numbered, where the first may be cut off.
        let second = arguments.iter().any(|a| a.part("id").is_some_and(|id| id.text == "id=pci-bridge-1"));
        gathered.add("default_bridges", Some(bridges.max(1 + usize::from(second)).to_string()), None);
    }
    // runtime-rs prints its memory size with its own rules, and all devices before -vga.
    let devices = complete("-global")
        || (of("-uuid").is_some() && complete("-rtc"))
        || (complete("-vga") && !missing.any());
    // In runtime-rs the controller stands between the bridges and the vsock.
    let between = !missing.middle && of("-uuid").is_none() && device("pci-bridge") && device("vhost-vsock-*");
    if (devices || between) && !device("virtio-scsi-*") {
        gathered.add(
            "block_device_driver",
            Some("not virtio-scsi".to_owned()),
            Some("no SCSI controller on the line"),
        );
    }
    if devices && !device("vhost-user-fs-*") && !device("virtio-9p-*") {
        gathered.add("shared_fs", Some("none".to_owned()), Some("no shared file system on the line"));
    }
    if device("vhost-user-fs-*") {
        let window = arguments.iter().any(|a| a.option == "-device" && a.part("cache-size").is_some());
        if !window {
            gathered.add("virtio_fs_cache_size", Some("0".to_owned()), Some("no DAX window"));
        }
        let queue = arguments.iter().any(|a| a.option == "-device" && a.part("queue-size").is_some());
        if !queue && of("-uuid").is_none() && !missing.middle {
            gathered.add(
                "virtio_fs_queue_size",
                Some("0".to_owned()),
                Some("not printed when it is 0 or missing"),
            );
        }
    }
}

/// What only lines of runtime-rs tell.
fn qemu_of_rs(arguments: &[Argument], gathered: &mut Gathered) {
    let device = |kind: &str| arguments.iter().any(|a| a.option == "-device" && lines::like(kind, a.kind()));
    let part = |option: &str, text: &str| {
        arguments.iter().any(|a| a.option == option && a.parts.iter().any(|part| part.text == text))
    };
    let driver = if device("nvdimm") || part("-append", "root=/dev/pmem0p1") {
        Some("virtio-pmem")
    } else if device("virtio-blk-pci") {
        Some("virtio-blk-pci")
    } else if device("virtio-blk-ccw") {
        Some("virtio-blk-ccw")
    } else {
        None
    };
    if let Some(driver) = driver {
        gathered.add("vm_rootfs_driver", Some(driver.to_owned()), None);
    }
    if part("-object", "id=entire-guest-memory-share") && !device("vhost-user-fs-*") {
        gathered.add("shared_fs", Some("virtio-fs".to_owned()), Some("the memory is shared with virtiofsd"));
    }
}

/// The options of virtiofsd that the runtime does not print by itself.
fn virtiofsd(arguments: &[Argument], gathered: &mut Gathered) {
    let mut extra: Vec<String> = Vec::new();
    let own =
        |argument: &&Argument| argument.sets.as_ref().is_some_and(|sets| sets.key == "virtio_fs_extra_args");
    for argument in arguments.iter().filter(own) {
        extra.push(match argument.value.as_deref() {
            Some(value) if argument.option.starts_with("--") => format!("{}={value}", argument.option),
            Some(value) => format!("{} {value}", argument.option),
            None => argument.option.clone(),
        });
    }
    gathered.add("virtio_fs_extra_args", Some(extra.join(" ")), None);
}
