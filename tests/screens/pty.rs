//! The built program in a pseudo-terminal: start, resize, suspend, editor, signals, panic, quit.
//! Everything waits for what the screen shows; nothing sleeps for luck.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use katascope::tui::terminal::{Guard, guard_against_panics, set_last_words};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::stage::CONFIG;

const PATIENCE: Duration = Duration::from_secs(60);

struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    /// Set: the reader stops after the next bytes.
    deaf: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    fn run(program: &str, args: &[&str], folder: &Path, more: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(size(30, 100)).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(folder);
        command.env_clear();
        for (name, value) in
            [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin"), ("PS1", "$ ")]
        {
            command.env(name, value);
        }
        command.env("HOME", folder);
        for (name, value) in more {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(30, 100, 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let deaf = Arc::new(AtomicBool::new(false));
        let (shared, bytes, stop) = (screen.clone(), raw.clone(), deaf.clone());
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(n) = output.read(&mut buffer) {
                if n == 0 || stop.load(Ordering::SeqCst) {
                    break;
                }
                shared.lock().unwrap().process(&buffer[..n]);
                bytes.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        Self { child, master: pair.master, keys, screen, raw, deaf, reader: Some(reader) }
    }

    /// The program itself on files of its own.
    fn program(folder: &Path, more: &[(&str, &str)]) -> Self {
        let args = ["-c", "configuration.toml", "--runtime", "go", "--host", "host.toml", "pods.yaml"];
        files(folder);
        Self::run(env!("CARGO_BIN_EXE_katascope"), &args, folder, more)
    }

    fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn until(&self, what: &str, test: impl Fn(&vt100::Screen) -> bool) {
        let start = Instant::now();
        while !test(self.screen.lock().unwrap().screen()) {
            assert!(start.elapsed() < PATIENCE, "waited for {what}; the screen:\n{}", self.contents());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn shows(&self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Everything that the program sent so far.
    fn sent(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }

    fn until_sent(&self, what: &str) {
        self.until(what, |_| self.sent().contains(what));
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn ends(&mut self) -> portable_pty::ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "does not end; the screen:\n{}", self.contents());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Closes the terminal as a window is closed: every descriptor of this side goes.
    fn hang_up(&mut self) {
        self.deaf.store(true, Ordering::SeqCst);
        // Something to read, so that the reader looks.
        self.press("?");
        self.reader.take().unwrap().join().unwrap();
        self.master = native_pty_system().openpty(size(1, 1)).unwrap().master;
        self.keys = Box::new(std::io::sink());
    }

    /// The terminal is as it was before.
    fn is_restored(&self) {
        self.until("the main screen", |screen| {
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn files(folder: &Path) {
    let config = CONFIG
        .replace("/opt/", &format!("{}/opt/", folder.display()))
        .replace("\"/tmp/qemu\"", &format!("\"{}/tmp/qemu\"", folder.display()));
    for file in [
        "opt/kata/bin/qemu-system-x86_64",
        "opt/kata/libexec/virtiofsd",
        "opt/kata/share/kata-containers/vmlinux.container",
        "opt/kata/share/kata-containers/kata-containers.img",
    ] {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    std::fs::write(folder.join("configuration.toml"), config).unwrap();
    std::fs::write(folder.join("pods.yaml"), super::stage::PODS).unwrap();
    std::fs::write(folder.join("host.toml"), "cpus = 8\nmemory_mib = 16384\nvhost_vsock = true\n").unwrap();
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn starts_resizes_and_quits() {
    let folder = folder();
    let mut terminal = Terminal::program(folder.path(), &[]);
    terminal.shows("6 Pods");
    terminal.press("6");
    terminal.shows("own-qemu");
    terminal.screen.lock().unwrap().screen_mut().set_size(12, 60);
    terminal.master.resize(size(12, 60)).unwrap();
    terminal.until("a narrow footer", |s| s.contents().lines().nth(11).is_some_and(|l| l.contains("q quit")));
    terminal.screen.lock().unwrap().screen_mut().set_size(40, 140);
    terminal.master.resize(size(40, 140)).unwrap();
    terminal.until("a wide footer", |s| s.contents().lines().nth(39).is_some_and(|l| l.contains("q quit")));
    terminal.press("q");
    assert!(terminal.ends().success());
    terminal.is_restored();
}

#[test]
fn the_sample_opens_without_arguments_and_says_so() {
    let folder = folder();
    let mut terminal = Terminal::run(env!("CARGO_BIN_EXE_katascope"), &[], folder.path(), &[]);
    terminal.shows("sample");
    terminal.press("q");
    assert!(terminal.ends().success());
    terminal.is_restored();
}

#[test]
fn a_signal_restores_the_terminal_and_prints_the_edits() {
    for (signal, number) in [("TERM", 15), ("HUP", 1)] {
        let folder = folder();
        let script = format!(
            "{} -c configuration.toml --runtime go --host host.toml pods.yaml; echo status $?; stty -a | tr ';' '\\n' | grep -o -w -e icanon -e '-icanon' -e '-echo'; echo the end",
            env!("CARGO_BIN_EXE_katascope")
        );
        files(folder.path());
        let mut terminal = Terminal::run("sh", &["-c", &script], folder.path(), &[]);
        terminal.shows("6 Pods");
        terminal.press("2jd");
        terminal.shows("1 unsaved");
        let pid = terminal.child.process_id().unwrap().to_string();
        // The shell's only child is the program.
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let child = children.split_whitespace().next().unwrap().to_owned();
        assert!(
            // The shell's own: a small image has no other.
            std::process::Command::new("sh")
                .args(["-c", &format!("kill -{signal} {child}")])
                .status()
                .unwrap()
                .success()
        );
        terminal.shows("the end");
        terminal.is_restored();
        let shown = terminal.contents();
        assert!(shown.contains(&format!("status {}", 128 + number)), "{shown}");
        assert!(
            shown.contains("icanon") && !shown.contains("-icanon") && !shown.contains("-echo"),
            "{shown}"
        );
        assert!(
            shown.contains("unsaved policy edits") && shown.contains("-    \"enable_iommu\","),
            "{shown}"
        );
        terminal.ends();
    }
}

#[test]
fn suspends_and_comes_back() {
    let folder = folder();
    files(folder.path());
    let mut terminal = Terminal::run("bash", &["--norc", "--noprofile", "-i"], folder.path(), &[]);
    terminal.shows("$ ");
    terminal.press(&format!(
        "{} -c configuration.toml --runtime go --host host.toml pods.yaml\n",
        env!("CARGO_BIN_EXE_katascope")
    ));
    terminal.shows("6 Pods");
    terminal.press("2j");
    terminal.shows("enable_iommu");
    terminal.press("\u{1a}");
    terminal.shows("Stopped");
    // The shell's own line editor takes pastes again; the rest is as it was.
    terminal.until("the main screen", |s| !s.alternate_screen() && !s.hide_cursor());
    terminal.press("echo between; fg\n");
    terminal.until("the screen again", |s| s.alternate_screen() && s.contents().contains("6 Pods"));
    terminal.shows("not anchored");
    terminal.press("q");
    terminal.shows("between");
    terminal.until("the main screen", |s| !s.alternate_screen() && !s.hide_cursor());
    terminal.press("exit\n");
    terminal.ends();
}

#[test]
fn the_editor_gets_the_place_and_the_file_is_read_again() {
    let folder = folder();
    let script = folder.path().join("editor.sh");
    std::fs::write(
        &script,
        "#!/bin/sh\necho \"$@\" > told\necho editing; read line\nsed -i 's/default_vcpus = 1/default_vcpus = 7/' \"$1\"\n",
    )
    .unwrap();
    let editor = format!("sh {}", script.display());
    let mut terminal = Terminal::program(folder.path(), &[("EDITOR", &editor)]);
    terminal.shows("6 Pods");
    terminal.press("2jE");
    terminal.until("the editor", |s| !s.alternate_screen() && s.contents().contains("editing"));
    terminal.press("qqq\n");
    terminal.shows("read again");
    let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
    assert!(told.trim_end().ends_with("configuration.toml"), "{told}");
    // From the refused pod that it starts with to one that starts.
    terminal.press("...5/default_vcpus\r");
    terminal
        .until("the new value", |s| s.contents().contains("default_vcpus") && s.contents().contains(" 7 "));
    terminal.press("q");
    assert!(terminal.ends().success());
    terminal.is_restored();
}

#[test]
fn a_file_that_changes_is_read_again_while_nothing_is_unsaved() {
    let folder = folder();
    let mut terminal = Terminal::program(folder.path(), &[]);
    terminal.shows("6 Pods");
    terminal.press("2");
    terminal.shows("4 entries");
    let path = folder.path().join("configuration.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("    \"^path$\",\n", "")).unwrap();
    terminal.until("the pattern to go", |s| !s.contents().contains("^path$"));
    terminal.press("jd");
    terminal.shows("2 entries");
    std::fs::write(&path, text.replace("default_vcpus = 1", "default_vcpus = 2")).unwrap();
    terminal.shows("changed on disk");
    assert!(terminal.contents().contains("2 entries"), "edits are kept");
    terminal.press("qd");
    assert!(terminal.ends().success());
}

#[test]
fn quitting_with_unsaved_edits_asks_and_a_saved_file_is_written() {
    let folder = folder();
    let mut terminal = Terminal::program(folder.path(), &[]);
    terminal.shows("6 Pods");
    terminal.press("2jd");
    terminal.shows("1 unsaved");
    terminal.press("q");
    terminal.shows("discard and quit");
    terminal.press("s");
    terminal.shows("write it");
    terminal.press("y");
    assert!(terminal.ends().success());
    terminal.is_restored();
    let saved = std::fs::read_to_string(folder.path().join("configuration.toml")).unwrap();
    assert!(!saved.contains("enable_iommu") && saved.contains("# for the storage team"));
}

#[test]
fn dumb_terminals_and_no_color_get_no_colour() {
    for more in [&[("NO_COLOR", "1")][..], &[("TERM", "dumb")][..]] {
        let folder = folder();
        let mut terminal = Terminal::program(folder.path(), more);
        terminal.shows("6 Pods");
        terminal.press("q");
        assert!(terminal.ends().success());
        let bytes = terminal.raw.lock().unwrap();
        let raw = String::from_utf8_lossy(&bytes);
        assert!(!raw.contains("[38;5;") && !raw.contains("[31m") && !raw.contains("[48;5;"), "{more:?}");
    }
}

#[test]
fn settings_are_read_and_their_mistakes_are_said() {
    let folder = folder();
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "theme = \"mono\"\n[keys]\nquit = [\"w\"]\n").unwrap();
    let path = settings.display().to_string();
    let mut terminal = Terminal::program(folder.path(), &[("KATASCOPE_CONFIG", &path)]);
    terminal.shows("w quit");
    terminal.press("qw");
    assert!(terminal.ends().success());
    std::fs::write(&settings, "colour = 1\n").unwrap();
    let mut terminal = Terminal::program(folder.path(), &[("KATASCOPE_CONFIG", &path)]);
    terminal.shows("no setting is named 'colour'");
    terminal.press("q");
    assert!(terminal.ends().success());
}

/// The program on pods that come through a pipe, which somebody else fills.
fn waiting_for_pods(folder: &Path) -> Terminal {
    files(folder);
    let script = format!(
        "mkfifo more; cat more | {} -c configuration.toml --runtime go --host host.toml -; echo status $?",
        env!("CARGO_BIN_EXE_katascope")
    );
    let terminal = Terminal::run("sh", &["-c", &script], folder, &[]);
    terminal.shows("reading <stdin>: 0.0 MB so far");
    terminal.shows("q quit");
    terminal
}

#[test]
fn what_is_read_is_shown_and_can_be_left() {
    for key in ["q", "\u{3}"] {
        let folder = folder();
        let mut terminal = waiting_for_pods(folder.path());
        terminal.press(key);
        terminal.is_restored();
        // The other end of the pipe still waits.
        drop(std::fs::OpenOptions::new().write(true).open(folder.path().join("more")).unwrap());
        terminal.shows("status 0");
        assert!(terminal.ends().success());
    }
}

#[test]
fn what_is_typed_while_reading_counts_afterwards() {
    let folder = folder();
    let mut terminal = waiting_for_pods(folder.path());
    terminal.press("6/qemu\r");
    terminal.screen.lock().unwrap().screen_mut().set_size(24, 80);
    terminal.master.resize(size(24, 80)).unwrap();
    terminal
        .until("the smaller size", |s| s.contents().lines().nth(23).is_some_and(|l| l.contains("q quit")));
    std::fs::write(folder.path().join("more"), super::stage::PODS).unwrap();
    terminal.shows("Esc clears");
    assert!(terminal.contents().contains("own-qemu"), "{}", terminal.contents());
    terminal.press("q");
    terminal.shows("status 0");
}

/// A cluster in a program's place: a list, then the events that stand in a file, for as long as it is let.
#[test]
fn the_pods_of_a_cluster_are_kept_current() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    files(folder.path());
    let pod = |name: &str| {
        format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"lab"}},"spec":{{"containers":[]}}}}"#
        )
    };
    let event = |kind: &str, name: &str| format!("{{\"type\":\"{kind}\",\"object\":{}}}\n", pod(name));
    let put = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    put(
        "list.json",
        format!(r#"{{"kind":"List","apiVersion":"v1","items":[{},{}]}}"#, pod("one"), pod("two")),
    );
    put("events", event("ADDED", "one") + &event("ADDED", "two"));
    let program = folder.path().join("kubectl");
    let script = "#!/bin/sh\ncase \"$*\" in *--watch*) echo \"$@\" > asked; exec tail -n +1 -f events;; \
                  *) exec cat list.json;; esac\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = program.display().to_string();
    let args = ["-c", "configuration.toml", "--runtime", "go", "--host", "host.toml", "-A", "--watch"];
    let mut terminal =
        Terminal::run(env!("CARGO_BIN_EXE_katascope"), &args, folder.path(), &[("KUBECTL", &path)]);
    terminal.shows("kubectl get pods -o json --all-namespaces --watch");
    terminal.press("6");
    terminal.shows("lab/two");
    let more = |text: String| {
        let mut file = std::fs::OpenOptions::new().append(true).open(folder.path().join("events")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    // What is said of it depends on whether kubectl has printed every pod once by then; that it is there does not.
    more(event("ADDED", "three"));
    terminal.shows("lab/three");
    more(event("DELETED", "two"));
    terminal.until("two gone", |screen| {
        !screen.contents().contains("lab/two ") || screen.contents().contains("lab/two is gone")
    });
    more("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"message\":\"too old\"}}\n".to_owned());
    terminal.shows("the pods are not kept current any more");
    let asked = std::fs::read_to_string(folder.path().join("asked")).unwrap();
    assert_eq!(asked, "get pods -o json --all-namespaces --watch --output-watch-events\n");
    terminal.press("q");
    assert!(terminal.ends().success());
}

#[test]
fn what_cannot_be_read_is_said_after_the_terminal_is_given_back() {
    let folder = folder();
    let terminal = waiting_for_pods(folder.path());
    std::fs::write(folder.path().join("more"), "kind: [\n").unwrap();
    terminal.shows("status 2");
    terminal.is_restored();
    assert!(terminal.contents().contains("<stdin>:"), "{}", terminal.contents());
}

#[test]
fn a_copy_reaches_the_terminal_and_through_tmux() {
    for (more, sequence) in [
        (&[][..], "\u{1b}]52;c;"),
        // No such tmux runs: what is left is what goes through it.
        (&[("TMUX", "/nonexistent,1,0")][..], "\u{1b}Ptmux;\u{1b}\u{1b}]52;c;"),
    ] {
        let folder = folder();
        let mut terminal = Terminal::program(folder.path(), more);
        terminal.shows("6 Pods");
        terminal.press("y");
        terminal.shows("by OSC 52");
        terminal.press("q");
        assert!(terminal.ends().success());
        terminal.is_restored();
        let bytes = terminal.raw.lock().unwrap();
        let raw = String::from_utf8_lossy(&bytes).into_owned();
        let sent = raw.split(sequence).nth(1).and_then(|rest| rest.split('\u{7}').next());
        let sent = sent.unwrap_or_else(|| panic!("{sequence:?} is not in what was sent"));
        // The path that the refused pod asks for, in base64.
        assert_eq!(sent, "L3RtcC9xZW11");
    }
}

#[test]
fn a_light_terminal_is_asked_and_believed() {
    let question = "\u{1b}]11;?\u{7}";
    let header = "48;5;253m";
    for end in ["\u{7}", "\u{1b}\\"] {
        let folder = folder();
        let mut terminal = Terminal::program(folder.path(), &[]);
        terminal.shows("6 Pods");
        terminal.until_sent(question);
        // Between other keys, as it comes to somebody who types.
        terminal.press(&format!("2\u{1b}]11;rgb:ffff/ffff/ffff{end}j"));
        terminal.until_sent(header);
        terminal.shows("not anchored");
        assert!(!terminal.contents().contains("Commands"), "{}", terminal.contents());
        terminal.press("q");
        assert!(terminal.ends().success());
        terminal.is_restored();
    }
    let folder = folder();
    let mut terminal = Terminal::program(folder.path(), &[]);
    terminal.until_sent(question);
    terminal.press("\u{1b}]11;rgb:1e1e/1e1e/2e2e\u{1b}\\2");
    terminal.shows("4 entries");
    terminal.press("q");
    assert!(terminal.ends().success());
    assert!(!terminal.sent().contains(header), "dark stays dark");
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::program(folder.path(), &[("COLORFGBG", "15;0")]);
    terminal.shows("6 Pods");
    terminal.press("q");
    assert!(terminal.ends().success());
    assert!(!terminal.sent().contains(question), "it was said already");
}

#[test]
fn a_terminal_that_goes_away_without_a_signal_ends_the_program() {
    let folder = folder();
    files(folder.path());
    // In a session of its own nobody tells the program; the shell that outlives the terminal says how it ended.
    let script = format!(
        "trap '' HUP; setsid -w {} -c configuration.toml --runtime go --host host.toml pods.yaml; echo $? > ended",
        env!("CARGO_BIN_EXE_katascope")
    );
    let mut terminal = Terminal::run("/bin/sh", &["-c", &script], folder.path(), &[]);
    terminal.shows("Annotations");
    let ended = folder.path().join("ended");
    terminal.hang_up();
    let start = Instant::now();
    while std::fs::read_to_string(&ended).unwrap_or_default().is_empty() {
        assert!(start.elapsed() < PATIENCE, "the program goes on without a terminal");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Not a test of its own: what the next one runs inside a terminal.
#[test]
#[ignore = "run by a_panic_restores_the_terminal inside a pseudo-terminal"]
fn child_that_panics() {
    guard_against_panics();
    let _guard = Guard::take(true).unwrap();
    set_last_words(Some("the unsaved edits".into()));
    panic!("as it was meant to");
}

#[test]
fn a_panic_restores_the_terminal() {
    let folder = folder();
    let own = std::env::current_exe().unwrap();
    let args = ["--ignored", "--exact", "--nocapture", "screens::pty::child_that_panics"];
    let mut terminal = Terminal::run(own.to_str().unwrap(), &args, folder.path(), &[]);
    terminal.shows("as it was meant to");
    terminal.shows("the unsaved edits");
    terminal.ends();
    terminal.is_restored();
    let bytes = terminal.raw.lock().unwrap();
    let raw = String::from_utf8_lossy(&bytes);
    assert!(raw.contains("\u{1b}[?1049h"), "it was on the alternate screen");
}
