//! Upgrades.

use super::*;

#[test]
fn case_29_config_path_selects_nothing_any_more() {
    let key = "io.katacontainers.config_path";
    for evaluator in [go_evaluator(&go("", "")), rs_evaluator(&rs("", ""))] {
        let evaluation = evaluator.evaluate(&pod(&[(key, CLH)]), Depth::Verdicts);
        assert_eq!(evaluation.outcome.as_str(), "starts");
        let fate = verdict(&evaluation, key);
        assert!(matches!(fate.status, Status::Ignored | Status::Unknown), "{fate:?}");
        says(&fix(fate), &["3.32.0", "RuntimeClass"]);
    }
    let row = catalog::annotation(key).unwrap();
    says(row.note.unwrap(), &["gone since 4.0"]);
    assert!(row.reader(Release::go(2, 1, 0)).read);
}
