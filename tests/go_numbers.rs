//! Holds the Go number rules against what Go's own strconv answered.

use katascope::golang::strconv;
use serde_json::Value;

#[test]
fn every_recorded_text_is_read_as_go_reads_it() {
    let mut seen = 0;
    for line in include_str!("vectors/go-numbers.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = case["value"].as_str().unwrap();
        let refused = case["result"] == "error";
        let bits = case["bits"].as_u64().unwrap_or(0) as u32;
        seen += 1;
        match case["fn"].as_str().unwrap() {
            "strconv.ParseBool" => {
                let want = if refused { None } else { case["result"].as_bool() };
                assert_eq!(strconv::parse_bool(text), want, "{line}");
            }
            "strconv.ParseUint" => {
                let got = strconv::parse_uint(text, 10, bits).ok();
                let want = (!refused).then(|| case["result"].to_string().trim_matches('"').parse().unwrap());
                assert_eq!(got, want, "{line}");
            }
            "strconv.ParseFloat" => {
                let got = strconv::parse_float32(text).ok();
                match case["f32"].as_str() {
                    Some("nan") => assert!(got.is_some_and(f32::is_nan), "{line}"),
                    Some(hex) => {
                        let want = u32::from_str_radix(hex, 16).unwrap();
                        assert_eq!(got.map(f32::to_bits), Some(want), "{line}");
                    }
                    None => assert_eq!(got, None, "{line}"),
                }
            }
            other => panic!("unknown function {other}"),
        }
    }
    assert_eq!(seen, 351);
}
