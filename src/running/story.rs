//! Puts the processes of a text together to VMs, and says what they tell together.

use super::releases::{self, Evidence};
use super::{Process, Program, Running, Vm};
use super::{program, settings};
use crate::catalog::lines;
use crate::release::Runtime;

/// The Go runtime names Firecracker's VMs by so many characters of the sandbox id.
const SHORT_ID: usize = 32;

/// What the last word of a cut line is.
const CUT: &str = "cut off here in the text";

/// The last release that starts QEMU in the background.
const LAST_DAEMONIZED: &str = "3.0.1";

/// What a process is that is no program of Kata.
pub(super) fn remark(process: &mut Process) {
    if process.program != Program::Other {
        return;
    }
    let path = process.path.as_deref().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or(path);
    let value = |option: &str| {
        process
            .arguments
            .iter()
            .find(|a| a.option == option)
            .and_then(|a| a.value.as_deref())
            .unwrap_or_default()
    };
    let names_kata_runtime = process.arguments.iter().any(|a| {
        [Some(a.option.as_str()), a.value.as_deref()]
            .into_iter()
            .flatten()
            .any(|text| text.contains("kata-runtime"))
    });
    let said = match name {
        _ if path.starts_with('[') => {
            let vm: String = path.chars().filter(char::is_ascii_digit).collect();
            format!("a kernel thread of the VM with process id {vm}, no program of Kata")
        }
        "conmon" => {
            let old = if value("-r").contains("kata-runtime") || names_kata_runtime {
                "; it runs kata-runtime, the command line runtime of Kata 1.x (no shim v2)"
            } else {
                ""
            };
            format!("the monitor of CRI-O or podman, no program of Kata{old}")
        }
        // Lists of names cut them to 15 letters.
        "containerd-shim" if process.arguments.is_empty() => {
            "a shim of containerd: whose, its name alone does not tell".to_owned()
        }
        "containerd-shim" | "docker-containerd-shim" => {
            "a shim v1 of containerd: with Kata, the command line runtime of Kata 1.x".to_owned()
        }
        "grep" | "egrep" | "ps" | "watch" | "less" => "the search itself, no program of Kata".to_owned(),
        "ctr" | "crictl" | "docker" | "podman" | "nerdctl" | "kubectl" => {
            let runtime =
                process.arguments.iter().find(|a| a.option == "--runtime").and_then(|a| a.value.as_deref());
            let runtime =
                runtime.map(|name| format!("; the runtime it asks for is {name}")).unwrap_or_default();
            format!("a client, no program of Kata{runtime}")
        }
        "kata-runtime" | "kata-ctl" => "a command of an administrator, no part of the VM".to_owned(),
        "kata-monitor" => "Kata's metrics, no part of the VM".to_owned(),
        _ => {
            let text =
                process.arguments.iter().filter_map(|a| a.value.as_deref()).collect::<Vec<_>>().join(" ");
            let near = if text.contains("/run/vc/") || text.contains("/run/kata") {
                "; it uses the folder of a VM: a hook, or part of a fork"
            } else {
                ""
            };
            format!("no program of Kata{near}")
        }
    };
    process.remark = Some(said);
}

/// A line of QEMU that does not come to its last argument was cut, and its last word may be half of one.
pub(super) fn cut(process: &mut Process) {
    if process.missing.end
        && let Some(last) = process.arguments.last_mut()
        && last.rows.is_empty()
        && last.parts.is_empty()
        && program::hidden(&last.option)
    {
        last.says = CUT.to_owned();
    }
    if process.program != Program::Qemu || process.missing.middle || is_whole(process) {
        return;
    }
    process.missing.end = true;
    let Some(last) = process.arguments.last_mut() else { return };
    match last.parts.last_mut() {
        Some(part) if part.says.is_empty() => part.says = CUT.to_owned(),
        None if last.says.is_empty() => last.says = CUT.to_owned(),
        _ => {}
    }
}

/// Groups the processes by sandbox.
pub(super) fn tell(processes: Vec<Process>) -> Running {
    let mut groups: Vec<(Option<String>, Vec<usize>)> = Vec::new();
    for (at, process) in processes.iter().enumerate() {
        if process.program == Program::Other {
            continue;
        }
        let same = |id: &str| {
            groups.iter().position(|(own, _)| {
                own.as_deref().is_some_and(|own| own == id || is_short(own, id) || is_short(id, own))
            })
        };
        match process.sandbox.as_deref().and_then(same) {
            Some(group) => {
                if let Some((own, members)) = groups.get_mut(group) {
                    if own
                        .as_ref()
                        .is_some_and(|own| process.sandbox.as_ref().is_some_and(|id| id.len() > own.len()))
                    {
                        *own = process.sandbox.clone();
                    }
                    members.push(at);
                }
            }
            None => groups.push((process.sandbox.clone(), vec![at])),
        }
    }
    let vms = groups.into_iter().map(|(sandbox, members)| vm(&processes, sandbox, members)).collect();
    Running { processes, vms }
}

fn is_short(short: &str, long: &str) -> bool {
    short.len() == SHORT_ID && long.len() > SHORT_ID && long.starts_with(short)
}

fn vm(all: &[Process], sandbox: Option<String>, members: Vec<usize>) -> Vm {
    let processes: Vec<&Process> = members.iter().filter_map(|at| all.get(*at)).collect();
    let evidence: Vec<Evidence> = processes
        .iter()
        .flat_map(|process| {
            let told = releases::evidence(process.program, &process.arguments, process.missing);
            told.into_iter().chain(releases::of_path(process.program, process.path.as_deref()))
        })
        .collect();
    let narrowed = releases::narrow(&evidence);
    let kernel = processes.iter().find_map(|process| {
        let kernel = process.arguments.iter().find(|argument| argument.option == "-kernel")?;
        lines::kernel_tags(kernel.value.as_deref()?)
    });
    let tags = match &kernel {
        Some(kernel) if releases::meets(kernel, &narrowed.tags) => releases::both(kernel, &narrowed.tags),
        _ if !narrowed.as_shipped.is_empty() => narrowed.as_shipped.clone(),
        _ => narrowed.tags.clone(),
    };
    let settings = settings::gather(&processes, narrowed.runtime, &tags);
    let vmm = processes.iter().map(|process| process.program).find(|program| program.is_vmm());
    let mut vm = Vm { sandbox, processes: members, vmm, narrowed, kernel, settings, notes: Vec::new() };
    vm.notes = notes(&vm, &processes, all);
    vm
}

fn notes(vm: &Vm, processes: &[&Process], all: &[Process]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for process in processes {
        let rows =
            process.arguments.iter().flat_map(|a| a.rows.iter().chain(a.parts.iter().flat_map(|p| &p.rows)));
        for note in rows.filter_map(|row| row.note) {
            if !notes.iter().any(|known| known == note) {
                notes.push(note.to_owned());
            }
        }
        missing(process, &mut notes);
        match process.program {
            Program::Qemu => qemu(vm, process, &mut notes),
            Program::Firecracker => firecracker(process, &mut notes),
            Program::CloudHypervisor => cloud_hypervisor(process, &mut notes),
            _ => {}
        }
        unknown(process, &mut notes);
    }
    if processes.iter().any(|process| matches!(process.program, Program::KataProxy | Program::KataShim)) {
        notes.push("Kata 1.x: kata-proxy and kata-shim; use_vsock is off".to_owned());
    }
    let daemons: Vec<&&Process> = processes.iter().filter(|p| p.program == Program::Virtiofsd).collect();
    if daemons.len() > 1 {
        notes.push("several virtiofsd of one sandbox are one daemon and its child".to_owned());
    }
    family(vm, processes, all, &mut notes);
    if let Some(shim) = processes.iter().find(|process| process.program == Program::Shim) {
        if vm.vmm.is_none() {
            let why = match vm.narrowed.runtime {
                Some(Runtime::Go) => "",
                Some(Runtime::Rs) => ": Dragonball has none of its own, it runs in this shim",
                None => ": Dragonball has none of its own, it runs in the shim of runtime-rs",
            };
            notes.push(format!("no VMM in the text{why}"));
        }
        notes.push("the shim's line does not tell which handler or configuration file was used".to_owned());
        let debug = processes
            .iter()
            .flat_map(|p| &p.arguments)
            .filter(|a| a.option == "-append")
            .flat_map(|a| &a.parts);
        if shim.arguments.iter().any(|a| a.option == "-debug")
            && debug.clone().any(|part| part.text == "quiet")
        {
            notes.push("the shim's -debug is containerd's log level for this runtime, not enable_debug: the guest kernel is quiet".to_owned());
        }
    }
    notes
}

/// Who started whom.
fn family(vm: &Vm, processes: &[&Process], all: &[Process], notes: &mut Vec<String>) {
    // Up to 3.0.1 the Go runtime starts QEMU so, and the word may be cut off.
    let last = lines::TAGS.iter().position(|tag| *tag == LAST_DAEMONIZED);
    let old = vm.narrowed.runtime == Some(Runtime::Go)
        && vm.narrowed.tags.last().is_some_and(|(_, end)| Some(*end) <= last);
    for process in processes.iter().filter(|p| p.program.is_vmm() || p.program == Program::Virtiofsd) {
        let Some(parent) = process.parent else { continue };
        let daemon = process.arguments.iter().any(|a| a.option == "-daemonize");
        let title = process.program.title();
        match parent {
            1 if daemon || (old && process.program == Program::Qemu) => notes.push(format!(
                "{title}'s parent is process 1 because it went into the background (-daemonize)"
            )),
            1 if process.program != Program::Jailer => {
                notes.push(format!("{title}'s parent is process 1: its shim is gone"));
            }
            1 => {}
            _ if all.iter().any(|other| other.pid == Some(parent)) => {}
            _ if process.program.is_vmm() => notes.push(format!("its parent, process {parent}, is the shim")),
            _ => {}
        }
    }
    for process in all.iter().filter(|process| process.program == Program::Other) {
        let shim = processes.iter().find(|p| p.program == Program::Shim).and_then(|shim| shim.pid);
        if shim.is_some() && process.parent == shim {
            let path = process.path.as_deref().unwrap_or_default();
            notes.push(format!(
                "{path} is a child of the shim, but no program of Kata: a hook, or part of a fork"
            ));
        }
    }
}

fn missing(process: &Process, notes: &mut Vec<String>) {
    let title = process.program.title();
    let picked = process.program == Program::Qemu && is_excerpt(process);
    match process.missing {
        _ if process.arguments.is_empty() && process.program.is_vmm() => {
            notes.push(format!("the text has the name of {title} alone: none of its arguments is known"));
        }
        _ if picked => notes.push(format!(
            "the line of {title} is an excerpt: what is not in it is unknown, not off, and nothing follows from its absence"
        )),
        m if m.middle => notes.push(format!("parts of the line of {title} are left out: they are unknown, not off")),
        m if m.front => notes.push(format!("the line of {title} has lost its beginning: what stood there is unknown, not off")),
        m if m.end => {
            let last = process.arguments.last().map(|a| a.option.as_str()).unwrap_or_default();
            notes.push(format!("the line of {title} is cut at {last}: everything behind is unknown, not off"));
        }
        _ => {}
    }
}

/// What every line of QEMU has; where a later one is there and an earlier one not, somebody picked them out.
pub(super) fn is_excerpt(process: &Process) -> bool {
    const ALWAYS: [&str; 5] = ["-name", "-machine", "-cpu", "-m", "-qmp"];
    let at = |option: &str| process.arguments.iter().position(|argument| argument.option == option);
    let later = process
        .arguments
        .iter()
        .rposition(|a| matches!(a.option.as_str(), "-device" | "-object" | "-kernel"));
    !process.missing.front && later.is_some() && ALWAYS.iter().any(|option| at(option).is_none())
        || process.path.is_none() && !process.missing.end && at("-device").is_none()
}

fn is_whole(process: &Process) -> bool {
    let has = |option: &str| process.arguments.iter().any(|argument| argument.option == option);
    has("-smp") && (has("-numa") || has("-no-reboot") || has("-vga")) && !process.missing.end
}

fn unknown(process: &Process, notes: &mut Vec<String>) {
    for argument in process.arguments.iter().filter(|_| process.program != Program::Other) {
        let value = argument.value.as_deref().unwrap_or_default();
        let whole = format!("{} {value}", argument.option);
        let whole = whole.trim_end();
        if let Some(remark) = &argument.remark {
            notes.push(format!("{}: {remark}", argument.option));
        } else if !argument.is_known() && argument.says != CUT {
            notes.push(format!(
                "{whole}: no release of Kata puts this there (a wrapper, a hand edit or a patched runtime)"
            ));
        }
        for part in argument.parts.iter().filter(|part| part.says.is_empty()) {
            notes.push(format!(
                "{} {} {}: no release of Kata puts this there",
                argument.option,
                argument.kind(),
                part.text
            ));
        }
    }
}

fn qemu(vm: &Vm, process: &Process, notes: &mut Vec<String>) {
    let has = |option: &str, kind: &str| {
        process.arguments.iter().any(|a| a.option == option && lines::like(kind, a.kind()))
    };
    let part = |option: &str, text: &str| {
        process.arguments.iter().any(|a| a.option == option && a.parts.iter().any(|p| p.text == text))
    };
    let excerpt = is_excerpt(process) || process.missing.middle;
    let image = has("-device", "nvdimm") || has("-blockdev", "*") || has("-device", "virtio-blk-*");
    if has("-device", "pcie-root-port") && !has("-device", "vfio-pci*") {
        notes.push(
            "root ports without vfio-pci: devices are plugged in later (hot_plug_vfio), or only reserved"
                .to_owned(),
        );
    }
    if has("-initrd", "*") {
        notes.push("boots from an initrd, so that there is no root= and no systemd parameter".to_owned());
    } else if has("-device", "nvdimm") {
        notes.push("boots from an image, attached as an NVDIMM".to_owned());
    } else if has("-device", "virtio-blk-*") {
        notes.push(
            "boots from an image, attached as a disk (disable_image_nvdimm or vm_rootfs_driver)".to_owned(),
        );
    } else if part("-append", "root=/dev/pmem0p1") {
        notes.push(
            "boots from an image as an NVDIMM: vm_rootfs_driver is virtio-pmem in runtime-rs".to_owned(),
        );
    } else if vm.narrowed.runtime != Some(Runtime::Rs)
        && !image
        && !excerpt
        && (has("-global", "*") || has("-object", "rng-random"))
    {
        notes.push("no NVDIMM on the line: boots from an initrd, or disable_image_nvdimm is on".to_owned());
    }
    for name in process
        .arguments
        .iter()
        .flat_map(|a| a.parts.iter().map(|p| p.text.as_str()).chain(a.value.as_deref()))
    {
        if let Some(tag) =
            named_tag(name).filter(|_| excerpt || name.contains("image") || name.contains("initrd"))
        {
            notes.push(format!("the name of the image says {tag}"));
            break;
        }
    }
    if has("-device", "vhost-user-fs-*") {
        notes.push("the shared file system is virtio-fs, its cache mode is on virtiofsd's line".to_owned());
    }
    if has("-device", "virtserialport") {
        notes.push(
            "the agent is reached through kata-proxy (agent.channel.0), not through a vsock".to_owned(),
        );
    }
    if !excerpt && has("-global", "*") && !has("-netdev", "*") {
        notes.push("no network device: started without CNI, or with the host's network".to_owned());
    }
    let tee = process
        .arguments
        .iter()
        .any(|a| a.option == "-machine" && a.part("confidential-guest-support").is_some());
    let named = ["-kernel", "-initrd", "-object", "-bios", "-drive"].iter().any(|option| {
        process.arguments.iter().filter(|a| a.option == *option).any(|a| {
            let value = a.value.as_deref().unwrap_or_default();
            ["confidential", "sev", "snp", "tdx", "cc+", "coco"].iter().any(|word| value.contains(word))
        })
    });
    let kernel = process.arguments.iter().find(|a| a.option == "-kernel").and_then(|a| a.value.as_deref());
    if kernel.is_some_and(|kernel| kernel.contains("nvidia-gpu")) {
        notes.push("the kernel is that of configuration-qemu-nvidia-gpu.toml, which ships kernel_params and pcie_root_port of its own".to_owned());
    } else if kernel.is_some_and(|kernel| kernel.contains("confidential")) && !tee {
        notes.push("the confidential kernel without a TEE fits configuration-qemu-coco-dev.toml".to_owned());
    }
    if tee {
        notes.push("a confidential guest: confidential-guest-support on the machine".to_owned());
    } else if named && !excerpt {
        notes.push(
            "no TEE in spite of the names: without confidential-guest-support this is an ordinary VM"
                .to_owned(),
        );
    }
    if has("-object", "sev-snp-guest") && vm.narrowed.runtime == Some(Runtime::Go) {
        notes.push("in 3.1.0 and 3.2.0 confidential_guest alone gives SNP on an SNP host; from 3.3.0 on SNP needs sev_snp_guest = true".to_owned());
    }
    if has("-drive", "if=pflash") && !has("-object", "sev*") && !excerpt {
        notes.push("-drive if=pflash without an SEV or SNP object: Kata prints it only with one, other firmware goes to -bios (a patched runtime)".to_owned());
    }
    let rootless =
        process.arguments.iter().any(|a| a.value.as_deref().is_some_and(|v| v.contains("/run/user/")));
    if rootless {
        notes.push("rootless = true: the sockets are below /run/user, of a user made for this VM".to_owned());
    }
    if process
        .arguments
        .iter()
        .any(|a| a.option == "-cpu" && a.value.as_deref().is_some_and(|v| v.ends_with(',')))
    {
        notes.push("-cpu ends with a comma: cpu_features is empty, neither damage nor edit".to_owned());
    }
    if part("-device", "disable-modern=false") && vm.narrowed.runtime == Some(Runtime::Go) {
        notes.push("not nested: disable-modern=false".to_owned());
    }
    if part("-cpu", "pmu=off")
        && !vm.narrowed.tags.is_empty()
        && vm.narrowed.tags.iter().all(|(_, last)| {
            lines::TAGS.get(*last).is_some_and(|tag| {
                tag.starts_with("1.") && !tag.starts_with("1.12") && !tag.starts_with("1.13")
            })
        })
    {
        notes.push(
            "pmu=off at this release means that the runtime found the host to be a VM (nested)".to_owned(),
        );
    }
    if vm.narrowed.runtime == Some(Runtime::Rs)
        && process.arguments.iter().any(|a| a.option == "-device")
        && !part("-device", "disable-modern=true")
    {
        notes.push("not nested: no disable-modern=true".to_owned());
    }
    if has("-qmp", "unix:fd=*") {
        notes.push("descriptor numbers (fd=, vhostfd=, fds=) are no settings".to_owned());
    }
    if process.arguments.iter().any(|a| a.option == "-m" || a.option == "-smp") {
        notes.push("memory and vCPUs that a container's limits add are hot-plugged later and on no line; with static_sandbox_resource_mgmt (2.4 on) they are in -m and -smp from the start".to_owned());
    }
}

/// The tag that the name of a file has in it, set off by `_` or `-`.
fn named_tag(path: &str) -> Option<&'static str> {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('_').find_map(|word| lines::TAGS.iter().copied().find(|tag| *tag == word))
}

fn firecracker(process: &Process, notes: &mut Vec<String>) {
    let value =
        |option: &str| process.arguments.iter().find(|a| a.option == option).and_then(|a| a.value.as_deref());
    let jailed = value("--id").is_some() || value("--start-time-us").is_some();
    if !jailed {
        notes.push("started without the jailer: jailer_path is not set".to_owned());
    }
    if let Some(file) = value("--config-file") {
        notes.push(format!("sizes, kernel and drives are in {file}, not on the line"));
    }
    if process
        .sandbox
        .as_deref()
        .is_some_and(|id| id.len() == SHORT_ID && id.chars().all(|c| c.is_ascii_hexdigit()))
    {
        notes.push("the id has 32 digits, the most that Firecracker takes: the sandbox id is longer and begins with it".to_owned());
    }
}

fn cloud_hypervisor(process: &Process, notes: &mut Vec<String>) {
    let has = |option: &str| process.arguments.iter().any(|a| a.option.starts_with(option));
    if !has("-v") {
        notes.push("no -v: the hypervisor is not debugged".to_owned());
    }
    if !has("--seccomp") {
        notes.push("no --seccomp false: disable_seccomp is off".to_owned());
    }
    notes.push("sizes, kernel and devices went through the API socket: ask it with vm.info".to_owned());
}
