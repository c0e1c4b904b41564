//! `guichet demo --once` tells its story and finds nothing wrong.

use std::process::Command;

#[test]
fn demo_once_is_all_right() {
    let output = Command::new(env!("CARGO_BIN_EXE_guichet"))
        .args(["demo", "--once", "--json"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .expect("the binary starts");
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{err}");
    let report: serde_json::Value = serde_json::from_str(&out).expect("a report in JSON");
    assert_eq!(report["right"], true, "{out}");
    println!("{}", err.lines().next().unwrap_or_default());
}
