//! `explain --running`: pasted process lines, written for this project in the forms that lists and logs have.

use assert_cmd::Command;
use serde_json::Value as Json;

fn katascope(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("katascope").unwrap();
    command.args(args);
    command
}

/// A line of the Go runtime at 3.20, as `ps -ef` prints it.
const GO: &str = "root 4242 4200 0 10:24 ? 00:00:09 /opt/kata/bin/qemu-system-x86_64 -name sandbox-blue,debug-threads=on \
    -uuid 11111111-2222-4333-8444-555555555555 -machine q35,accel=kvm,nvdimm=on -cpu host,pmu=off -qmp unix:fd=3,server=on,wait=off \
    -m 4096M,slots=10,maxmem=17408M -device pci-bridge,bus=pcie.0,id=pci-bridge-0,chassis_nr=1,shpc=off,addr=2,io-reserve=4k,mem-reserve=1m,pref64-reserve=1m \
    -object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0 \
    -device vhost-vsock-pci,disable-modern=true,vhostfd=4,id=vsock-77,guest-cid=77 -rtc base=utc,driftfix=slew,clock=host \
    -global kvm-pit.lost_tick_policy=discard -vga none -no-user-config -nodefaults -nographic --no-reboot \
    -object memory-backend-ram,id=dimm1,size=4096M -numa node,memdev=dimm1 -kernel /opt/kata/share/kata-containers/vmlinux-6.12.42-162 \
    -append tsc=reliable cryptomgr.notests console=hvc0 debug panic=1 nr_cpus=8 selinux=0 my.own=1 -pidfile /run/vc/vm/blue/pid \
    -smp 2,cores=1,threads=1,sockets=8,maxcpus=8";

fn told(text: &str) -> Json {
    let output = katascope(&["explain", "--running", "-", "-o", "json"])
        .write_stdin(text.as_bytes().to_vec())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn setting<'j>(vm: &'j Json, key: &str) -> &'j Json {
    vm["settings"].as_array().unwrap().iter().find(|s| s["key"] == key).unwrap_or(&Json::Null)
}

fn unnamed(told: &Json) -> Vec<String> {
    let mut found = Vec::new();
    for process in told["processes"].as_array().unwrap() {
        for argument in process["arguments"].as_array().unwrap() {
            if argument["known"] == false {
                found.push(argument["option"].to_string());
            }
            let parts = argument["parts"].as_array().unwrap().iter().filter(|p| p["known"] == false);
            found.extend(parts.map(|p| p["text"].to_string()));
        }
    }
    found
}

#[test]
fn every_argument_is_named_and_the_release_told() {
    let told = told(GO);
    assert_eq!(unnamed(&told), Vec::<String>::new());
    let vm = &told["vms"][0];
    assert_eq!((&vm["sandbox"], &vm["runtime"]), (&Json::from("blue"), &Json::from("go")));
    assert_eq!(vm["release"], "Go runtime 3.4.0 to 3.31.0");
    assert_eq!(vm["by_kernel"][0]["first"], "3.20.0");
    let memory = setting(vm, "hypervisor.qemu.default_memory");
    assert_eq!((&memory["value"], &memory["state"]), (&Json::from("4096"), &Json::from("edited")));
    assert_eq!(memory["annotation"], "io.katacontainers.config.hypervisor.default_memory");
    assert_eq!(setting(vm, "hypervisor.qemu.kernel_params")["value"], "my.own=1");
    assert_eq!(setting(vm, "hypervisor.qemu.enable_debug")["value"], "true");
}

#[test]
fn wrapped_quoted_and_listed_lines_are_one_command() {
    let plain = told(GO);
    let words: Vec<&str> = GO.split(' ').filter(|word| !word.is_empty()).collect();
    let command = &words[7..];
    // One argument a line, with and without backslashes.
    let mut lines = String::new();
    for word in command {
        lines.push_str(if word.starts_with('-') { " \\\n  " } else { " " });
        lines.push_str(word);
    }
    let lines = lines.trim_start();
    let unescaped = lines.replace(" \\\n", "\n");
    // A mail that quotes it, broken in the middle of words.
    let joined = command.join(" ");
    let listed: Vec<char> = format!("root 4242 0.0 0.1 10 20 ? Sl 10:24 0:09 {joined}").chars().collect();
    let mail: String =
        listed.chunks(100).map(|line| format!("> {}\n", line.iter().collect::<String>())).collect();
    let logged = format!(
        "time=\"2026-01-01T00:00:00Z\" level=info msg=\"launching {} with: [{}]\" pid=7",
        command[0],
        command[1..].join(" ")
    );
    for text in
        [lines, &unescaped, &mail, &logged, &format!("4242 {joined}\n"), &format!("  4242:   {joined}\n")]
    {
        let told = told(text);
        assert_eq!(told["vms"].as_array().unwrap().len(), 1, "{text}");
        assert_eq!(told["vms"][0]["settings"], plain["vms"][0]["settings"], "{text}");
        assert_eq!(unnamed(&told), Vec::<String>::new(), "{text}");
    }
    // Every argument on a line of its own.
    let own = command.join("\n");
    assert_eq!(told(&own)["vms"][0]["settings"], plain["vms"][0]["settings"]);
    let unit = format!(
        "           ├─4242 {joined}\n           └─4243 /opt/kata/libexec/virtiofsd --syslog --fd=3\n"
    );
    assert_eq!(told(&unit)["processes"].as_array().unwrap().len(), 2);
    // As the kernel has it, only that the guest's parameters are one argument.
    let (before, after) = joined.split_once("-append ").unwrap();
    let (line, rest) = after.split_once(" -pidfile").unwrap();
    let exact =
        format!("{}-append\0{line}\0-pidfile{}\0", before.replace(' ', "\0"), rest.replace(' ', "\0"));
    assert_eq!(told(&exact)["vms"][0]["settings"], plain["vms"][0]["settings"]);
}

#[test]
fn what_is_cut_is_unknown() {
    let (cut, _) = GO.split_once(" -rtc").unwrap();
    let told = told(cut);
    let vm = &told["vms"][0];
    assert_eq!(told["processes"][0]["missing"]["end"], true);
    assert_eq!(setting(vm, "hypervisor.qemu.shared_fs"), &Json::Null);
    assert!(vm["notes"].to_string().contains("unknown, not off"), "{vm}");
}

#[test]
fn what_no_release_prints_is_said() {
    let told = told(&format!("{GO} -boot menu=on"));
    assert_eq!(unnamed(&told), ["\"-boot\""]);
    assert!(told["vms"][0]["notes"].to_string().contains("-boot menu=on: no release of Kata"));
}

#[test]
fn the_other_programs_of_a_sandbox_join_it() {
    let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let text = format!(
        "root 10 1 0 10:24 ? 00:00:01 /opt/kata/bin/containerd-shim-kata-v2 -namespace k8s.io -address /run/containerd/containerd.sock -publish-binary /usr/bin/containerd -id {id}\n\
         root 11 10 0 10:24 ? 00:00:01 /opt/kata/bin/firecracker --api-sock /run/vc/firecracker/{short}/root/run/firecracker.socket --config-file /run/vc/firecracker/{short}/root/fcConfig.json\n\
         root 12 1 0 10:24 pts/0 00:00:00 grep --color=auto kata\n\
         root 13 10 0 10:24 ? 00:00:00 /opt/kata/bin/cloud-hypervisor --api-socket /run/kata/other/ch-api.sock -v\n",
        short = &id[..32]
    );
    let told = told(&text);
    let vms = told["vms"].as_array().unwrap();
    assert_eq!(vms.len(), 2);
    assert_eq!((&vms[0]["sandbox"], &vms[0]["vmm"]), (&Json::from(id), &Json::from("firecracker")));
    assert_eq!((&vms[1]["sandbox"], &vms[1]["runtime"]), (&Json::from("other"), &Json::from("rs")));
    assert_eq!(told["processes"][2]["program"], "other");
    assert_eq!(
        unnamed(
            &serde_json::json!({ "processes": [told["processes"][0], told["processes"][1], told["processes"][3]] })
        ),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_no_process_line_is_no_vm() {
    for text in ["", "hello\n", "\0", "> > >\n", "-", "\u{1b}[31m -device \u{7}\n"] {
        let output = katascope(&["explain", "--running", "-"]).write_stdin(text).output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stdout).contains('\u{1b}'), "{text:?}");
    }
}

const CONFIGURATION: &str = r#"
[hypervisor.qemu]
path = "/opt/kata/bin/qemu-system-x86_64"
kernel = "/opt/kata/share/kata-containers/vmlinux.container"
image = "/opt/kata/share/kata-containers/kata-containers.img"
machine_type = "q35"
default_memory = 2048
shared_fs = "virtio-fs"
virtio_fs_daemon = "/opt/kata/libexec/virtiofsd"
block_device_driver = "virtio-scsi"
enable_annotations = ["kernel_params"]
[agent.kata]
[runtime]
internetworking_model = "tcfilter"
"#;
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\n  annotations:\n    \
    io.katacontainers.config.hypervisor.kernel_params: loglevel=7\nspec: {containers: [{name: web, image: web}]}\n";
const HOST: &str = "arch = \"x86_64\"\ncpus = 4\nmemory_mib = 8192\nnested = false\nvhost_vsock = true\n";

/// A folder with the configuration, the pod and the host, and the command that the pod's VM is predicted to have with
/// the tokens filled in.
fn predicted() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("configuration.toml", CONFIGURATION), ("pod.yaml", POD), ("host.toml", HOST)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let command = in_folder(&folder, &["show", "launch", "--plain", "--sandbox-id", "blue", "pod.yaml"]).0;
    let made = [
        ("{uuid}", "11111111-2222-4333-8444-555555555555"),
        ("{cid}", "77"),
        ("{nonce}", "3dd89a4dbbf7fb1b"),
        ("{mac}", "0a:58:00:00:00:01"),
        ("{image-size}", "536870912"),
    ];
    (folder, made.iter().fold(command, |text, (token, value)| text.replace(token, value)))
}

fn in_folder(folder: &tempfile::TempDir, args: &[&str]) -> (String, i32) {
    let mut all = args.to_vec();
    all.extend(["-c", "configuration.toml", "--runtime", "go", "--files", "assume", "--host", "host.toml"]);
    let output = katascope(&all).current_dir(folder.path()).output().unwrap();
    let code = output.status.code().unwrap();
    assert!(code < 2, "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), code)
}

fn beside(folder: &tempfile::TempDir, text: &str) -> (Json, i32) {
    std::fs::write(folder.path().join("ps.txt"), text).unwrap();
    let (out, code) = in_folder(folder, &["diff", "pod.yaml", "--with", "running=ps.txt", "-o", "json"]);
    (serde_json::from_str::<Json>(&out).unwrap()["pods"][0].clone(), code)
}

#[test]
fn the_launch_can_be_pasted_into_a_shell() {
    let (folder, _) = predicted();
    let args = |more: &[&str]| {
        let mut all = vec!["show", "launch", "--sandbox-id", "blue", "pod.yaml"];
        all.extend(more);
        in_folder(&folder, &all).0
    };
    let told: Json = serde_json::from_str(&args(&["-o", "json"])).unwrap();
    let expected: Vec<String> =
        told["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect();
    for text in [args(&[]), args(&["--plain"])] {
        // The first command alone, printed by the shell instead of run.
        let end = text.find("\n/opt/kata/libexec/virtiofsd").unwrap();
        let script = text[..end].replacen("/opt/kata/bin/qemu-system-x86_64", "printf '%s\\n'", 1);
        let shell = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let got: Vec<String> = String::from_utf8(shell.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(got, expected);
    }
}

#[test]
fn what_runs_is_held_against_the_prediction() {
    let (folder, command) = predicted();
    let (same, code) = beside(&folder, &command);
    assert_eq!(
        (code, &same["counts"]["different"], &same["release_fits"]),
        (0, &Json::from(0), &Json::from(true)),
        "{same:#}"
    );
    assert!(same["counts"]["made-at-start"].as_u64().unwrap() > 2, "{same:#}");

    let changed =
        command.replace("2048M,slots", "1024M,slots").replace("loglevel=7", "loglevel=5") + " -boot menu=on";
    let (changed, code) = beside(&folder, &changed);
    assert_eq!(code, 1);
    let of = |verdict: &str| -> Vec<Json> {
        changed["arguments"].as_array().unwrap().iter().filter(|a| a["verdict"] == verdict).cloned().collect()
    };
    let different = of("different");
    assert!(different.iter().any(|a| a["keys"].to_string().contains("default_memory")), "{changed:#}");
    assert!(different.iter().any(|a| a["running"] == "loglevel=5"), "{changed:#}");
    assert!(
        of("only-running").iter().any(|a| a["probably"].as_str().unwrap().contains("no release")),
        "{changed:#}"
    );

    // What is cut off is unknown.
    let (cut, _) = command.split_once("-rtc").unwrap();
    let (cut, code) = beside(&folder, cut);
    assert_eq!((code, &cut["counts"]["only-predicted"]), (0, &Json::from(0)), "{cut:#}");
}

#[test]
fn a_node_tells_of_its_vms() {
    let (folder, command) = predicted();
    let root = folder.path().join("root");
    let bundle = root.join("run/containerd/io.containerd.runtime.v2.task/k8s.io/blue");
    std::fs::create_dir_all(&bundle).unwrap();
    let spec = serde_json::json!({ "ociVersion": "1.1.0", "hostname": "web", "annotations": {
        "io.kubernetes.cri.sandbox-name": "web", "io.kubernetes.cri.sandbox-namespace": "shop",
        "io.kubernetes.cri.container-type": "sandbox", "io.katacontainers.config.hypervisor.kernel_params": "loglevel=7",
    } });
    std::fs::write(bundle.join("config.json"), spec.to_string()).unwrap();
    let joined = command.replace("\\\n", " ");
    for (pid, line) in joined.lines().enumerate() {
        let process = root.join("proc").join((4242 + pid).to_string());
        std::fs::create_dir_all(&process).unwrap();
        let script = format!("printf '%s\\0' {line}");
        let argv = std::process::Command::new("sh").args(["-c", &script]).output().unwrap().stdout;
        std::fs::write(process.join("cmdline"), argv).unwrap();
        std::fs::write(process.join("stat"), "1 (a b) c) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1000 0 0")
            .unwrap();
    }
    std::fs::create_dir_all(root.join("proc/7")).unwrap();
    std::fs::write(root.join("proc/7/cmdline"), "/usr/bin/qemu-system-x86_64\0-name\0guest=other\0").unwrap();
    std::fs::write(root.join("proc/stat"), "cpu 1\nbtime 1700000000\n").unwrap();

    let list = in_folder(&folder, &["live", "--root", "root", "-o", "json"]).0;
    let list: Json = serde_json::from_str(&list).unwrap();
    assert_eq!(list["vms"].as_array().unwrap().len(), 1, "{list:#}");
    let vm = &list["vms"][0];
    assert_eq!(
        (&vm["sandbox"], &vm["pod"], &vm["pid"]),
        (&Json::from("blue"), &Json::from("shop/web"), &Json::from(4242))
    );
    assert_eq!((&vm["started"], &vm["runtime"]), (&Json::from(1_700_000_010), &Json::from("go")));

    let (one, code) = in_folder(&folder, &["live", "blu", "--root", "root", "-o", "json"]);
    let one: Json = serde_json::from_str(&one).unwrap();
    assert_eq!((code, &one["pods"][0]["counts"]["different"]), (0, &Json::from(0)), "{one:#}");
}

#[test]
fn an_inspected_sandbox_is_a_pod() {
    let folder = tempfile::tempdir().unwrap();
    let inspected = serde_json::json!({
        "info": {
            "config": { "metadata": { "name": "web", "namespace": "shop", "uid": "u" }, "annotations": {
                "io.katacontainers.config.hypervisor.kernel_params": "loglevel=7", "example.com/x": "1" },
                "linux": {} },
            "runtimeOptions": { "config_path": "/etc/kata-containers/own.toml" },
            "runtimeSpec": { "ociVersion": "1.1.0", "annotations": {
                "io.katacontainers.config.hypervisor.kernel_params": "loglevel=7" } },
        },
        "status": { "id": "blue", "runtimeHandler": "kata" },
    });
    let contained = serde_json::json!({ "ID": "blue", "Image": "pause", "Runtime": { "Name": "io.containerd.kata.v2" },
        "Spec": { "ociVersion": "1.1.0", "annotations": { "io.kubernetes.cri.sandbox-name": "web",
            "io.kubernetes.cri.sandbox-namespace": "shop", "io.kubernetes.cri.container-type": "sandbox" } } });
    std::fs::write(folder.path().join("configuration.toml"), CONFIGURATION).unwrap();
    std::fs::write(folder.path().join("host.toml"), HOST).unwrap();
    for (json, form) in [(inspected, "PodSandboxConfig"), (contained, "OCI")] {
        std::fs::write(folder.path().join("pod.json"), json.to_string()).unwrap();
        let (out, _) = in_folder(&folder, &["check", "-o", "json", "pod.json"]);
        let told: Json = serde_json::from_str(&out).unwrap();
        let pod = &told["pods"][0];
        assert_eq!(
            (&pod["name"], &pod["kind"], &pod["outcome"]),
            (&Json::from("web"), &Json::from(form), &Json::from("starts")),
            "{out}"
        );
        if form == "PodSandboxConfig" {
            let (text, _) = in_folder(&folder, &["check", "pod.json"]);
            assert!(
                text.contains("/etc/kata-containers/own.toml")
                    && text.contains("did not hand on example.com/x"),
                "{text}"
            );
        }
    }
}

/// A shim, virtiofsd and the VMM of one sandbox, as `ps` has them.
const SANDBOX: [&str; 3] = [
    "/opt/kata/runtime-rs/bin/containerd-shim-kata-v2 -namespace k8s.io -address /run/containerd/containerd.sock \
     -publish-binary /usr/bin/containerd -id green",
    "/opt/kata/libexec/virtiofsd --socket-path=/run/kata/green/root/virtiofsd.sock --shared-dir=/run/kata/green/rw",
    "/opt/kata/bin/cloud-hypervisor --api-socket /run/kata/green/root/ch-api.sock -v",
];

#[test]
fn trees_of_processes_are_lists() {
    let [shim, daemon, vmm] = SANDBOX;
    let groups = format!(
        "Control group /:\n├─kubepods.slice\n│ └─cri-containerd-green.scope\n│   ├─  11 {shim}\n│   ├─  12 {daemon}\n\
         │   └─1300 {vmm}\n"
    );
    let plain = format!(
        "|-kubepods.slice\n| `-green.scope\n|   |-  11 {shim}\n|   |-  12 {daemon}\n|   `-1300 {vmm}\n"
    );
    let top = format!(
        "Tasks: 3 total\n\n    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n\
         11 root 20 0 512 41 12 S 6.7 0.6 0:12.34 {shim}\n     12 root 20 0 512 41 12 S 0.0 0.6 0:01.00 {daemon}\n   \
         1300 root 20 0 512 41 12 S 0.0 0.6 0:01.00 {vmm}\n"
    );
    for text in [groups, plain, top] {
        let told = told(&text);
        let vms = told["vms"].as_array().unwrap();
        assert_eq!((vms.len(), &vms[0]["sandbox"]), (1, &Json::from("green")), "{text}{told:#}");
        let pids: Vec<_> = told["processes"].as_array().unwrap().iter().map(|p| p["pid"].clone()).collect();
        assert_eq!(pids, [11, 12, 1300], "{text}");
        assert_eq!(vms[0]["runtime"], "rs", "{text}");
    }
}

#[test]
fn a_shim_alone_tells_its_runtime_by_its_folder() {
    for (path, runtime, says) in [
        ("/opt/kata/runtime-rs/bin/", Json::from("rs"), "it runs in this shim"),
        ("/opt/kata/bin/", Json::from("go"), "no VMM in the text"),
        ("/usr/local/bin/", Json::Null, "it runs in the shim of runtime-rs"),
    ] {
        let told = told(&format!(
            "root 7 1 0 10:00 ? 00:00:03 {path}containerd-shim-kata-v2 -namespace k8s.io -id green\n"
        ));
        let vm = &told["vms"][0];
        assert_eq!(vm["runtime"], runtime, "{told:#}");
        assert!(vm["notes"].to_string().contains(says), "{vm}");
    }
}

#[test]
fn a_line_that_a_list_cuts_ends_in_the_dark() {
    let vm = &told("├─11 /opt/kata/bin/containerd-shim-kata-v2 -namespace k8s.io -publish-bin…\n")["vms"][0];
    assert!(vm["notes"].to_string().contains("is cut at -publish-bin…"), "{vm}");
    assert!(!vm["notes"].to_string().contains("no release of Kata"), "{vm}");
    // A blank at the edge of a terminal is lost where the text is copied.
    let words = GO.split_whitespace().collect::<Vec<_>>().join(" ");
    for width in [80, 100, 133] {
        let letters: Vec<char> = words.chars().collect();
        let lines = letters.chunks(width).map(|line| line.iter().collect::<String>().trim_end().to_owned());
        let text = lines.collect::<Vec<_>>().join("\n");
        let told = told(&text);
        assert_eq!(unnamed(&told), Vec::<String>::new(), "{width}");
        assert_eq!(told["vms"].as_array().unwrap().len(), 1, "{width}");
    }
}

#[test]
fn an_old_qemu_has_process_1_for_its_parent() {
    let old = "root 9 1 0 10:24 ? 00:00:09 /usr/bin/qemu-system-x86_64 -name sandbox-blue -uuid 1 \
               -machine pc,accel=kvm,kernel_irqchip,nvdimm -cpu host,pmu=off -qmp unix:/run/vc/vm/blue/qmp.sock,server,nowait \
               -m 2048M,slots=10,maxmem=9000M -device pci-bridge,bus=pci.0,id=pci-bridge-0,chassis_nr=1,shpc=on,addr=2,romfile=";
    let notes = told(old)["vms"][0]["notes"].to_string();
    assert!(notes.contains("went into the background") && !notes.contains("its shim is gone"), "{notes}");
}

/// What a VM runs with tells its handler among those of its shim; where nothing does, they are named.
#[test]
fn a_vm_is_of_one_handler_among_several() {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    let shim = "/opt/kata/bin/containerd-shim-kata-v2";
    let clh = CONFIGURATION.replace("hypervisor.qemu", "hypervisor.clh").replace("qemu-system-x86_64", "clh");
    let own = CONFIGURATION.replace("vmlinux.container", "vmlinux.own");
    let mut containerd = "version = 3\n".to_owned();
    for (name, text) in [("qemu", CONFIGURATION), ("clh", &*clh), ("own", &*own), ("again", &*own)] {
        let table = format!("[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.kata-{name}");
        containerd += &format!(
            "{table}]\nruntime_type = 'io.containerd.kata-{name}.v2'\nruntime_path = '{shim}'\n{table}.options]\n\
             ConfigPath = '/etc/kata-{name}.toml'\n"
        );
        put(&format!("root/etc/kata-{name}.toml"), text);
    }
    put("root/etc/containerd/config.toml", &containerd);
    put("root/opt/kata/VERSION", "4.1.0\n");
    for file in ["bin/containerd-shim-kata-v2", "bin/clh", "bin/qemu-system-x86_64"] {
        put(&format!("root/opt/kata/{file}"), "x");
    }
    let clh = "/opt/kata/bin/clh-cloud-hypervisor\0--api-socket\0/run/vc/vm/green/clh-api.sock\0";
    let qemu = |name: &str, kernel: &str| {
        format!(
            "/opt/kata/bin/qemu-system-x86_64\0-name\0sandbox-{name}\0-uuid\01\0-kernel\0/opt/kata/share/kata-containers/{kernel}\0"
        )
    };
    put("root/proc/10/cmdline", &qemu("blue", "vmlinux.container"));
    put("root/proc/11/cmdline", &clh.replace("clh-cloud", "cloud"));
    put("root/proc/12/cmdline", &qemu("red", "vmlinux.own"));
    let inside = "/opt/kata/runtime-rs/bin/containerd-shim-kata-v2\0-namespace\0k8s.io\0-id\0white\0";
    put("root/proc/13/cmdline", inside);
    let live = |more: &[&str]| {
        let mut command = katascope(&["live", "--root", "root"]);
        command.args(more).current_dir(folder.path()).output().unwrap()
    };
    let list: Json = serde_json::from_slice(&live(&["-o", "json"]).stdout).unwrap();
    let told: Vec<_> =
        list["vms"].as_array().unwrap().iter().map(|vm| (&vm["handler"], &vm["candidates"])).collect();
    let (none, empty) = (Json::Null, serde_json::json!([]));
    let both = serde_json::json!(["kata-own", "kata-again"]);
    let (qemu, clh) = (Json::from("kata-qemu"), Json::from("kata-clh"));
    assert_eq!(told, [(&qemu, &empty), (&clh, &empty), (&none, &both), (&none, &empty)], "{list:#}");
    assert_eq!(list["vms"][3]["vmm"], "dragonball");
    put(
        "root/run/containerd/io.containerd.runtime.v2.task/k8s.io/red/config.json",
        r#"{"ociVersion": "1.1.0"}"#,
    );
    let said = String::from_utf8(live(&["red"]).stderr).unwrap();
    assert!(said.contains("kata-own, kata-again; name the one with --handler"), "{said}");
    let said = String::from_utf8(live(&["white"]).stderr).unwrap();
    assert!(said.contains("Dragonball, in its shim has no process line"), "{said}");
}

#[test]
fn another_vmm_is_a_difference() {
    let (folder, _) = predicted();
    let line = "/opt/kata/bin/cloud-hypervisor --api-socket /run/vc/vm/blue/clh-api.sock";
    let (report, code) = beside(&folder, line);
    assert_eq!(code, 1, "{report:#}");
    let rows = report["arguments"].as_array().unwrap();
    let row = rows.iter().find(|row| row["verdict"] == "different").unwrap();
    assert_eq!(row["running"], "/opt/kata/bin/cloud-hypervisor", "{report:#}");
    assert!(row["probably"].as_str().unwrap().contains("another hypervisor"), "{report:#}");
}
