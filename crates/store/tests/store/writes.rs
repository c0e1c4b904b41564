//! Group commit: many writers, one disk write, and nobody pays for another's failure.

use guichet_domain::ApiKeyId;
use guichet_store::Error;

use crate::{
    backend::open,
    fixture::{at, uuid},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failing_job_harms_none_of_fifty_beside_it() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path()).await;
    let add = |n: u128, hash: u128| {
        let store = store.clone();
        async move {
            let id = ApiKeyId::from_uuid(uuid(n));
            store.add_api_key(id, "key", &format!("hash {hash}"), at(0)).await
        }
    };
    add(1000, 25).await.expect("add");
    let results = futures::future::join_all((0..50).map(|n| add(n, n))).await;
    for (n, result) in results.iter().enumerate() {
        if n == 25 {
            assert!(matches!(result, Err(Error::Conflict(_))), "{result:?}");
        } else {
            assert_eq!(*result, Ok(()), "{n}");
        }
    }
    assert_eq!(store.api_keys().await.expect("list").len(), 50);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn closing_answers_what_is_queued() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path()).await;
    let writes = (0..200u128).map(|n| {
        let store = store.clone();
        async move {
            let id = ApiKeyId::from_uuid(uuid(n));
            store.add_api_key(id, "key", &n.to_string(), at(0)).await
        }
    });
    let (results, ()) = futures::future::join(futures::future::join_all(writes), store.clone().close()).await;
    let stored = results.iter().filter(|r| r.is_ok()).count();
    assert!(
        results.iter().all(|r| matches!(r, Ok(()) | Err(Error::Closed))),
        "{results:?}"
    );
    let store = open(directory.path()).await;
    assert_eq!(
        store.api_keys().await.expect("list").len(),
        stored,
        "what was answered is what is stored"
    );
    store.close().await;
}
