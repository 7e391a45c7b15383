//! The list of pods of a cluster: filtered, sorted, grouped, with one current pod.

use std::fmt::Write as _;

use katascope::release::{Release, Runtime};
use katascope::tui::model::Screen;
use katascope::tui::model::row::Body;

use super::stage::{CONFIG, Stage, evaluator, pods};

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 36)];

/// Pods of three namespaces: some start, some start without what they ask for, some are refused for two reasons.
fn manifest(count: usize) -> String {
    let mut text = String::new();
    for i in 0..count {
        let annotations = match i % 7 {
            0 => "path: /tmp/qemu",
            1 => "default_vcpus: \"4\"",
            2 => "default_vcpus: many",
            3 => "machine_type: q35",
            4 => "default_memory: \"4096\"",
            _ => "default_memory: \"2048\"",
        };
        let space = ["shop", "research", "prod"][i % 3];
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: pod-{i}\n  namespace: {space}\n  annotations:\n    \
             io.katacontainers.config.hypervisor.{annotations}\nspec:\n  runtimeClassName: kata\n  containers:\n  \
             - {{name: c, image: x}}\n"
        );
    }
    text
}

fn stage(width: u16, height: u16) -> Stage {
    Stage::of(evaluator(CONFIG, Release::newest(Runtime::Go)), pods(&manifest(60)), width, height)
}

#[test]
fn views_of_a_cluster() {
    for (name, script) in [
        ("plain", "6"),
        ("by-reason", "6 b"),
        ("by-reason-open", "6 b enter j"),
        ("by-namespace", "6 b b"),
        ("by-handler", "6 b b b"),
        ("by-release", "6 b b b b"),
        ("by-outcome", "6 b b b b b"),
        ("filter", "6 / `ns:shop !starts`"),
        ("filter-grouped", "6 b / `default_vcpus`"),
        ("sorted", "6 o O"),
    ] {
        for (width, height) in SIZES {
            for ascii in [false, true] {
                let mut stage = stage(width, height);
                stage.ascii = ascii;
                stage.keys(script);
                let form = if ascii { "ascii" } else { "mono" };
                insta::assert_snapshot!(
                    format!("cluster-{name}-{width}x{height}-{form}"),
                    stage.screen(),
                    script
                );
            }
        }
    }
}

fn kept(stage: &Stage) -> Vec<&str> {
    let pod = |body: &Body| match body {
        Body::Pod(index) => stage.model.pods.get(*index).map(|entry| entry.pod.name.as_str()),
        _ => None,
    };
    stage.model.rows.shown.iter().filter_map(|row| pod(&row.body)).collect()
}

#[test]
fn a_filter_finds_what_is_on_screen_and_in_annotations() {
    for (query, count) in [
        ("refused", 27),
        ("default_vcpus", 18),
        ("default_vcpus:4", 9),
        ("ns:shop", 20),
        ("ns:shop default_vcpus", 6),
        ("ns:shop !default_vcpus", 14),
        ("!outcome:refused", 33),
        ("reason:many", 0),
        ("value:many", 9),
        ("pod-7", 1),
        ("namespace=prod", 20),
    ] {
        let mut stage = stage(120, 36);
        stage.keys(&format!("6 / `{query}` enter"));
        let found = kept(&stage).len();
        assert_eq!((query, found), (query, count));
        assert_eq!(stage.model.rows.kept, count);
    }
}

#[test]
fn one_pod_is_current() {
    let mut stage = stage(120, 36);
    stage.keys("6 G");
    let (pod, name) = (stage.model.pod, stage.model.pods[stage.model.pod].pod.id());
    let screen = stage.screen();
    let header = screen.lines().next().unwrap();
    assert!(header.contains(&name), "{header}");
    assert!(header.contains("STARTS"), "{header}");
    assert!(!screen.contains("refused at annotations"), "{screen}");
    // The other screens speak of it.
    stage.keys("1");
    assert_eq!((stage.model.pod, stage.model.screen), (pod, Screen::Annotations));
    assert!(!stage.model.due);
    assert_eq!(stage.model.tried.id(), name);
    // The next pod is the next in the list, and back in the list it is under the cursor.
    stage.keys("6 ,");
    assert_ne!(stage.model.pod, pod);
    let before = stage.model.pod;
    stage.keys("3 6");
    assert!(matches!(stage.model.rows.current().unwrap().body, Body::Pod(index) if index == before));
}

#[test]
fn groups_fold_and_counts_follow_the_filter() {
    let mut stage = stage(120, 36);
    stage.keys("6 b");
    let heads = |stage: &Stage| -> Vec<(usize, usize)> {
        let head = |body: &Body| match body {
            Body::Group(group) => Some((group.counts.all(), group.counts.refused)),
            _ => None,
        };
        stage.model.rows.shown.iter().filter_map(|row| head(&row.body)).collect()
    };
    assert_eq!(heads(&stage).iter().map(|(all, _)| all).sum::<usize>(), 60);
    assert_eq!(kept(&stage).len(), 0);
    stage.keys("enter");
    assert!(!kept(&stage).is_empty());
    // Folded from inside a group too.
    stage.keys("j Z");
    assert_eq!(kept(&stage).len(), 0);
    stage.keys("Z");
    assert_eq!(kept(&stage).len(), 60);
    stage.keys("/ `ns:shop` enter");
    assert_eq!(heads(&stage).iter().map(|(all, _)| all).sum::<usize>(), 20);
    // A pod that one goes to is unfolded.
    stage.keys("Z . 1 6");
    assert!(stage.model.rows.current().is_some());
}

#[test]
fn every_column_sorts_both_ways() {
    let mut stage = stage(120, 36);
    stage.keys("6 o");
    let forward = kept(&stage).into_iter().map(str::to_owned).collect::<Vec<_>>();
    stage.keys("O");
    let mut backward = kept(&stage).into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert!(stage.screen().contains("pod▴"));
    backward.reverse();
    assert_eq!(forward, backward);
    for _ in 0..6 {
        stage.keys("o");
        assert_eq!(kept(&stage).len(), 60);
    }
}

#[test]
fn a_refused_pod_has_all_its_screens() {
    for (name, script) in [
        ("launch-as-if", "3"),
        ("launch-as-if-absent", "3 i"),
        ("agent-as-if", "4"),
        ("config-so-far", "5"),
        ("config-as-if", "5 i"),
        ("config-as-if-absent", "5 i i"),
    ] {
        for (width, height) in SIZES {
            for ascii in [false, true] {
                let mut stage = Stage::new(width, height);
                stage.ascii = ascii;
                // Refused pods come first.
                stage.keys("6 g 1").keys(script);
                let form = if ascii { "ascii" } else { "mono" };
                insta::assert_snapshot!(format!("{name}-{width}x{height}-{form}"), stage.screen(), script);
            }
        }
    }
    let mut stage = Stage::new(120, 36);
    stage.keys("6 g 1 3");
    assert!(stage.model.evaluation.launch.is_none());
    let screen = stage.screen();
    assert!(screen.contains("as if allowed") && screen.contains("qemu-system"), "{screen}");
    let screen = stage.keys("i").screen();
    assert!(screen.contains("as if absent"), "{screen}");
    let screen = stage.keys("5").screen();
    assert!(screen.contains("as if absent"), "{screen}");
    let screen = stage.keys("i").screen();
    assert!(
        screen.contains("what was taken before it failed") && screen.contains("machine_type"),
        "{screen}"
    );
    // A pod that starts is shown as it is.
    stage.keys("6 G 3");
    assert!(!stage.screen().contains("as if"));
}
