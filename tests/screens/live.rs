//! The VMs that run: the list of a machine, one of them beside its prediction, and pasted process lines.

use katascope::release::Release;
use katascope::report::beside::{self, Runs};
use katascope::tui::effect::Effect;
use katascope::tui::message::{Answer, Message};
use katascope::tui::model::live::Seen;
use katascope::tui::model::{Pane, Screen};

use super::every_size::{HOSTILE, check};
use super::stage::Stage;

/// The line that is predicted for the pod in sight, as `ps` prints it, with its memory changed.
fn line(stage: &Stage) -> String {
    let launch = stage.model.evaluation.launch.clone().expect("a pod that starts");
    let words = launch.program.iter().chain(&launch.args).map(|arg| arg.text.clone());
    let line = words.collect::<Vec<_>>().join(" ");
    let made = [
        ("{sandbox-id}", "3f1c90ab6d2e4f7788990a1b2c3d4e5f60718293a4b5c6d7e8f90123456789ab"),
        ("{uuid}", "11111111-2222-4333-8444-555555555555"),
        ("{cid}", "77"),
        ("{fd}", "17"),
        ("{nonce}", "3dd89a4dbbf7fb1b"),
        ("{mac}", "0a:58:0a:f4:00:07"),
    ];
    made.iter().fold(line, |line, (token, value)| line.replace(token, value))
}

fn changed(stage: &Stage) -> String {
    let line = line(stage);
    let at = line.find(" -m ").unwrap() + 4;
    let digits = line[at..].find(|c: char| !c.is_ascii_digit()).unwrap();
    format!("{}777{}", &line[..at], &line[at + digits..])
}

fn seen(sandbox: &str, pod: Option<&str>, vmm: &'static str) -> Seen {
    Seen {
        sandbox: Some(sandbox.to_owned()),
        vmm,
        pid: Some(4242),
        started: Some("3 h 12 min ago".to_owned()),
        pod: pod.map(str::to_owned),
        handler: pod.map(|_| "kata-qemu".to_owned()),
        release: pod.map(|_| Release::go(3, 20, 0)),
        told: "Go runtime 3.4.0 to 3.31.0".to_owned(),
        beside: None,
    }
}

/// A machine with three VMs; of the first, its pod is known.
pub fn machine(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(size.0, size.1);
    stage.keys(". 8");
    assert_eq!(stage.effects.pop(), Some(Effect::Look));
    let vms = vec![
        seen("3f1c90ab6d2e4f7788990a1b2c3d4e5f60718293a4b5c6d7e8f90123456789ab", Some("shop/web-0"), "QEMU"),
        seen("b0a4c1d2e3f4", Some("lab/a-pod-with-quite-a-long-name-7c9d5b8f6d-x2x4z"), "Cloud Hypervisor"),
        seen("ffee0011", None, "Firecracker"),
    ];
    stage.send(Message::Answer(Answer::Looked(Ok(vms))));
    stage
}

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 36)];

#[test]
fn the_vms_and_one_of_them_at_every_size() {
    for size in SIZES {
        let name = |what: &str| format!("live-{what}-{}x{}", size.0, size.1);
        let mut stage = machine(size);
        insta::assert_snapshot!(name("list"), stage.screen());
        let Some(Effect::Beside { vm: 0, .. }) = stage.keys("enter").effects.pop() else {
            panic!("nothing is asked for")
        };
        let runs = Runs::read(&changed(&stage));
        let Runs::Lines(lines) = &runs else { panic!("no lines") };
        let judged = (&*stage.model.evaluation, stage.model.seat.current.setup().release);
        let notes =
            vec!["/etc/kata-containers/config.d/10.toml was changed after this VM had started".to_owned()];
        let beside = beside::of(&stage.model.tried, judged, &runs, lines.vms.first(), (None, notes));
        stage.send(Message::Answer(Answer::Beside {
            vm: 0,
            beside: Box::new(beside.map_err(|why| why.to_string())),
        }));
        insta::assert_snapshot!(name("beside"), stage.screen());
        insta::assert_snapshot!(name("argument"), stage.keys("enter").screen());
        insta::assert_snapshot!(name("differences"), stage.keys("h v v").screen());
        stage.keys("esc");
        assert_eq!(stage.model.live.opened, None);
        assert!(stage.screen().contains("differs from the prediction") || size.0 < 100);
    }
}

#[test]
fn a_pasted_line_is_held_against_the_pod_in_sight() {
    let mut stage = Stage::new(120, 36);
    stage.keys(". 8");
    let same = line(&stage);
    stage.send(Message::Paste(same));
    assert_eq!(stage.model.live.opened, Some(0));
    let beside = stage.model.live.beside().unwrap();
    assert!(
        !beside.differs(),
        "{:#?}",
        beside.rows.iter().filter(|r| r.verdict.differs()).collect::<Vec<_>>()
    );
    let other = changed(&stage);
    stage.send(Message::Paste(other));
    assert!(stage.screen().contains("777"), "{}", stage.screen());
    // The cursor stands on what differs.
    stage.keys("enter");
    assert_eq!(stage.model.pane, Pane::Detail);
    assert!(stage.screen().contains("default_memory"), "{}", stage.screen());
    stage.send(Message::Paste("nothing of the kind".into()));
    assert!(stage.screen().contains("no process line of a VM"));
}

#[test]
fn a_machine_that_cannot_be_looked_at_says_so() {
    let mut stage = Stage::new(80, 24);
    stage.keys("8");
    stage.send(Message::Answer(Answer::Looked(Err("/proc: no such folder".into()))));
    assert!(stage.screen().contains("/proc: no such folder. Paste"), "{}", stage.screen());
    stage.send(Message::Answer(Answer::Looked(Ok(Vec::new()))));
    assert!(stage.screen().contains("no VM of Kata runs on this machine"));
    // It is looked for again with the key that reads again, and by itself only once.
    stage.effects.clear();
    stage.keys("1 8");
    assert_eq!(stage.effects, []);
    stage.keys("R");
    assert_eq!(stage.effects, [Effect::Look]);
    assert_eq!(stage.model.screen, Screen::Live);
}

/// A machine whose VMs have hostile names, each at every size.
#[test]
fn hostile_vms_at_every_size() {
    let mut stage = Stage::new(100, 30);
    stage.keys(". 8");
    let vms = HOSTILE.iter().map(|text| {
        let own = || Some((*text).to_owned());
        Seen {
            sandbox: own(),
            pod: own(),
            handler: own(),
            told: (*text).to_owned(),
            ..seen("", None, "QEMU")
        }
    });
    stage.send(Message::Answer(Answer::Looked(Ok(vms.collect()))));
    let hostile = format!("{} -append {} -foo {}", changed(&stage), HOSTILE[0], HOSTILE[2]);
    for paste in [None, Some(hostile)] {
        if let Some(text) = paste {
            stage.send(Message::Paste(text));
        }
        for (width, height) in (1..=60).flat_map(|w| [1, 5, 13, 20].map(move |h| (w, h))).chain([(100, 30)]) {
            stage.size = (width, height);
            check(&stage.draw(), "live");
            stage.keys("tab");
            check(&stage.draw(), "live");
        }
    }
}
