//! Header, tabs, status line and footer: where am I, what can I do, what just happened.

use ratatui::layout::Rect;

use super::region;
use crate::answer::finding::Code;
use crate::input::host::Assumption;
use crate::release::Evidence;
use crate::tui::available::reason_against;
use crate::tui::geometry::{Geometry, Target};
use crate::tui::message::{COMMANDS, Command};
use crate::tui::model::Notice;
use crate::tui::model::dialog::Dialog;
use crate::tui::model::openings::Purpose;
use crate::tui::model::outlook::Badge;
use crate::tui::model::row::Body;
use crate::tui::model::{Model, Pane, Screen, Show, Typing};
use crate::tui::theme::Token;
use crate::tui::widget::canvas::Canvas;
use crate::tui::widget::line::Line;
use crate::tui::widget::rich::Rich;
use crate::tui::widget::text;

/// Columns of the pod's name that other things in the header give way to.
const LEAST_OF_POD: usize = 16;

pub(super) fn header(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    canvas.clear(area, Token::Header);
    let glyphs = canvas.theme.glyphs;
    let bar = format!(" {} ", glyphs.bar);
    let setup = model.seat.current.setup();
    let file = setup.layers.asked.rsplit('/').next().unwrap_or_default().to_owned();
    let drop_ins = setup.layers.drop_ins.as_ref().map_or(0, Vec::len);
    let facts = &setup.host.facts;
    let hypervisor = model.seat.current.hypervisor().unwrap_or("does not load");
    let mut right = Rich::new();
    if !model.stale.is_empty() {
        right.push(Token::Dirty, " changed on disk ");
    }
    if model.trying() > 0 {
        right.push(Token::Dirty, format!(" {} tried ", model.trying()));
    }
    if !model.node.said_otherwise().is_empty() {
        right.push(Token::Dirty, " what if ");
    }
    let unsaved = model.unsaved() + model.unsaved_elsewhere();
    if unsaved > 0 {
        right.push(Token::Dirty, format!(" {} {unsaved} unsaved ", glyphs.dirty));
    }
    // Edits of a node in a file have their place beside it.
    let elsewhere = model.sample || model.beside().is_some();
    if model.readonly.is_some() || (model.rights.files.is_some() && !elsewhere) {
        right.push(Token::Text, " read-only ");
    }
    if model.sample {
        right.push(Token::Text, " sample ");
    }
    if model.watching {
        right.push(Token::Text, " watch ");
    }
    let outlook = model.outlook();
    let assumed = match &outlook {
        Some(outlook) => outlook.assumed.iter().any(Assumption::decides),
        None => model.evaluation.hangs_on_assumptions(),
    };
    if assumed {
        right.push(Token::Text, format!(" {} assumed ", glyphs.assumed));
    }
    match outlook.map(|outlook| outlook.badge) {
        None => {}
        Some(Badge::Starts) if model.exposed().is_some_and(|finding| finding.code == Code::Unprotected) => {
            right.push(Token::BadgeBad, " ! UNPROTECTED ");
        }
        Some(Badge::Starts) if assumed => {
            right.push(Token::BadgeAssumed, format!(" {} STARTS ", glyphs.assumed));
        }
        Some(Badge::Starts) => right.push(Token::BadgeGood, format!(" {} STARTS ", glyphs.pass)),
        Some(Badge::Refused) => right.push(Token::BadgeBad, format!(" {} REFUSED ", glyphs.fail)),
        Some(Badge::NotKata) => right.push(Token::Text, " not Kata "),
        Some(Badge::Unknown) => right.push(Token::Text, " ? UNKNOWN "),
    }
    let room = usize::from(area.width).saturating_sub(right.width() + 1);
    let count = format!(" {}/{}", model.pod + 1, model.pods.len());
    let wide = area.width >= 100;
    let release = if wide { setup.release.title() } else { setup.release.id() };
    // It stands for another, or nothing recorded confirms what is said of it.
    let stands_in = if setup.release_note.is_some() { glyphs.assumed } else { "" };
    let read = if setup.release.evidence() == Evidence::Read { " (read)" } else { "" };
    let release = format!("{stands_in}{release}{read}");
    let pod = model.pods.get(model.pod).map_or_else(|| "no pods".to_owned(), |e| e.pod.id());
    // The pod and its outcome come first; what is the same all the time gives way, the file's name before
    // the runtime's.
    let least = text::width(&text::visible(&pod)).min(LEAST_OF_POD) + count.len();
    let handler = match model.due {
        true => model.pods.get(model.pod).and_then(|entry| entry.handler.as_deref()),
        false => model.evaluation.handler.as_deref(),
    };
    let whole = [wide, area.width >= 80, true, false];
    let parts = |level: usize| {
        let mut left = Rich::of(Token::Text, " ");
        if let Some(handler) = handler.filter(|_| model.said_elsewhere().is_some())
            && level < 3
        {
            // The configuration in sight is not the pod's.
            left.push(Token::Strong, text::visible(handler));
            left.push(Token::Text, format!(" {} no Kata runtime{bar}", glyphs.dot));
            return left;
        }
        if let Some(nodes) = model.nodes.as_ref().filter(|_| level < 3) {
            left.push(Token::Strong, text::visible(nodes.short_name(nodes.opened)));
            left.push(Token::Text, &bar);
        }
        if let Some(handler) = model.handler.as_deref().filter(|_| level < 3) {
            left.push(Token::Strong, text::visible(handler));
            left.push(Token::Text, &bar);
        }
        if level < 2 {
            left.push(Token::Strong, &file);
            if drop_ins > 0 {
                left.push(Token::Text, format!(" +{drop_ins}"));
            }
            left.push(Token::Text, &bar);
        }
        if level < 3 {
            left.push(Token::Text, format!("{release} {} {hypervisor}", glyphs.dot));
        }
        if level < 1 {
            let guess = if facts.guess_the_machine() { glyphs.assumed } else { "" };
            let memory = facts.memory_mib / 1024;
            left.push(Token::Text, format!("{bar}{guess}{} cpu {memory} GiB", facts.cpus));
        }
        if level < 3 {
            left.push(Token::Text, &bar);
        }
        left
    };
    let fits = |level: &usize| whole.get(*level) == Some(&true) && parts(*level).width() + least <= room;
    let mut left = parts((0..3).find(fits).unwrap_or(3));
    let pod_room = room.saturating_sub(left.width() + count.len());
    left.push(Token::Strong, text::cut_middle(&text::visible(&pod), pod_room, glyphs.ellipsis));
    if !model.pods.is_empty() && pod_room > 3 {
        left.push(Token::Text, count);
    }
    canvas.line_over(Rect { width: room as u16, ..area }, 0, left, Some(Token::Header));
    let at = area.right().saturating_sub(right.width() as u16);
    canvas.line_over(Rect { x: at, width: area.right() - at, ..area }, 0, right, Some(Token::Header));
}

pub(super) fn tabs(canvas: &mut Canvas<'_>, area: Rect, model: &Model, geometry: &mut Geometry) {
    // None moves when another is opened. Where they do not fit, names are short first, then nearer to each other,
    // and cut in the end.
    let there = |screen: &Screen| match screen {
        Screen::Nodes => model.nodes.is_some(),
        Screen::Upgrade => model.upgrade.is_some(),
        _ => true,
    };
    let screens = || Screen::ALL.into_iter().filter(there);
    let all = usize::from(area.width);
    let taken = |name: fn(Screen) -> &'static str, gap: usize, letters: usize| {
        screens().map(|s| name(s).len().min(letters) + 3 + gap).sum::<usize>()
    };
    let longest = screens().map(|s| s.title().len()).max().unwrap_or(0);
    let (name, gap): (fn(Screen) -> &'static str, usize) = match () {
        () if taken(Screen::title, 1, longest) <= all => (Screen::title, 1),
        () if taken(Screen::short, 1, longest) <= all => (Screen::short, 1),
        () => (Screen::short, 0),
    };
    let letters = (3..=longest).rev().find(|n| taken(name, gap, *n) <= all).unwrap_or(3);
    let mut x = area.x;
    for screen in screens() {
        let on = screen == model.screen;
        let key = model.keymap.chord_for(&model.layers_of(screen), Command::Go(screen));
        let key = key.map_or(String::new(), |k| k.to_string());
        let title = text::head(name(screen), letters).0;
        let mut tab = Rich::of(Token::Key, format!(" {key} "));
        tab.push(if on { Token::Title } else { Token::Text }, title);
        tab.push(Token::Text, " ".repeat(gap));
        let width = (tab.width() as u16).min(area.right().saturating_sub(x));
        let place = Rect { x, width, ..area };
        canvas.line(place, 0, tab);
        if on {
            canvas.tint(place, Token::Selection);
        }
        region(geometry, place, Target::Tab(screen));
        x = x.saturating_add(width);
    }
}

/// A line being typed with its cursor; the part around the cursor where it is longer than the room.
pub(super) fn typed(canvas: &mut Canvas<'_>, area: Rect, prompt: Rich, line: &Line, after: Rich) {
    let used = prompt.width();
    let room = usize::from(area.width).saturating_sub(used + after.width() + 1);
    let before = text::visible(line.before()).into_owned();
    let behind = text::visible(line.behind()).into_owned();
    let shown = text::tail(&before, room);
    let cursor = used + text::width(shown);
    let rest = text::head(&behind, room.saturating_sub(text::width(shown))).0;
    let rich = prompt.put(Token::Input, shown).put(Token::Input, rest);
    canvas.line(area, 0, rich);
    let at = area.right().saturating_sub(after.width() as u16);
    canvas.line(Rect { x: at, width: area.right() - at, ..area }, 0, after);
    let x = area.x.saturating_add(cursor as u16).min(area.right().saturating_sub(1));
    canvas.cursor = Some((x, area.y));
}

/// Rows that a message may take from the body, above its own.
const SPILL: u16 = 3;

/// What was said, whole: where one row is too short it grows upwards, until the next key.
fn notice(canvas: &mut Canvas<'_>, area: Rect, notice: &Notice) {
    let glyphs = canvas.theme.glyphs;
    let (token, sign) = if notice.bad { (Token::Refused, glyphs.fail) } else { (Token::Title, glyphs.arrow) };
    let line = Rich::of(token, format!(" {sign} ")).put(Token::Text, &notice.text);
    let lines = line.wrap(usize::from(area.width), 3);
    let rows = (lines.len() as u16).clamp(1, SPILL + 1);
    let area = Rect { y: area.y.saturating_sub(rows - 1), height: rows, ..area };
    canvas.clear(area, Token::Text);
    for (row, line) in lines.into_iter().take(usize::from(rows)).enumerate() {
        canvas.line(area, row as u16, line);
    }
}

pub(super) fn status(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let glyphs = canvas.theme.glyphs;
    let list = model.list();
    match model.typing {
        Typing::Filter if model.dialogs.is_empty() => {
            let hits = Rich::of(Token::Hint, format!(" {} of {} ", model.rows.kept, model.rows.all));
            typed(canvas, area, Rich::of(Token::Key, " / "), &list.filter, hits);
            return;
        }
        Typing::Search if model.dialogs.is_empty() => {
            typed(canvas, area, Rich::of(Token::Key, " search "), &list.search, Rich::new());
            return;
        }
        _ => {}
    }
    if let Some(said) = &model.notice {
        notice(canvas, area, said);
        return;
    }
    let line = if !list.filter.is_empty() {
        Rich::of(Token::Key, " / ")
            .put(Token::Strong, list.filter.text())
            .put(Token::Hint, format!("   {} of {}; Esc clears", model.rows.kept, model.rows.all))
    } else if model.screen == Screen::Nodes {
        super::nodes::status(canvas, model)
    } else if model.screen == Screen::Upgrade {
        super::upgrade::status(model)
    } else if let Some(line) = super::live::status(model).filter(|_| model.screen == Screen::Live) {
        line
    } else if matches!(
        model.dialogs.last(),
        Some(Dialog::Save { .. } | Dialog::Conflict { .. } | Dialog::Quit)
    ) {
        // What the pod was refused for is not what is asked about now.
        Rich::new()
    } else if let Some(refusal) = model.outlook().and_then(|outlook| outlook.refusal) {
        let word = if refusal.panic { "the runtime panics" } else { "refused" };
        let head = Rich::of(Token::Refused, format!(" {} {word} at {}: ", glyphs.fail, refusal.stage));
        let message = refusal.message.replace('\n', " ");
        // What all keys have in common gives way first; the detail has the words as they are.
        let fits = head.width() + text::width(&text::visible(&message)) <= usize::from(area.width);
        let message = if fits { message } else { super::pods::brief(&message, glyphs.ellipsis) };
        head.put(Token::Text, message)
    } else if let Some(finding) = model.exposed() {
        Rich::of(Token::Refused, " ! ").put(Token::Text, finding.message.replace('\n', " "))
    } else if let Some(sentence) = model.said_elsewhere() {
        Rich::of(Token::Hint, format!(" {sentence}"))
    } else {
        let (done, all) = model.sweep.progress();
        let outlook = model.outlook();
        let (problems, set) = outlook.map_or((0, 0), |outlook| outlook.problems);
        let assumed = outlook.map_or(&[][..], |outlook| outlook.assumed);
        if problems > 0 {
            let text = format!(
                "starts, but {problems} of {set} annotations {} not as asked{}",
                if problems == 1 { "is" } else { "are" },
                way_to_problems(model)
            );
            Rich::of(Token::Overridden, " ! ").put(Token::Text, text)
        } else if done < all {
            Rich::of(Token::Hint, format!(" evaluated {done} of {all} pods"))
        } else if assumed.iter().any(Assumption::decides) {
            Rich::of(Token::Open, format!(" {} ", glyphs.assumed)).put(Token::Text, starts_if(model, assumed))
        } else {
            Rich::new()
        }
    };
    canvas.line(area, 0, line);
}

/// What the start of the pod depends on, where nobody has looked, and where it is listed.
fn starts_if(model: &Model, assumed: &[Assumption]) -> String {
    let named = |assumption: &&Assumption| matches!(assumption, Assumption::There(_));
    let files = assumed.iter().filter(named).count();
    let condition = match files {
        0 => "if the host is as assumed".to_owned(),
        1 => "if the file it names is there".to_owned(),
        files => format!("if the {files} files it names are there"),
    };
    let key = model.keymap.chord_for(&model.layers(), Command::Go(Screen::Pods));
    let list = match key {
        Some(key) if model.screen != Screen::Pods && files > 0 => format!("; {key} lists them"),
        Some(key) if model.screen != Screen::Pods => format!("; {key} lists what is assumed"),
        _ => String::new(),
    };
    format!("starts {condition}; nobody has looked{list}")
}

/// The keys that lead to the annotations that do not do what they ask for; nothing where they are in sight.
fn way_to_problems(model: &Model) -> String {
    let key = |command| model.keymap.chord_for(&model.layers(), command).map(|key| key.to_string());
    if model.screen != Screen::Annotations {
        let there = key(Command::Go(Screen::Annotations));
        return there.map_or_else(String::new, |key| format!("; {key} lists them"));
    }
    let presses = match model.list().show {
        Show::All => 2,
        Show::Set => 1,
        Show::Problems => 0,
    };
    match key(Command::CycleRows) {
        Some(key) if presses > 0 => format!("; {} shows only those", vec![key; presses].join(" ")),
        _ => String::new(),
    }
}

pub(super) fn footer(canvas: &mut Canvas<'_>, area: Rect, model: &Model) {
    let layers = model.layers();
    let mut items: Vec<(u8, String, &str)> = COMMANDS
        .iter()
        .filter(|e| e.rank > 0 && belongs(model, e.command) && reason_against(model, e.command).is_none())
        .filter_map(|e| {
            let label = here(model, e.command).unwrap_or(e.label);
            Some((e.rank, model.keymap.chord_for(&layers, e.command)?.to_string(), label))
        })
        .collect();
    if reads_detail(model)
        && let Some(key) = model.keymap.chord_for(&layers, Command::Back)
    {
        items.push((1, key.to_string(), "list"));
    }
    if !model.dialogs.is_empty() || model.typing != Typing::Nowhere {
        if let Some(key) = model.keymap.chord_for(&layers, Command::Open) {
            items.retain(|i| i.1 != key.to_string());
            items.push((1, key.to_string(), dialog_enter(model)));
        }
        if let Some(key) = model.keymap.chord_for(&layers, Command::Back) {
            items.push((60, key.to_string(), "back"));
        }
        if let Some(Dialog::Text { typing: false, .. }) = model.dialogs.last() {
            // What may be taken out of a text is said where it is read.
            for (command, label) in [(Command::Copy, "copy"), (Command::CopyMenu, "copy or write a file")] {
                if let Some(key) = model.keymap.chord_for(&layers, command) {
                    items.push((2, key.to_string(), label));
                }
            }
            for item in items.iter_mut().filter(|item| item.2 == Command::Filter.entry().label) {
                item.2 = "search";
            }
        }
    }
    // What was changed wants saving, wherever one is by now.
    if model.dialogs.is_empty()
        && model.typing == Typing::Nowhere
        && model.unsaved() > 0
        && let Some(save) = items.iter_mut().find(|i| i.2 == Command::Save.entry().label)
    {
        save.0 = 0;
    }
    items.sort_by_key(|i| i.0);
    // What always must be there stands at the right.
    let last: Vec<_> = items.extract_if(.., |i| i.0 >= 40).collect();
    let draw = |items: &[(u8, String, &str)], room: usize| {
        let mut line = Rich::of(Token::Text, " ");
        for (_, key, label) in items {
            let item = Rich::of(Token::Key, key).put(Token::Hint, format!(" {label}  "));
            if line.width() + item.width() > room {
                break;
            }
            line = line.join(item);
        }
        line
    };
    let right = draw(&last, usize::from(area.width));
    let room = usize::from(area.width).saturating_sub(right.width());
    canvas.line(area, 0, draw(&items, room));
    let at = area.right().saturating_sub(right.width() as u16);
    canvas.line(Rect { x: at, width: area.right() - at, ..area }, 0, right);
}

/// Whether a command is one of this screen's own: the footer has room for no others.
fn belongs(model: &Model, command: Command) -> bool {
    match command {
        Command::MarkBaseline => matches!(model.screen, Screen::Launch | Screen::Agent | Screen::Pods),
        Command::Editor => !model.sample && model.screen != Screen::Live,
        Command::Go(Screen::Live) => model.screen != Screen::Live,
        Command::Handlers => model.screen != Screen::Upgrade,
        // In the detail it does something on two screens only.
        Command::Open => {
            !reads_detail(model)
                || model.screen == Screen::Pods
                || (model.screen == Screen::Policy && reason_against(model, Command::EditPattern).is_none())
        }
        _ => true,
    }
}

/// Whether the keys go to the detail.
fn reads_detail(model: &Model) -> bool {
    model.pane == Pane::Detail && model.dialogs.is_empty() && model.typing == Typing::Nowhere
}

/// What a command is called where it means something narrower than elsewhere.
pub(super) fn here(model: &Model, command: Command) -> Option<&'static str> {
    let detail = reads_detail(model);
    match (command, model.rows.current().map(|r| &r.body)) {
        (Command::Filter, _) if detail => Some("search"),
        (Command::Open, Some(Body::Pod(_))) => Some("open pod"),
        (Command::Open, Some(Body::Group(_))) => Some("fold"),
        (Command::Fold, _) if model.screen == Screen::Pods => Some("fold all"),
        (Command::Open, Some(Body::PodOnNodes(_))) => Some("open pod on node"),
        (Command::Open, Some(Body::Vm(_))) => Some("beside its prediction"),
        (Command::Reload, _) if model.screen == Screen::Live => Some("look again"),
        (Command::Open, Some(Body::Cause(_))) => Some("its pods"),
        (Command::Open, Some(Body::TouchedPod(_))) => Some("open pod"),
        (Command::Open, Some(Body::Fold(_))) => Some("unfold"),
        (Command::Open, Some(Body::List(_) | Body::Pattern(_))) if detail => Some("edit"),
        (Command::Open, Some(Body::Annotation(_))) => Some("why"),
        (Command::KeepMine, _) if reason_against(model, Command::TakeTheirs).is_some() => {
            Some("write it anew")
        }
        _ => None,
    }
}

fn dialog_enter(model: &Model) -> &'static str {
    match model.dialogs.last() {
        None => "keep",
        Some(Dialog::Palette { .. }) => "do it",
        Some(Dialog::Try { .. }) => "try in memory",
        Some(Dialog::Pattern(_)) => "put into the list",
        Some(Dialog::Key(_)) => "write in memory",
        Some(Dialog::Opening { purpose: Purpose::Instead, .. }) => "open",
        Some(Dialog::Opening { purpose: Purpose::Compare, .. }) => "compare",
        Some(Dialog::Otherwise(form)) if form.is_current() => "read everything so",
        Some(Dialog::Otherwise(_)) => "show what comes of it",
        Some(Dialog::Text { typing: true, .. }) => "find",
        Some(Dialog::Find { .. }) => "go there",
        Some(Dialog::Save { .. } | Dialog::Conflict { .. }) => "cancel",
        Some(Dialog::CopyMenu { items, at }) if items.get(*at).is_some_and(|i| i.file.is_some()) => {
            "write the file"
        }
        Some(Dialog::CopyMenu { .. }) => "copy",
        Some(Dialog::Handlers { .. }) => "look at it",
        Some(Dialog::Releases { .. }) => "hold against it",
        Some(_) => "close",
    }
}
