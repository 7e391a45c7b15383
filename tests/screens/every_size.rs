//! Every screen and every window at every size from 1x1 to 60x20, full of data that terminals choke on:
//! nothing panics, and nothing of the data acts on the terminal. Screens, windows and rows are counted
//! off against their enums, so that a new one cannot be forgotten.

use std::collections::BTreeSet;

use std::sync::Arc;

use katascope::cri::Engine;
use katascope::cri::containerd::{self, Containerd};
use katascope::evaluate::node::NodeEvaluator;
use katascope::input::config::Layers;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
use katascope::input::manifest::Pod;
use katascope::node::{self, Said};
use katascope::release::{Release, Runtime};
use katascope::tui::keymap::Keymap;
use katascope::tui::message::{Answer, Message};
use katascope::tui::model::Model;
use katascope::tui::model::dialog::Dialog;
use katascope::tui::model::nodes::Nodes;
use katascope::tui::model::pods::First;
use katascope::tui::model::row::Body;
use katascope::tui::model::{Screen, Typing};
use katascope::tui::theme::{Preset, Theme};
use katascope::tui::view;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::stage::{CONFIG, Stage, evaluator_of, pods};

/// A list of names and the function that names a value, from one table: a variant without a row does not
/// compile, and a row without a scene fails.
macro_rules! names {
    ($all:ident, $name:ident, $type:ty, $($pattern:pat => $text:literal),+ $(,)?) => {
        const $all: &[&str] = &[$($text),+];
        fn $name(value: &$type) -> &'static str {
            match value { $($pattern => $text),+ }
        }
    };
}

names!(DIALOGS, dialog_name, Dialog,
    Dialog::Help { .. } => "help",
    Dialog::Palette { .. } => "palette",
    Dialog::Try { .. } => "try",
    Dialog::Pattern(_) => "pattern",
    Dialog::Key(_) => "key edit",
    Dialog::Opening { .. } => "opening",
    Dialog::Otherwise(_) => "otherwise",
    Dialog::Find { .. } => "find",
    Dialog::Save { .. } => "save",
    Dialog::Conflict { .. } => "conflict",
    Dialog::Quit => "quit",
    Dialog::CopyMenu { .. } => "copy",
    Dialog::Handlers { .. } => "handlers",
    Dialog::Releases { .. } => "releases",
    Dialog::Text { .. } => "text",
);

names!(SCREENS, screen_name, Screen,
    Screen::Annotations => "annotations",
    Screen::Policy => "policy",
    Screen::Launch => "launch",
    Screen::Agent => "agent",
    Screen::Config => "config",
    Screen::Pods => "pods",
    Screen::Nodes => "nodes",
    Screen::Live => "live",
    Screen::Upgrade => "upgrade",
);

names!(INPUTS, input_name, Typing,
    Typing::Nowhere => "none",
    Typing::Filter => "filter",
    Typing::Search => "search",
);

names!(ROWS, row_name, Body,
    Body::Heading(_) => "heading",
    Body::Annotation(_) => "annotation",
    Body::List(_) => "list",
    Body::Pattern(_) => "pattern",
    Body::Change(_) => "change",
    Body::Fold(_) => "fold",
    Body::Key(_) => "key",
    Body::Pod(_) => "pod",
    Body::Group(_) => "group",
    Body::PodOnNodes(_) => "pod on nodes",
    Body::Vm(_) => "vm",
    Body::Argument(_) => "argument",
    Body::Cause(_) => "cause",
    Body::TouchedPod(_) => "touched pod",
);

/// Texts that terminals choke on.
pub const HOSTILE: [&str; 10] = [
    "\u{1b}[31mred\u{1b}[0m\u{7}\u{1b}]0;title\u{7}",
    "\u{202e}drawkcab\u{2066}\u{200f}",
    "日本語テキスト한국어🦀🦀👨‍👩‍👧🏳️‍🌈",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{301}\u{200b}\u{feff}\u{ad}\u{e0041}",
    "tab\tnewline\nreturn\r\u{b}\u{c}\u{8}",
    "nul\0del\u{7f}c1\u{9b}31m\u{90}",
    "العربية עברית",
    "ﷺ꧅𒐫\u{1f468}\u{200d}",
    "",
];

/// All of them in one, repeated to some length.
fn everything(length: usize) -> String {
    HOSTILE.concat().chars().cycle().take(length).collect()
}

/// A configuration that says hostile things, and lets every annotation in.
fn config() -> String {
    let quoted = toml_edit::Value::from(everything(300)).to_string();
    let short = toml_edit::Value::from(HOSTILE.concat()).to_string();
    CONFIG
        .replace(
            "enable_annotations = [",
            &format!("enable_annotations = [\n    \".*\", # 日本語 \u{202e}x\n    {short},{quoted},\"[\","),
        )
        .replace("[\"/opt/kata/bin/qemu-*\"]", &format!("[\"/opt/kata/bin/qemu-*\", {short}, \"/**\"]"))
        .replace("kernel_params = \"quiet\"", &format!("kernel_params = {quoted}"))
}

/// A pod that starts, one that is refused, and one for each text, all with hostile names and values.
pub fn hostile_pods() -> Vec<Pod> {
    let mut found = pods(super::stage::PODS);
    let mut big = found[1].clone();
    big.name = everything(90);
    big.namespace = everything(60);
    for annotation in &mut big.annotations {
        if annotation.key.ends_with("kernel_params") {
            annotation.value = everything(4_000).into();
        }
    }
    let mut refused = found[2].clone();
    refused.name = HOSTILE.concat();
    refused.annotations[0].value = format!("/{}", everything(4_000)).into();
    let mut both = vec![big, refused];
    for (i, text) in HOSTILE.iter().enumerate() {
        let mut pod = found[1].clone();
        pod.name = format!("pod-{text}-{i}");
        pod.namespace = text.to_string();
        pod.kind = format!("{text}Kind");
        pod.source.file = format!("{text}.yaml");
        for annotation in &mut pod.annotations {
            annotation.value = text.repeat(40).into();
        }
        pod.annotations[0].key = format!("io.katacontainers.config.hypervisor.{text}").into();
        pod.annotations[1].value = "x".repeat(4_000).into();
        both.push(pod);
    }
    both.append(&mut found);
    both
}

/// The program over all of that, on the pod at `pod`.
pub fn hostile_stage(width: u16, height: u16, pod: usize) -> Stage {
    let path = "/etc/kata\u{1b}[2J\u{202e}日本/configuration.toml";
    let layers = Layers::of_text(path, &config());
    let mut stage =
        Stage::of(evaluator_of(layers, Release::newest(Runtime::Go)), hostile_pods(), width, height);
    for _ in 0..pod {
        stage.keys(".");
    }
    stage
}

/// A node whose handlers have hostile names.
pub fn node_stage() -> Stage {
    let table = |name: &str, path: &str| {
        let name = toml_edit::Value::from(name).to_string();
        format!(
            "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.{name}]\nruntime_type = 'io.containerd.kata.v2'\n\
             runtime_path = '{path}'\n"
        )
    };
    let mut text = "version = 3\n".to_owned();
    for name in HOSTILE.iter().filter(|name| !name.is_empty() && !name.contains('\n')) {
        text += &table(name, "/opt/kata/bin/containerd-shim-kata-v2");
        text += &table(&format!("gone-{name}"), "/gone/containerd-shim-kata-v2");
    }
    let files = MemoryFiles::new()
        .file("/etc/containerd/config.toml", 0o644, text)
        .file("/opt/kata/bin/containerd-shim-kata-v2", 0o755, "a shim")
        .file("/etc/kata-containers/configuration.toml", 0o644, config());
    let host = Host::new(HostFacts::default(), Arc::new(files));
    let containerd =
        Containerd::read(&host, "/etc/containerd/config.toml", containerd::Release::NEWEST, None);
    let node = node::Node::new(host, Engine::Containerd(Box::new(containerd)), &Said::default());
    let mut stage = hostile_stage(100, 30, STARTS);
    let mut pods = hostile_pods();
    for (pod, name) in pods.iter_mut().zip(HOSTILE.iter().cycle()) {
        pod.runtime_class = Some((*name).to_owned());
    }
    stage.model = Model::opened(First::at(NodeEvaluator::new(node, None, None), pods, 0));
    stage
}

#[test]
fn handlers_at_every_size() {
    for script in ["6", "6 G l", "H", "H G", "H j j enter", "6 j j j enter 1"] {
        let mut stage = node_stage();
        play(&mut stage, script);
        every_size(&mut stage, script);
    }
}

/// Pods on nodes with hostile names.
fn nodes_stage() -> Stage {
    let mut stage = hostile_stage(100, 30, STARTS);
    let names = HOSTILE.map(str::to_owned);
    let matrix = super::nodes::matrix(&hostile_pods(), &names);
    stage.model.nodes = Some(Nodes { matrix, opened: 0, at: 0 });
    stage
}

#[test]
fn nodes_at_every_size() {
    for script in ["7", "7 l l l G", "7 l l l l l l l l l l tab"] {
        let mut stage = nodes_stage();
        play(&mut stage, script);
        every_size(&mut stage, script);
    }
}

#[test]
fn upgrades_at_every_size() {
    for script in ["6 t G", "9 j j enter enter", "9 j j enter G enter tab G"] {
        let mut stage = hostile_stage(100, 30, STARTS);
        play(&mut stage, script);
        every_size(&mut stage, script);
    }
}

/// Whether `c` acts on a terminal or hides. Written down here once more, on purpose.
fn acts(c: char) -> bool {
    let n = u32::from(c);
    n < 0x20
        || (0x7f..0xa0).contains(&n)
        || [0xad, 0x61c, 0x180e, 0xfeff].contains(&n)
        || (0x200b..=0x200f).contains(&n)
        || (0x2028..=0x202e).contains(&n)
        || (0x2060..=0x206f).contains(&n)
        || (0xe0000..=0xe007f).contains(&n)
}

pub fn check(buffer: &Buffer, what: &str) {
    for cell in buffer.content() {
        let symbol = cell.symbol();
        let plain = symbol.len() == 1 && symbol.as_bytes()[0] >= 0x20 && symbol.as_bytes()[0] < 0x7f;
        if !plain {
            assert!(!symbol.chars().any(acts), "{what}: {symbol:?}");
            assert!(symbol.width() <= 2 && symbol.chars().count() <= 8, "{what}: {symbol:?}");
        }
    }
}

/// Draws a stage at every size.
fn every_size(stage: &mut Stage, what: &str) {
    let mut cells = Buffer::empty(Rect::new(0, 0, 60, 20));
    for width in 1..=60 {
        for height in 1..=20 {
            stage.size = (width, height);
            cells.resize(Rect::new(0, 0, width, height));
            stage.draw_into(&mut cells);
            check(&cells, what);
        }
    }
    // And where list and detail stand side by side.
    for size in [(80, 24), (99, 30), (100, 30), (101, 12), (140, 40)] {
        stage.size = size;
        check(&stage.draw(), what);
    }
}

/// Types a script; of its words, `@paste` pastes hostile text and `@theirs` has somebody else write files.
fn play(stage: &mut Stage, script: &str) {
    for word in script.split(' ') {
        match word {
            "@paste" => stage.send(Message::Paste(everything(700))),
            "@theirs" => {
                for text in stage.disk.values_mut() {
                    let theirs = text.replace("default_vcpus = 1", "default_vcpus = 3");
                    *text = format!("# {}\n{theirs}", HOSTILE[2]);
                }
            }
            "@stale" => {
                let path = stage.disk.keys().next().cloned().unwrap_or_default();
                stage.send(Message::Answer(Answer::ChangedOnDisk(vec![path])));
            }
            word => {
                stage.keys(word);
            }
        }
    }
}

/// Plays scenes on the pods at `on`, and draws each at every size.
fn every_scene(on: &[usize], scripts: &[&str]) {
    for pod in on {
        for script in scripts {
            let mut stage = hostile_stage(100, 30, *pod);
            play(&mut stage, script);
            every_size(&mut stage, script);
        }
    }
}

/// Where in `hostile_pods` one starts, one is refused, and those of single texts begin.
const STARTS: usize = 0;
const REFUSED: usize = 1;
const SINGLE: usize = 2;

const ANNOTATIONS: [&str; 6] = ["1", "1 l", "1 G", "1 v v", "1 / @paste", "1 l / `red`"];
const POLICY: [&str; 6] = ["2", "2 j l", "2 G", "2 j j j j l", "2 / `o`", "2 v v"];
const LAUNCH: [&str; 8] = ["3", "3 j l", "3 k k l", "3 t", "3 Z G", "3 Z t G l", "3 b", "3 i"];
const AGENT: [&str; 5] = ["4", "4 l", "4 t Z", "4 G l", "4 / @paste"];
const CONFIG_SCREEN: [&str; 5] = ["5", "5 l", "5 G l", "5 / `hyp`", "5 i"];
const PODS: [&str; 10] = [
    "6",
    "6 l",
    "6 G l",
    "6 / `pod`",
    "6 b",
    "6 b Z j l",
    "6 b b enter o O",
    "6 b / `!a`",
    "6 * X / `pod` enter n",
    "6 g space space c",
];
const PICKERS: [&str; 8] = ["?", "? @paste", ":", ": @paste", "f", "f `pod`", "f @paste", "f `hypervsior`"];
const TEXTS: [&str; 13] = [
    "2 A / `e` enter n",
    "Y",
    "z",
    "m",
    "2 A",
    "e @paste enter x",
    "6 Y",
    "S G",
    "F",
    "W @paste enter",
    "B F down",
    "1 j j K",
    "2 t",
];
const EDITORS: [&str; 10] = [
    "p",
    "6 * 1 g j p up @paste enter",
    "e @paste",
    "2 a @paste",
    "2 a `[`",
    "2 j e",
    "2 j j e tab",
    "5 / `default_vcpus` enter e ctrl-u `4`",
    "5 / `kernel_params` enter e @paste",
    "5 / `kernel_params` enter e @paste enter s",
];
const FILES: [&str; 8] = [
    "2 j d s",
    "2 j d s tab",
    "2 a @paste enter s",
    "2 j d q",
    "2 j d @theirs @stale",
    "2 j d @theirs s y",
    "2 a `x` enter @theirs s y end",
    "2 j d R u",
];

#[test]
fn annotations_at_every_size() {
    every_scene(&[STARTS, REFUSED, SINGLE + 3], &ANNOTATIONS);
}

#[test]
fn policy_at_every_size() {
    every_scene(&[STARTS], &POLICY);
}

#[test]
fn launch_at_every_size() {
    every_scene(&[STARTS, REFUSED], &LAUNCH);
}

#[test]
fn agent_at_every_size() {
    every_scene(&[STARTS], &AGENT);
}

#[test]
fn config_and_pods_at_every_size() {
    every_scene(&[STARTS, REFUSED], &CONFIG_SCREEN);
    every_scene(&[STARTS], &PODS);
}

#[test]
fn pickers_at_every_size() {
    every_scene(&[STARTS], &PICKERS);
}

#[test]
fn texts_and_inputs_at_every_size() {
    every_scene(&[STARTS, REFUSED], &TEXTS);
    every_scene(&[STARTS], &EDITORS);
}

#[test]
fn files_at_every_size() {
    every_scene(&[STARTS], &FILES);
}

#[test]
fn reading_at_every_size() {
    for words in HOSTILE.map(|text| format!("reading {text}: 3.1 MB of 5.0 MB")) {
        for (width, height) in (1..=60).flat_map(|w| (1..=20).map(move |h| (w, h))) {
            let mut cells = Buffer::empty(Rect::new(0, 0, width, height));
            view::reading(&words, &Keymap::default(), Theme::new(Preset::Dark, false), &mut cells);
            check(&cells, &words);
            if (width, height) == (60, 20) {
                let drawn = super::stage::text(&cells);
                assert!(drawn.contains("3.1 MB of 5.0 MB") && drawn.contains("q quit"), "{drawn}");
            }
        }
    }
}

#[test]
fn no_screen_window_input_or_row_is_left_out() {
    let all: [&[&str]; 10] =
        [&ANNOTATIONS, &POLICY, &LAUNCH, &AGENT, &CONFIG_SCREEN, &PODS, &PICKERS, &TEXTS, &EDITORS, &FILES];
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for script in all.concat() {
        let mut stage = hostile_stage(100, 30, STARTS);
        play(&mut stage, script);
        let model = &stage.model;
        seen.insert(("screen", screen_name(&model.screen)));
        seen.insert(("input", input_name(&model.typing)));
        seen.extend(model.dialogs.iter().map(|dialog| ("window", dialog_name(dialog))));
        seen.extend(model.rows.shown.iter().map(|row| ("row", row_name(&row.body))));
    }
    let mut stage = node_stage();
    play(&mut stage, "H");
    seen.extend(stage.model.dialogs.iter().map(|dialog| ("window", dialog_name(dialog))));
    let mut stage = nodes_stage();
    play(&mut stage, "7");
    seen.insert(("screen", screen_name(&stage.model.screen)));
    seen.extend(stage.model.rows.shown.iter().map(|row| ("row", row_name(&row.body))));
    let mut stage = hostile_stage(100, 30, STARTS);
    play(&mut stage, "8");
    seen.insert(("screen", screen_name(&stage.model.screen)));
    for text in [
        "/usr/bin/qemu-system-x86_64 -name sandbox-a -m 2G\n",
        "/usr/bin/qemu-system-x86_64 -name sandbox-b -m 2G",
    ] {
        let both = format!("/usr/bin/qemu-system-x86_64 -name sandbox-a -m 2G\n{text}");
        stage.send(Message::Paste(both));
        seen.extend(stage.model.rows.shown.iter().map(|row| ("row", row_name(&row.body))));
    }
    let mut stage = hostile_stage(100, 30, STARTS);
    play(&mut stage, "9");
    seen.extend(stage.model.dialogs.iter().map(|dialog| ("window", dialog_name(dialog))));
    // Pods are listed under a cause that touches several.
    play(&mut stage, "j j j enter g");
    for _ in 0..stage.model.rows.all {
        if stage.model.screen == Screen::Upgrade {
            play(&mut stage, "enter");
            seen.extend(stage.model.rows.shown.iter().map(|row| ("row", row_name(&row.body))));
            seen.insert(("screen", screen_name(&stage.model.screen)));
            play(&mut stage, "enter j");
        } else {
            play(&mut stage, "9 j");
        }
    }
    let all = [("screen", SCREENS), ("input", INPUTS), ("window", DIALOGS), ("row", ROWS)];
    let missing: Vec<(&str, &str)> = all
        .iter()
        .flat_map(|(what, names)| names.iter().map(|name| (*what, *name)))
        .filter(|name| !seen.contains(name))
        .collect();
    assert_eq!(missing, [], "no scene shows these");
}
