//! That the catalogue holds together, and that one which does not is refused.

use super::*;

const LISTS: [&str; 1] = ["valid_paths"];

fn refusal(text: &str) -> String {
    let lists = LISTS.iter().map(|l| (*l).to_owned()).collect();
    document::annotations(text, &lists).unwrap_err().to_string()
}

fn entry(key: &str, reader: &str) -> String {
    format!(
        "[[annotation]]\nkey = \"{key}\"\nsummary = \"\"\nrisk = \"none\"\nlevel = \"sandbox\"\n\
         [[annotation.rs]]\nsince = \"3.0.0\"\n{reader}\n"
    )
}

#[test]
fn a_catalogue_that_does_not_hold_is_refused() {
    let good = "read = true\ntype = \"path\"\nparse = \"rs-string\"\ngate = \"name\"";
    assert!(document::annotations(&entry("a", good), &Default::default()).is_ok());
    assert!(refusal(&entry("a", &format!("{good}\ncolour = 1"))).contains("unknown field"));
    assert!(refusal(&entry("a", "read = true\ntype = \"path\"\ngate = \"name\"")).contains("no parse rule"));
    assert!(refusal(&entry("a", &good.replace("rs-string", "rs-strign"))).contains("unknown variant"));
    assert!(refusal(&entry("a", &good.replace("\"name\"", "\"name-and-value\""))).contains("names no list"));
    let wrong = format!("{}\nlist = \"valid_things\"", good.replace("\"name\"", "\"name-and-value\""));
    assert!(refusal(&entry("a", &wrong)).contains("no configuration key"));
    assert!(refusal(&entry("a", "read = false")).contains("what becomes of it"));
    assert!(refusal(&(entry("a", good) + &entry("a", good))).contains("twice"));
    let key = "[[key]]\ntable = \"runtime\"\nkey = \"a\"\nsummary = \"\"\n";
    let reader = "[[key.go]]\nsince = \"3.0.0\"\ntype = \"bool\"\ndefault = \"false\"\n";
    assert!(document::config_keys(&format!("{key}{reader}")).is_ok());
    assert!(
        document::config_keys(&format!("{key}{reader}{key}{reader}"))
            .unwrap_err()
            .to_string()
            .contains("twice")
    );
    assert!(document::config_keys(key).unwrap_err().to_string().contains("no release"));
}

#[test]
fn every_entry_is_found_by_its_name() {
    for annotation in all_annotations() {
        assert_eq!(super::annotation(annotation.key).map(|a| a.key), Some(annotation.key));
    }
    for key in all_config_keys() {
        let table = key.table.replace("<name>", "some");
        assert_eq!(config_key(&table, key.key), Some(key), "{table}.{}", key.key);
    }
    assert_eq!(super::annotation("io.katacontainers.nothing"), None);
}

#[test]
fn what_an_annotation_sets_is_a_configuration_key() {
    // Keys that only an annotation can set take its base name.
    let only_annotated = ["hypervisor.<name>.initdata", "agent.kata.cdh_api_timeout_ms"];
    for release in Release::STOPS {
        for (annotation, reader) in annotations(release) {
            let Some(field) = reader.field else { continue };
            let (table, key) = field.rsplit_once('.').unwrap();
            let known = config_key(table, key).is_some_and(|k| k.reader(release).is_some());
            let base = annotation.base() == key || only_annotated.contains(&field);
            assert!(known || base, "{} of {} sets {field}", annotation.key, release.id());
        }
    }
}

#[test]
fn gates_by_generation() {
    let gate = |key, release| super::annotation(key).unwrap().reader(release).gate;
    let path = "io.katacontainers.config.hypervisor.path";
    for release in Release::STOPS {
        assert_eq!(gate(path, release), Gate::NameAndValue("valid_hypervisor_paths"));
        assert_eq!(lists(release).next(), Some("enable_annotations"));
        for (annotation, reader) in annotations(release) {
            assert_eq!(annotation.short().is_some(), reader.gate != Gate::None, "{}", annotation.key);
        }
    }
    assert!(lists(Release::go(2, 1, 0)).any(|l| l == "valid_file_mem_backends"));
    assert!(!lists(Release::newest(Runtime::Go)).any(|l| l == "valid_file_mem_backends"));
}
