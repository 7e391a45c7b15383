//! Pods held against several nodes: the screen of the matrix, and what opens from it.

use std::sync::Arc;

use katascope::evaluate::node::NodeEvaluator;
use katascope::evaluate::{Evaluation, Evaluator};
use katascope::input::manifest::Pod;
use katascope::release::{Release, Runtime};
use katascope::report::matrix::{Brief, Column, Matrix};
use katascope::runtime::Depth;
use katascope::tui::effect::{Effect, Fresh};
use katascope::tui::message::{Answer, Message};
use katascope::tui::model::Screen;
use katascope::tui::model::nodes::Nodes;

use super::stage::{CONFIG, PODS, Stage, evaluator, pods};

/// What judges on the nodes: every third takes fewer annotations, every fifth does not load.
fn evaluators() -> [Evaluator; 3] {
    let release = Release::newest(Runtime::Go);
    let strict = CONFIG.replace("    \"^default_(vcpus|memory)$\",\n", "");
    let broken = CONFIG.replace("kernel =", "kernel_gone =");
    [CONFIG.to_owned(), strict, broken].map(|text| evaluator(&text, release))
}

fn kind_of(node: usize) -> usize {
    match node {
        n if n % 5 == 4 => 2,
        n if n % 3 == 2 => 1,
        _ => 0,
    }
}

pub fn matrix(pods: &[Pod], names: &[String]) -> Matrix {
    let evaluators = evaluators();
    let mut matrix = Matrix::new(pods.iter());
    for (node, name) in names.iter().enumerate() {
        let column = Column { name: name.clone(), origin: "must-gather", ..Column::default() };
        let judged = |pod: &Pod| -> Evaluation {
            let mut evaluation = evaluators[kind_of(node)].evaluate(pod, Depth::Verdicts);
            if node == 1 {
                evaluation.assumed =
                    Arc::from([katascope::input::host::Assumption::There("/opt/kata/vmlinux".into())]);
            }
            evaluation
        };
        matrix.add(column, pods.iter().map(|pod| Brief::of(&judged(pod))));
    }
    let lost = Column {
        name: "lost".into(),
        origin: "sosreport",
        lacks: vec!["drop-ins (config.d)".into()],
        error: Some("no container runtime and no configuration file found in lost".into()),
    };
    matrix.add(lost, std::iter::empty());
    matrix
}

fn stage(nodes: usize, size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(size.0, size.1);
    let names: Vec<String> = (1..=nodes).map(|n| format!("worker-{n}")).collect();
    let matrix = matrix(&pods(PODS), &names);
    stage.model.nodes = Some(Nodes { matrix, opened: 0, at: 0 });
    stage.model.invocation.places = names.iter().map(|name| format!("{name}.tar.gz")).collect();
    stage.keys("7");
    stage
}

const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 36)];

#[test]
fn the_matrix_at_every_size() {
    for size in SIZES {
        let name = |what: &str| format!("nodes-{what}-{}x{}", size.0, size.1);
        let mut few = stage(4, size);
        insta::assert_snapshot!(name("few"), few.keys("l l").screen());
        let mut many = stage(200, size);
        let keys = "l ".repeat(36);
        insta::assert_snapshot!(name("many"), many.keys(&keys).screen());
    }
    let mut ascii = stage(4, (80, 24));
    ascii.ascii = true;
    insta::assert_snapshot!("nodes-ascii-80x24", ascii.keys("l l").screen());
    insta::assert_snapshot!("nodes-detail-80x24", stage(200, (80, 24)).keys("j tab").screen());
}

#[test]
fn fewer_rows_where_nodes_agree() {
    let mut stage = stage(4, (120, 36));
    let all = stage.model.rows.all;
    let differing = stage.keys("v").model.rows.all;
    assert!(differing > 0 && differing <= all, "{differing} of {all}");
    assert!(stage.screen().contains("only where nodes differ"));
    assert!(stage.keys("v").screen().contains("only refused on a node"));
}

/// What is edited on a node in a file is saved beside the file.
#[test]
fn edits_are_saved_beside_the_collection() {
    let mut stage = stage(4, (120, 36));
    stage.model.invocation.place = Some("reports/worker-1.tar.gz".into());
    let screen = stage.keys("2 j d s").screen();
    assert!(screen.contains("a patch beside it (reports/worker-1.patch)"), "{screen}");
    let screen = stage.keys("tab").screen();
    assert!(screen.contains("reports/worker-1.90-katascope.toml"), "{screen}");
    assert!(screen.contains("on the node: /etc/kata-containers/config.d/90-katascope.toml"), "{screen}");
    stage.keys("y");
    let Some(Effect::Export { name, text, another: false }) = stage.effects.pop() else {
        panic!("{:?}", stage.effects)
    };
    assert_eq!(name, "reports/worker-1.90-katascope.toml");
    assert!(text.contains("enable_annotations") && !text.contains("enable_iommu"), "{text}");
    // Once it is written, nobody is asked again.
    stage.send(Message::Answer(Answer::Exported(Ok(name.into()))));
    assert_eq!(stage.keys("q").ended, Some(None));
    let mut stage = self::stage(4, (120, 36));
    stage.model.invocation.place = Some("worker-1.tar.gz".into());
    assert!(stage.keys("2 E").screen().contains("no editor writes there"));
}

/// A field opens its pod on its node, once edits are where they belong.
#[test]
fn a_field_opens_the_pod_on_the_node() {
    let mut stage = stage(4, (120, 36));
    stage.keys("2 j d 7 l l enter");
    assert!(stage.screen().contains("1 edit is not saved on worker-1"), "{}", stage.screen());
    stage.keys("u enter");
    let Some(Effect::OpenNode { node: 2, pod }) = stage.effects.pop() else { panic!("{:?}", stage.effects) };
    let [_, strict, _] = evaluators();
    let fresh = Fresh {
        layers: strict.setup().layers.clone(),
        pods: Vec::new(),
        node: NodeEvaluator::alone(strict),
        matrix: None,
    };
    let id = stage.model.pods[pod].id.clone();
    stage.send(Message::Answer(Answer::NodeOpened { node: 2, pod, fresh: Box::new(Ok(fresh)) }));
    assert_eq!(stage.model.screen, Screen::Annotations);
    assert_eq!(stage.model.pods[stage.model.pod].id, id);
    let screen = stage.screen();
    assert!(screen.contains("worker-3 ") && screen.contains("worker-3 is opened, node 3 of 5"), "{screen}");
    // What cannot be read leaves everything as it was.
    stage.keys("7 l");
    let gone = Box::new(Err("worker-4.tar.gz: no such file".to_owned()));
    stage.send(Message::Answer(Answer::NodeOpened { node: 3, pod, fresh: gone }));
    assert!(stage.screen().contains("worker-4.tar.gz: no such file"));
    assert_eq!(stage.model.nodes.as_ref().unwrap().opened, 2);
    // The command that prints the same.
    let words = katascope::tui::as_command::command(&stage.model).join(" ");
    assert!(words.contains("check ") && words.contains("--node worker-1.tar.gz --node worker-2"), "{words}");
}
