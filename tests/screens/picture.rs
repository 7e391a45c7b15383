//! The pictures of the README: scenes through the real program, written as SVG by the writer below and
//! as PNG from those very SVGs; and a moving one, whose frames are such SVGs one after the other. The test compares;
//! `UPDATE=1 cargo test --test suite pictures` writes all anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use katascope::tui::theme::Preset;
use katascope::tui::widget::text::width;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use katascope::input::manifest::Pod;
use katascope::tui::model::nodes::Nodes;

use super::stage::{Stage, pods};
use super::{live, nodes};

/// What a scene is played on.
#[derive(Clone, Copy)]
enum On {
    /// The embedded sample.
    Sample,
    /// The same files as those of a node, which can be written.
    Files,
    /// Pods of a cluster.
    Cluster,
    /// The same on several nodes.
    Matrix,
    /// A machine on which VMs run.
    Live,
}

impl On {
    fn stage(self, (width, height): (u16, u16)) -> Stage {
        let sample = || pods(katascope::sample::PODS);
        match self {
            Self::Sample => Stage::sample(width, height),
            Self::Files => Stage::of(katascope::sample::evaluator(), sample(), width, height),
            Self::Cluster => Stage::of(katascope::sample::evaluator(), cluster(), width, height),
            Self::Matrix => {
                let mut stage = Stage::of(katascope::sample::evaluator(), sample(), width, height);
                let names = ["worker-1", "worker-2", "worker-3", "gpu-1"].map(str::to_owned);
                let matrix = nodes::matrix(&sample(), &names);
                stage.model.nodes = Some(Nodes { matrix, opened: 0, at: 0 });
                stage
            }
            Self::Live => live::machine((width, height)),
        }
    }
}

/// What pods of a cluster ask for, and how many of a hundred do.
const ASKED: [(&str, &str, usize); 16] = [
    ("web", "", 22),
    ("api", "hypervisor.default_vcpus: \"2\"", 14),
    ("worker", "hypervisor.default_memory: \"4096\"", 12),
    ("batch", "hypervisor.kernel_params: \"quiet\"", 9),
    ("custom", "hypervisor.path: /tmp/qemu-custom", 8),
    ("notebook", "hypervisor.default_vcpus: four", 6),
    ("cache", "hypervisor.enable_iommu: \"yes\"", 5),
    ("share", "hypervisor.virtio_fs_daemon: /tmp/virtiofsd", 5),
    ("gpu", "hypervisor.machine_type: pc", 4),
    ("train", "hypervisor.default_memory: 8Gi", 4),
    ("index", "hypervisor.default_vcpus: true", 3),
    ("legacy", "hypervisor.defualt_memory: \"8192\"", 3),
    ("edge", "hypervisor.kernel: /tmp/vmlinux", 2),
    ("probe", "agent.kernel_modules: e1000e", 1),
    ("trace", "runtime.disable_guest_seccomp: maybe", 1),
    ("admin", "hypervisor.image: /srv/own.img", 1),
];

/// The pods of a cluster, in its namespaces.
fn cluster() -> Vec<Pod> {
    let namespaces = ["shop", "research", "build", "lab", "monitoring", "payments", "search"];
    let hundred: Vec<usize> = (0..ASKED.len()).flat_map(|at| vec![at; ASKED[at].2]).collect();
    let mut text = String::new();
    for number in 0..480 {
        let (name, annotation, _) = ASKED[hundred[number * 37 % hundred.len()]];
        let space = namespaces[(number * 5 + number / 7) % namespaces.len()];
        let annotations = match annotation {
            "" => String::new(),
            own => format!("\n  annotations:\n    io.katacontainers.config.{own}"),
        };
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}-{number}\n  namespace: {space}{annotations}\nspec:\n  \
             runtimeClassName: kata\n  containers:\n  - {{name: c, image: x}}\n"
        );
    }
    pods(&text)
}

/// A scene is data.
struct Scene {
    name: &'static str,
    size: (u16, u16),
    preset: Preset,
    keys: &'static str,
    on: On,
}

const fn scene(name: &'static str, size: (u16, u16), keys: &'static str) -> Scene {
    Scene { name, size, preset: Preset::Dark, keys, on: On::Sample }
}

const fn on(on: On, name: &'static str, keys: &'static str) -> Scene {
    Scene { on, ..scene(name, (120, 32), keys) }
}

const SCENES: &[Scene] = &[
    scene("annotations", (120, 32), ". . ."),
    scene("refused", (120, 32), ". ."),
    scene("policy", (120, 32), "2 j"),
    scene("pattern", (120, 32), "2 a `machine`"),
    scene("launch", (120, 32), ". . . 3"),
    scene("side-by-side", (160, 32), ". . . 3 t"),
    scene("agent", (120, 32), ". . . 4"),
    scene("config", (120, 32), ". . . 5 v v"),
    scene("pods", (120, 32), "6"),
    on(On::Files, "save", ". . a s"),
    on(On::Cluster, "cluster", "6 b j enter j space space space"),
    on(On::Cluster, "cluster-namespaces", "6 b b / `default_vcpus` enter"),
    on(On::Matrix, "matrix", "7"),
    on(On::Live, "live", "8"),
    scene("audit", (120, 32), "2 A"),
    scene("sizing", (120, 40), ". . . S"),
    scene("what-if", (120, 32), ". . . p `8` down `4Gi`"),
    scene("edit-key", (120, 32), ". . . 5 / `default_vcpus` enter e ctrl-u `8`"),
    scene("help", (120, 32), "?"),
    scene("narrow", (80, 24), ". . enter"),
    Scene { preset: Preset::Light, ..scene("light", (120, 32), ". . .") },
    Scene { preset: Preset::Mono, ..scene("mono", (120, 32), ". . .") },
];

/// The moving picture: from a refused pod to a saved policy. Keys, what is said of them, and how long it is shown.
const FRAMES: &[(&str, &str, u32)] = &[
    ("6", "6   the pods: two are refused", 3),
    ("1 . .", "Enter   why, by which rule of which line, and what would change it", 5),
    ("a", "a   allow what it needs, no more", 4),
    ("3", "3   the VM that it would be given now", 4),
    ("2 j", "2   what the new entry lets in, by risk", 4),
    ("s", "s   what would be written, whom it changes, what it newly lets in", 6),
    ("y", "y   written; nothing was before", 4),
    ("u", "u   takes it back, saved or not", 3),
];

const CELL: (u32, u32) = (9, 17);
const BASELINE: u32 = 14;
const FONT_SIZE: u32 = 15;
const MARGIN: u32 = 8;

type Rgb = (u8, u8, u8);

/// The xterm palette; the first sixteen as a common dark terminal has them.
fn palette(index: u8) -> Rgb {
    const BASE: [Rgb; 16] = [
        (0, 0, 0),
        (205, 49, 49),
        (13, 188, 121),
        (229, 229, 16),
        (36, 114, 200),
        (188, 63, 188),
        (17, 168, 205),
        (229, 229, 229),
        (102, 102, 102),
        (241, 76, 76),
        (35, 209, 139),
        (245, 245, 67),
        (59, 142, 234),
        (214, 112, 214),
        (41, 184, 219),
        (255, 255, 255),
    ];
    match index {
        0..=15 => BASE[usize::from(index)],
        16..=231 => {
            let i = index - 16;
            let level = |n: u8| if n == 0 { 0 } else { 55 + n * 40 };
            (level(i / 36), level(i / 6 % 6), level(i % 6))
        }
        232.. => {
            let grey = 8 + (index - 232) * 10;
            (grey, grey, grey)
        }
    }
}

fn rgb(color: Color, default: Rgb) -> Rgb {
    match color {
        Color::Reset => default,
        Color::Indexed(i) => palette(i),
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Black => palette(0),
        Color::Red => palette(1),
        Color::Green => palette(2),
        Color::Yellow => palette(3),
        Color::Blue => palette(4),
        Color::Magenta => palette(5),
        Color::Cyan => palette(6),
        Color::Gray => palette(7),
        Color::DarkGray => palette(8),
        Color::LightRed => palette(9),
        Color::LightGreen => palette(10),
        Color::LightYellow => palette(11),
        Color::LightBlue => palette(12),
        Color::LightMagenta => palette(13),
        Color::LightCyan => palette(14),
        Color::White => palette(15),
    }
}

#[derive(PartialEq, Clone, Copy)]
struct Look {
    fg: Rgb,
    bg: Rgb,
    bold: bool,
    underlined: bool,
}

fn look(cell: &Cell, page: (Rgb, Rgb)) -> Look {
    let (mut fg, mut bg) = (rgb(cell.fg, page.0), rgb(cell.bg, page.1));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut fg, &mut bg);
    }
    let bold = cell.modifier.contains(Modifier::BOLD);
    Look { fg, bg, bold, underlined: cell.modifier.contains(Modifier::UNDERLINED) }
}

fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The head of an SVG and its page.
fn head((w, h): (u32, u32), page: (Rgb, Rgb)) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"'DejaVu Sans Mono', monospace\" font-size=\"{FONT_SIZE}\">\n\
         <rect width=\"{w}\" height=\"{h}\" rx=\"6\" fill=\"{}\"/>\n",
        hex(page.1)
    )
}

fn size(buffer: &Buffer) -> (u32, u32) {
    let area = buffer.area;
    (u32::from(area.width) * CELL.0 + 2 * MARGIN, u32::from(area.height) * CELL.1 + 2 * MARGIN)
}

/// A buffer as SVG.
fn svg(buffer: &Buffer, page: (Rgb, Rgb)) -> String {
    head(size(buffer), page) + &drawn(buffer, page) + "</svg>\n"
}

/// Frames as one SVG: each is visible for its seconds, and all over again. What does not move shows the first.
fn moving(frames: &[(Buffer, &str, u32)], page: (Rgb, Rgb)) -> String {
    let (w, h) = size(&frames[0].0);
    let whole: u32 = frames.iter().map(|frame| frame.2).sum();
    let mut out = head((w, h + 2 * CELL.1), page);
    let mut from = 0;
    for (index, (buffer, words, seconds)) in frames.iter().enumerate() {
        let at = |second: u32| f64::from(second) / f64::from(whole);
        let (begin, end) = (at(from), at(from + seconds));
        let (values, times) = match index {
            0 => ("visible;hidden".to_owned(), format!("0;{end:.4}")),
            _ => ("hidden;visible;hidden".to_owned(), format!("0;{begin:.4};{end:.4}")),
        };
        let first = if index == 0 { "visible" } else { "hidden" };
        let _ = write!(
            out,
            "<g visibility=\"{first}\"><animate attributeName=\"visibility\" values=\"{values}\" keyTimes=\"{times}\" \
             dur=\"{whole}s\" calcMode=\"discrete\" repeatCount=\"indefinite\"/>\n{}\
             <text x=\"{MARGIN}\" y=\"{}\" xml:space=\"preserve\" fill=\"#f5f543\" font-weight=\"bold\">{}</text>\n</g>\n",
            drawn(buffer, page),
            h + CELL.1,
            escaped(words)
        );
        from += seconds;
    }
    out + "</svg>\n"
}

/// What a buffer shows: one rectangle for each run of background, one text for each run of equal looks.
fn drawn(buffer: &Buffer, page: (Rgb, Rgb)) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in 0..area.height {
        let mut runs: Vec<(u16, u16, Look, String)> = Vec::new();
        let mut x = 0;
        while x < area.width {
            let cell = &buffer[(x, y)];
            let look = look(cell, page);
            let columns = width(cell.symbol()).max(1) as u16;
            match runs.last_mut() {
                Some((start, len, last, text)) if *last == look && *start + *len == x && columns == 1 => {
                    *len += 1;
                    text.push_str(cell.symbol());
                }
                _ => runs.push((x, columns, look, cell.symbol().to_owned())),
            }
            x += columns;
        }
        let top = MARGIN + u32::from(y) * CELL.1;
        for (start, len, look, _) in runs.iter().filter(|r| r.2.bg != page.1) {
            let (x, w) = (MARGIN + u32::from(*start) * CELL.0, u32::from(*len) * CELL.0);
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{top}\" width=\"{w}\" height=\"{}\" fill=\"{}\"/>",
                CELL.1,
                hex(look.bg)
            );
        }
        for (start, len, look, text) in &runs {
            if text.trim().is_empty() && !look.underlined {
                continue;
            }
            let (x, w) = (MARGIN + u32::from(*start) * CELL.0, u32::from(*len) * CELL.0);
            let bold = if look.bold { " font-weight=\"bold\"" } else { "" };
            let line = if look.underlined { " text-decoration=\"underline\"" } else { "" };
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{}\" textLength=\"{w}\" xml:space=\"preserve\" fill=\"{}\"{bold}{line}>{}</text>",
                top + BASELINE,
                hex(look.fg),
                escaped(text)
            );
        }
    }
    out
}

fn png(svg: &str) -> Vec<u8> {
    let mut fonts = resvg::usvg::fontdb::Database::new();
    fonts.load_font_data(include_bytes!("font/DejaVuSansMono.ttf").to_vec());
    fonts.load_font_data(include_bytes!("font/DejaVuSansMono-Bold.ttf").to_vec());
    fonts.set_monospace_family("DejaVu Sans Mono");
    let options = resvg::usvg::Options { fontdb: Arc::new(fonts), ..Default::default() };
    let tree = resvg::usvg::Tree::from_str(svg, &options).unwrap();
    let size = tree.size().to_int_size();
    let mut pixels = resvg::tiny_skia::Pixmap::new(size.width(), size.height()).unwrap();
    resvg::render(&tree, resvg::tiny_skia::Transform::default(), &mut pixels.as_mut());
    pixels.encode_png().unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots")
}

#[test]
fn pictures() {
    let update = std::env::var_os("UPDATE").is_some_and(|v| !v.is_empty());
    let mut differing = Vec::new();
    for scene in SCENES {
        let mut stage = scene.on.stage(scene.size);
        stage.model.preset = scene.preset;
        stage.keys(scene.keys);
        let page = if scene.preset == Preset::Light {
            ((36, 36, 36), (252, 252, 252))
        } else {
            ((220, 220, 220), (24, 26, 31))
        };
        let drawn = svg(&stage.draw(), page);
        let path = folder().join(format!("{}.svg", scene.name));
        if std::fs::read_to_string(&path).is_ok_and(|kept| kept == drawn) {
            continue;
        }
        if update {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, &drawn).unwrap();
            std::fs::write(path.with_extension("png"), png(&drawn)).unwrap();
        } else {
            differing.push(scene.name);
        }
    }
    let page = ((220, 220, 220), (24, 26, 31));
    let mut stage = On::Files.stage((110, 30));
    stage.model.preset = Preset::Dark;
    let frames: Vec<(Buffer, &str, u32)> = FRAMES
        .iter()
        .map(|(keys, words, seconds)| {
            stage.keys(keys);
            (stage.draw(), *words, *seconds)
        })
        .collect();
    let (path, drawn) = (folder().join("moving.svg"), moving(&frames, page));
    assert!(drawn.len() < 500_000, "{} bytes are too many for a page", drawn.len());
    if update {
        std::fs::write(&path, &drawn).unwrap();
    } else if std::fs::read_to_string(&path).ok().as_deref() != Some(drawn.as_str()) {
        differing.push("moving");
    }
    assert!(
        differing.is_empty(),
        "these pictures are not what the program draws: {differing:?}; look at them after \
         UPDATE=1 cargo test --test suite pictures"
    );
}
