//! The history of findings.

use guichet_store::SeenFinding;

use crate::{backend, fixture::at};

fn seen(code: &str, evidence: &str) -> SeenFinding {
    SeenFinding {
        code: code.to_owned(),
        subject: "support@contoso.example".to_owned(),
        severity: "error".to_owned(),
        evidence: evidence.to_owned(),
    }
}

#[tokio::test]
async fn finding_is_open_since_its_first_sight_until_a_complete_look_misses_it() {
    let store = backend::fresh().await;
    let look = async |found: &[SeenFinding], complete: bool, now: i64| {
        store.record_findings(found, complete, at(now)).await.expect("recorded")
    };
    look(&[seen("mailbox-denied", "first")], true, 1).await;
    let open = look(&[seen("mailbox-denied", "again")], true, 2).await;
    assert_eq!((open[0].first_seen, open[0].last_seen), (at(1), at(2)));
    assert_eq!(open[0].evidence, "again");
    let open = look(&[seen("authority-dns", "no address")], false, 3).await;
    assert_eq!(open.len(), 2, "a look that saw little resolves nothing");
    assert!(look(&[], true, 4).await.is_empty());
    let rows = store.findings().await.expect("read");
    assert!(rows.iter().all(|row| row.resolved_at == Some(at(4))), "{rows:?}");
    look(&[seen("mailbox-denied", "back")], true, 5).await;
    let rows = store.findings().await.expect("read");
    assert_eq!(rows.len(), 3, "it came back as a finding of its own");
    assert_eq!((rows[0].first_seen, rows[0].resolved_at), (at(5), None));
    look(&[], true, 5).await;
    let open = look(&[seen("mailbox-denied", "at once")], true, 5).await;
    assert_eq!(open.len(), 1, "the same moment is no conflict");
}

#[tokio::test]
async fn resolved_findings_are_kept_for_ninety_days() {
    let store = backend::fresh().await;
    store
        .record_findings(&[seen("mailbox-denied", "")], true, at(0))
        .await
        .expect("recorded");
    store.record_findings(&[], true, at(1)).await.expect("recorded");
    let day = 24 * 60 * 60;
    for (days, kept) in [(89, 1), (91, 0)] {
        store
            .record_findings(&[], true, at(days * day))
            .await
            .expect("recorded");
        assert_eq!(store.findings().await.expect("read").len(), kept, "{days} days");
    }
}
