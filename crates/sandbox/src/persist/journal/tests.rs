//! The journal's promises: whole saves only, damage refused by name.

use super::*;

fn filled(path: &Path) {
    let mut journal = Journal::create(path).unwrap();
    journal.append("section", "a", "{\"n\":1}").unwrap();
    journal.commit(false).unwrap();
    journal.append("section", "a", "{\"n\":2}").unwrap();
    journal.append("section", "b", "\"x y\"").unwrap();
    journal.commit(true).unwrap();
}

fn rows(path: &Path) -> Vec<String> {
    let found = check(path).unwrap();
    let mut rows = Vec::new();
    replay(path, found, |row| {
        rows.push(format!("{} {} {}", row.kind, row.key, row.value));
        Ok(())
    })
    .unwrap();
    rows
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal");
    (directory, path)
}

#[test]
fn committed_lines_come_back_in_order() {
    let (_directory, path) = place();
    filled(&path);
    assert_eq!(
        rows(&path),
        ["section a {\"n\":1}", "section a {\"n\":2}", "section b \"x y\""]
    );
    assert!(check(&path).unwrap().closed);
}

#[test]
fn every_truncation_yields_whole_saves_or_a_refusal() {
    let (_directory, path) = place();
    filled(&path);
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        match check(&path) {
            Ok(found) => {
                assert!(!found.closed, "{length}");
                assert_eq!(rows(&path), ["section a {\"n\":1}"], "{length}");
            }
            Err(error) => assert!(error.to_string().contains("journal"), "{length}: {error}"),
        }
    }
}

#[test]
fn any_damaged_byte_that_a_later_save_follows_is_refused() {
    let (_directory, path) = place();
    filled(&path);
    let first = check(&path).unwrap().base;
    assert_eq!(first, 0);
    let whole = std::fs::read(&path).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let end = text.rfind("commit").unwrap() - SUM_DIGITS - 1;
    // The line end before the last commit belongs to it: nothing follows that would tell damage from a cut.
    for at in 0..end - 1 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        std::fs::write(&path, &damaged).unwrap();
        assert!(check(&path).is_err(), "byte {at}");
    }
}

#[test]
fn an_interrupted_save_is_cut_off_and_the_next_one_counts() {
    let (_directory, path) = place();
    filled(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"0badf00d section a {\"n\":3");
    std::fs::write(&path, &bytes).unwrap();
    let found = check(&path).unwrap();
    assert_eq!(found.torn, 25);
    let mut journal = Journal::resume(&path, found).unwrap();
    journal.append("section", "a", "4").unwrap();
    journal.commit(false).unwrap();
    assert_eq!(rows(&path).last().unwrap(), "section a 4");
}

#[test]
fn another_version_is_refused_by_its_number() {
    let (_directory, path) = place();
    filled(&path);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("state 1", "state 7", 1)).unwrap();
    let error = check(&path).unwrap_err().to_string();
    assert!(error.contains("format 7"), "{error}");
    assert!(error.contains("--fresh"), "{error}");
}

#[test]
fn an_abandoned_save_leaves_the_one_before_it() {
    let (_directory, path) = place();
    filled(&path);
    let mut journal = Journal::resume(&path, check(&path).unwrap()).unwrap();
    journal.append("section", "a", "9").unwrap();
    journal.hand_over().unwrap();
    journal.abandon();
    journal.append("section", "c", "1").unwrap();
    journal.commit(false).unwrap();
    assert_eq!(rows(&path)[2..], ["section b \"x y\"", "section c 1"]);
}

#[test]
fn a_journal_that_somebody_changed_or_removed_is_noticed() {
    let (_directory, path) = place();
    filled(&path);
    let mut journal = Journal::resume(&path, check(&path).unwrap()).unwrap();
    journal.verify().unwrap();
    std::fs::write(&path, "short").unwrap();
    for _ in 0..2 {
        assert!(journal.verify().unwrap_err().to_string().contains("somebody else"));
        journal.abandon();
    }
    std::fs::remove_file(&path).unwrap();
    journal.verify().unwrap_err();
}
