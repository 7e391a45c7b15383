//! The screen of another release: choosing one, its causes, and the pods that open from them.

use katascope::tui::model::Screen;
use katascope::tui::model::row::Body;

use super::stage::Stage;

/// The sizes that people have.
const SIZES: [(u16, u16); 3] = [(60, 20), (80, 24), (120, 36)];

/// Holds everything against 3.20.0.
const OLDER: &str = "9 j j j j j j j j j j j j j enter";

/// Held against an older release.
fn stage(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(size.0, size.1);
    stage.keys(OLDER);
    stage
}

#[test]
fn another_release_at_every_size() {
    for size in SIZES {
        let name = |what: &str| format!("upgrade-{what}-{}x{}", size.0, size.1);
        let mut choosing = Stage::new(size.0, size.1);
        insta::assert_snapshot!(name("releases"), choosing.keys("6 t").screen());
        insta::assert_snapshot!(name("causes"), stage(size).screen());
        insta::assert_snapshot!(name("unfolded"), stage(size).keys("g enter j").screen());
    }
    let mut ascii = Stage::new(80, 24);
    ascii.ascii = true;
    insta::assert_snapshot!("upgrade-ascii-80x24", ascii.keys(OLDER).screen());
    insta::assert_snapshot!("upgrade-detail-80x24", stage((80, 24)).keys("tab").screen());
}

#[test]
fn a_pod_opens_from_its_cause() {
    let mut stage = stage((120, 36));
    assert_eq!(stage.model.screen, Screen::Upgrade);
    let causes = |stage: &Stage| {
        stage.model.rows.shown.iter().filter(|row| matches!(row.body, Body::Cause(_))).count()
    };
    let all = causes(&stage);
    assert!(all > 1, "{all}");
    let worst = stage.keys("v v");
    assert!(causes(worst) < all);
    stage.keys("v g");
    // Where there are several pods they are listed first.
    for _ in 0..3 {
        if stage.model.screen == Screen::Upgrade {
            stage.keys("enter j");
            if matches!(stage.model.rows.current().map(|row| &row.body), Some(Body::TouchedPod(_))) {
                stage.keys("enter");
            }
        }
    }
    let picture = stage.screen();
    assert_eq!(stage.model.screen, Screen::Annotations, "{picture}");
    assert_eq!(stage.keys("<").model.screen, Screen::Upgrade);
}

#[test]
fn what_was_found_is_forgotten_with_the_files() {
    let mut stage = stage((80, 24));
    assert!(stage.keys("R").model.upgrade.is_none());
    assert_eq!(stage.model.screen, Screen::Pods);
}
