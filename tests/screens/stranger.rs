//! What somebody stumbles over who never saw the program: each of these did mislead once.

use katascope::catalog::Kind;
use katascope::evaluate::node::NodeEvaluator;
use katascope::release::{Release, Runtime};
use katascope::tui::effect::Effect;
use katascope::tui::geometry::Target;
use katascope::tui::message::{Answer, Copied, Message, Pointer};
use katascope::tui::model::pods::First;
use katascope::tui::model::row::Body;
use katascope::tui::model::{Baseline, Model, Screen};

use super::stage::{CONFIG, Stage, evaluator, pods};

fn stage() -> Stage {
    Stage::new(140, 40)
}

fn copied(stage: &Stage) -> &str {
    match stage.effects.last() {
        Some(Effect::Copy { text, .. }) => text,
        other => panic!("nothing was copied: {other:?}"),
    }
}

#[test]
fn a_baseline_that_does_not_start_is_compared_as_if_it_did() {
    let mut stage = stage();
    // The third pod is refused; the second is compared with it.
    stage.keys(". . space , 3");
    assert_eq!(stage.model.baseline, Baseline::Marked);
    // Refused, it is compared as if it were not, and that is said.
    let screen = stage.screen();
    assert!(screen.contains("against pod lab/own-qemu Pod as if allowed"), "{screen}");
    assert!(!screen.contains("no difference"), "{screen}");
}

#[test]
fn the_filter_finds_what_is_folded() {
    let mut stage = stage();
    stage.keys(". 3");
    assert!(stage.model.rows.shown.iter().any(|r| matches!(r.body, Body::Fold(_))));
    stage.keys("/ `-rtc`");
    let screen = stage.screen();
    assert!(screen.contains("-rtc base="), "{screen}");
    stage.keys("esc");
    assert!(stage.model.rows.shown.iter().any(|r| matches!(r.body, Body::Fold(_))));
}

#[test]
fn what_was_filtered_for_stays_selected() {
    let mut stage = stage();
    stage.keys("6 g / `machine` enter enter");
    assert_eq!(stage.model.screen, Screen::Annotations);
    stage.keys("6 esc");
    assert!(stage.model.list().filter.is_empty());
    let selected = stage.model.list().selected.clone().unwrap_or_default();
    assert!(selected.contains("lab/machine"), "{selected}");
}

#[test]
fn the_copied_command_asks_for_what_the_screen_shows() {
    let mut stage = stage();
    stage.keys("2 C");
    assert_eq!(copied(&stage), "katascope policy audit -c configuration.toml");
    stage.keys("6 C");
    assert_eq!(copied(&stage), "katascope check -c configuration.toml pods.yaml");
    // Another runtime than the one it was started with.
    stage.keys(". 1 r C");
    assert_eq!(
        copied(&stage),
        "katascope show annotations -c configuration.toml --runtime=go --kata-version=2.1.0 pods.yaml --pod shop/big"
    );
    stage.keys("r r 3 b b C");
    assert_eq!(stage.model.baseline, Baseline::OtherRuntime);
    assert_eq!(
        copied(&stage),
        "katascope diff --show launch -c configuration.toml --runtime=rs --kata-version=4.1.0 pods.yaml \
         --pod shop/big --with=runtime=go --with=kata-version=4.1.0"
    );
    stage.keys(". . space , , C");
    assert_eq!(
        copied(&stage),
        "katascope diff --show launch -c configuration.toml pods.yaml --pod lab/machine --with=pod=shop/big"
    );
    stage.keys("1 e `9` enter C");
    assert!(stage.screen().contains("(without what is 1 tried)"), "{}", stage.screen());
    stage.keys("2 j j Y");
    assert!(stage.screen().contains("katascope policy allow -c configuration.toml"), "{}", stage.screen());
}

#[test]
fn the_footer_of_a_detail_names_its_own_keys() {
    let mut stage = Stage::new(80, 24);
    stage.keys(". enter");
    let screen = stage.screen();
    let footer = screen.lines().last().unwrap_or_default();
    assert!(footer.contains("Esc list") && footer.contains("/ search"), "{footer}");
    assert!(!footer.contains("Enter"), "{footer}");
}

#[test]
fn allow_is_offered_only_where_a_list_stands_in_the_way() {
    let mut stage = stage();
    stage.keys(".");
    assert!(!stage.screen().contains("a allow"), "an applied annotation needs no permission");
    stage.keys("a");
    assert!(stage.screen().contains("no list stands in its way"));
    stage.keys(".");
    assert!(stage.screen().contains("a allow"), "{}", stage.screen());
}

#[test]
fn a_long_message_is_shown_whole() {
    let mut stage = Stage::sample(80, 24);
    stage.model.welcome();
    let screen = stage.screen();
    assert!(screen.contains("a made-up host") && screen.contains("configuration.toml pods.yaml"), "{screen}");
    stage.keys("j");
    assert!(!stage.screen().contains("made-up"));
}

#[test]
fn the_sample_starts_with_a_pod_that_its_policy_refuses() {
    let mut stage = Stage::sample(80, 24);
    let asked = stage.model.pods.iter().map(|entry| (*entry.pod).clone()).collect();
    stage.model = Model::opened(First::of(NodeEvaluator::alone(stage.model.seat.current.clone()), asked));
    let (known, all) = stage.model.sweep.progress();
    assert_eq!((known, all > known), (stage.model.pod + 1, true), "asks no pod beyond the one it opens at");
    stage.model.select_problem();
    stage.draw();
    assert!(stage.screen().contains("lab/custom-qemu"), "{}", stage.screen());
    stage.keys("enter");
    let screen = stage.screen();
    assert!(screen.contains("no pattern of valid_hypervisor_paths matches"), "{screen}");
    assert!(screen.contains("fix a add \"/tmp/qemu\""), "{screen}");
}

#[test]
fn nothing_is_called_closed_by_lists_that_did_not_load() {
    let broken = "[hypervisor.qemu]\npath = 5\nenable_annotations = [\".*\"]\n";
    let mut stage =
        Stage::of(evaluator(broken, Release::newest(Runtime::Go)), pods(super::stage::PODS), 140, 40);
    let screen = stage.screen();
    assert!(screen.contains("? not known") && !screen.contains("closed"), "{screen}");
    stage.keys("a");
    assert!(stage.screen().contains("the configuration does not load"), "{}", stage.screen());
}

#[test]
fn help_explains_the_signs() {
    let mut stage = stage();
    stage.keys("? `reads past`");
    assert!(
        stage.screen().contains("ignored: an annotation that the runtime reads past"),
        "{}",
        stage.screen()
    );
}

#[test]
fn a_click_chooses_in_a_window() {
    let mut stage = stage();
    stage.keys(":");
    let third = |stage: &Stage| {
        stage.geometry.regions.iter().find(|r| r.target == Target::Choice(2)).copied().expect("a line")
    };
    let place = third(&stage);
    let click = Message::Pointer(Pointer::Click { column: place.x + 2, row: place.y });
    stage.send(click.clone());
    assert_eq!(stage.model.screen, Screen::Annotations);
    stage.send(click);
    assert_eq!(stage.model.screen, Screen::Launch, "the second click takes it");
    assert!(stage.model.dialogs.is_empty());
}

#[test]
fn a_long_value_leaves_its_fate_in_sight() {
    let mut all = pods(super::stage::PODS);
    for annotation in &mut all[2].annotations {
        annotation.value = format!("/tmp/{}", "q".repeat(4_000)).into();
    }
    let mut stage = Stage::of(evaluator(CONFIG, Release::newest(Runtime::Go)), all, 100, 30);
    stage.keys(". .");
    let screen = stage.screen();
    for part in ["expand to it", "fix name a file that exists", "z shows more", "at pods.yaml:39:5"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
}

#[test]
fn reading_again_says_what_changed() {
    let mut stage = stage();
    let path = super::stage::CONFIG_PATH.to_owned();
    stage.disk.insert(path, CONFIG.replace("default_vcpus = 1", "default_vcpus = 2"));
    stage.keys("R");
    assert!(stage.screen().contains("read again: configuration.toml changed"), "{}", stage.screen());
    stage.keys("R");
    assert!(!stage.screen().contains("changed"));
}

/// Of whatever an annotation changed on screens 3 and 4, the key is named that did it.
#[test]
fn what_an_annotation_changes_has_a_cause() {
    let tables = ["qemu", "clh", "firecracker", "stratovirt", "remote", "dragonball"];
    let mut missing = std::collections::BTreeSet::new();
    for release in Release::STOPS {
        for table in tables {
            let config = open_configuration(table, release);
            let setup = evaluator(&config, release);
            if setup.loaded().is_err() {
                continue;
            }
            let mut pod = pods(super::stage::PODS).remove(1);
            pod.annotations.truncate(1);
            let mut stage = Stage::of(setup, vec![pod], 140, 40);
            for (annotation, reader) in katascope::catalog::annotations(release).filter(|(_, r)| r.read) {
                let values: &[&str] = match reader.kind {
                    Some(Kind::Bool) => &["true"],
                    Some(Kind::U8 | Kind::U32) => &["3"],
                    _ => &["3", "x=1", "none", "/opt/kata/bin/qemu-system-x86_64"],
                };
                for value in values {
                    stage.model.trials.clear();
                    let own = &stage.model.pods[0].pod.annotations[0].key.clone();
                    let trials = stage.model.trials.entry(0).or_default();
                    trials.insert(own.to_string(), None);
                    trials.insert(annotation.key.to_owned(), Some((*value).to_owned()));
                    for screen in [Screen::Launch, Screen::Agent] {
                        stage.model.screen = screen;
                        stage.model.evaluate();
                        for row in &stage.model.rows.shown {
                            if let Body::Change(change) = &row.body
                                && change.kind != katascope::diff::Kind::Same
                                && change.kind != katascope::diff::Kind::Moved
                                && change.kind != katascope::diff::Kind::Removed
                                && change.keys.is_empty()
                            {
                                missing.insert(format!(
                                    "{} {table} {}: {}",
                                    release.id(),
                                    annotation.key,
                                    change.text.candidate
                                ));
                            }
                        }
                    }
                }
            }
        }
    }
    let known: Vec<&String> = missing.iter().collect();
    assert!(known.is_empty(), "{} without a cause:\n{known:#?}", known.len());
}

/// The fixture's configuration with everything allowed, under another table's name.
fn open_configuration(table: &str, release: Release) -> String {
    let agent = if release.runtime == Runtime::Rs { "agent_name = \"kata\"\n" } else { "" };
    let named = if release.runtime == Runtime::Rs {
        format!("name = \"virt_container\"\nhypervisor_name = \"{table}\"\n{agent}")
    } else {
        String::new()
    };
    format!(
        "[hypervisor.{table}]\npath = \"/opt/kata/bin/qemu-system-x86_64\"\n\
         kernel = \"/opt/kata/share/kata-containers/vmlinux.container\"\n\
         image = \"/opt/kata/share/kata-containers/kata-containers.img\"\n\
         remote_hypervisor_socket = \"/run/peerpod/hypervisor.sock\"\n\
         enable_annotations = [\".*\"]\nvalid_hypervisor_paths = [\"/opt/kata/bin/*\"]\n\
         default_vcpus = 1\ndefault_memory = 2048\nshared_fs = \"{}\"\n\
         virtio_fs_daemon = \"/opt/kata/libexec/virtiofsd\"\n\
         [agent.kata]\n[runtime]\n{named}internetworking_model = \"tcfilter\"\n",
        if matches!(table, "firecracker" | "remote") { "none" } else { "virtio-fs" }
    )
}

#[test]
fn what_no_clipboard_takes_can_be_written_to_a_file() {
    let mut stage = stage();
    stage.send(Message::Answer(Answer::Copied(Copied::TooLong { what: "value".into(), bytes: 90_000 })));
    assert!(stage.screen().contains("value: 90000 bytes are more than terminals take; Y offers a file"));
    stage.keys(". Y");
    let screen = stage.screen();
    assert!(
        screen.contains("value to a file") && screen.contains("katascope-value.txt in this folder"),
        "{screen}"
    );
    assert!(!screen.contains("write the file"), "{screen}");
    assert!(stage.keys("G").screen().contains("Enter write the file"), "{}", stage.screen());
    stage.keys("enter");
    let Some(Effect::Export { name, text, another: true }) = stage.effects.last() else {
        panic!("{:?}", stage.effects)
    };
    assert_eq!(name, "katascope-value.txt");
    assert_eq!(*text, *stage.model.selected_verdict().unwrap().value);
}

#[test]
fn the_way_to_what_has_no_effect_is_true_on_every_screen() {
    let mut stage = Stage::sample(120, 40);
    while !stage.screen().contains("shop/web") {
        stage.keys(".");
    }
    let without_effect = |stage: &mut Stage| {
        let screen = stage.screen();
        assert!(screen.contains("without the effect asked for") && !screen.contains(" not set "), "{screen}");
        assert!(!screen.contains("shows only those") && !screen.contains("lists them"), "{screen}");
    };
    assert!(stage.screen().contains("v v shows only those"), "{}", stage.screen());
    without_effect(stage.keys("v v"));
    stage.keys("v v");
    assert!(stage.screen().contains("; v shows only those"), "{}", stage.screen());
    without_effect(stage.keys("v"));
    assert!(stage.keys("3").screen().contains("; 1 lists them"), "{}", stage.screen());
}

#[test]
fn whoever_changed_something_sees_the_key_that_saves_it() {
    let mut stage = Stage::new(80, 24);
    let footer = |stage: &mut Stage| stage.screen().lines().last().unwrap_or_default().to_owned();
    assert!(!footer(&mut stage).contains("save"));
    stage.keys("2 j d");
    for screen in ["1", "2", "3", "4", "5", "6"] {
        let footer = footer(stage.keys(screen));
        assert!(footer.trim_start().starts_with("s save "), "{screen}: {footer}");
    }
    stage.keys("u");
    assert!(!footer(&mut stage).contains("save"));
}

#[test]
fn the_header_names_the_pod_whatever_else_it_has_to_say() {
    let mut stage = Stage::new(80, 24);
    stage.keys(". e 9 enter 2 j d");
    stage.send(Message::Answer(Answer::ChangedOnDisk(vec!["configuration.toml".into()])));
    for width in [50, 60, 79, 80, 99, 100, 140] {
        stage.size.0 = width;
        let screen = stage.screen();
        let header = screen.lines().next().unwrap_or_default();
        assert!(header.contains("shop/big 2/") || width < 79, "{width}: {header}");
        assert!(header.contains(" 2/5 ") || width < 60, "{width}: {header}");
        assert!(header.contains("1 unsaved") || width < 79, "{width}: {header}");
    }
}

#[test]
fn a_configuration_that_does_not_load_says_what_to_do_about_it() {
    let broken = CONFIG.replace("path = \"/opt/kata/bin/qemu-system-x86_64\"", "path = \"/no/such/qemu\"");
    let mut stage =
        Stage::of(evaluator(&broken, Release::newest(Runtime::Go)), pods(super::stage::PODS), 140, 40);
    stage.model.explain_no_load();
    let screen = stage.screen();
    assert!(screen.contains("does not load here") && screen.contains("--root DIR"), "{screen}");
    // Nor does a narrower choice of rows hide the reason.
    for keys in ["5", "v", "v"] {
        let screen = stage.keys(keys).screen();
        assert!(screen.contains("refused at load"), "{screen}");
    }
    let mut stage = Stage::new(100, 30);
    stage.model.explain_no_load();
    assert!(stage.model.notice.is_none());
}

#[test]
fn all_complaints_of_kubernetes_stand_in_the_detail_of_a_pod() {
    let deployment = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {template: {metadata: \
        {}, spec: {containers: [{name: c, image: nginx}]}}}\n";
    let mut stage = Stage::of(evaluator(CONFIG, Release::newest(Runtime::Go)), pods(deployment), 140, 40);
    let screen = stage.keys("6").screen();
    assert!(screen.contains("* spec.selector: Required value") && !screen.contains("\\n"), "{screen}");
    // In the list, in the detail, and in the status line.
    assert_eq!(screen.matches("The Deployment \"web\" is").count(), 3, "{screen}");
}

#[test]
fn the_keys_that_show_all_rows_again_are_true() {
    let mut stage = Stage::new(100, 30);
    let screen = stage.keys("1 v").screen();
    assert!(screen.contains("nothing of that kind; v v shows all"), "{screen}");
    let screen = stage.keys("v").screen();
    assert!(screen.contains("nothing of that kind; v shows all"), "{screen}");
    assert!(!stage.keys("v").screen().contains("nothing of that kind"));
}
