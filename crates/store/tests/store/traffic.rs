//! Requests are summed by hour and mailbox, and forgotten after two days.

use guichet_store::records::Traffic;
use jiff::{SignedDuration, Timestamp};

use crate::backend;

fn count(user: &str, requests: i64, throttled: i64) -> Traffic {
    Traffic {
        graph_user: user.to_owned(),
        requests,
        throttled,
    }
}

#[tokio::test]
async fn requests_are_summed_by_mailbox_over_the_hours_asked_for() {
    let store = backend::fresh().await;
    let now: Timestamp = "2026-03-01T12:30:00Z".parse().unwrap();
    let hours = SignedDuration::from_hours;
    store
        .add_traffic(&[count("a", 10, 1), count("b", 5, 0)], now)
        .await
        .unwrap();
    store.add_traffic(&[count("a", 7, 2)], now).await.unwrap();
    store.add_traffic(&[count("a", 100, 50)], now - hours(3)).await.unwrap();
    assert_eq!(
        store.traffic(now - hours(1)).await.unwrap(),
        [count("a", 17, 3), count("b", 5, 0)]
    );
    assert_eq!(store.traffic(now - hours(3)).await.unwrap()[0], count("a", 117, 53));
    store.add_traffic(&[], now + hours(47)).await.unwrap();
    assert_eq!(
        store.traffic(now - hours(3)).await.unwrap(),
        [count("a", 17, 3), count("b", 5, 0)]
    );
    store.add_traffic(&[], now + hours(49)).await.unwrap();
    assert_eq!(store.traffic(now - hours(3)).await.unwrap(), []);
}
