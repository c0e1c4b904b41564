//! Bytes under the name of their content.

use std::path::PathBuf;

use bytes::Bytes;
use guichet_domain::BlobId;
use guichet_store::Error;

use crate::backend::{self, open};

fn file(directory: &std::path::Path, id: &BlobId) -> PathBuf {
    let (head, tail) = id.as_str().split_at(2);
    directory.join("blobs/sha256").join(head).join(tail)
}

#[tokio::test]
async fn address_is_the_sha_256_and_putting_again_changes_nothing() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path()).await;
    let id = store.put_blob(Bytes::from_static(b"abc")).await.expect("put");
    // FIPS 180-2, appendix B.1.
    assert_eq!(
        id.as_str(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(std::fs::read(file(directory.path(), &id)).expect("file"), b"abc");
    assert_eq!(store.put_blob(Bytes::from_static(b"abc")).await, Ok(id.clone()));
    assert_eq!(store.get_blob(&id).await, Ok(Bytes::from_static(b"abc")));
    let empty = store.put_blob(Bytes::new()).await.expect("put");
    assert_eq!(store.get_blob(&empty).await, Ok(Bytes::new()));
    let large = Bytes::from(vec![7; 1 << 20]);
    let id = store.put_blob(large.clone()).await.expect("put");
    assert_eq!(store.get_blob(&id).await, Ok(large));
    store.close().await;
}

#[tokio::test]
async fn changed_bytes_and_missing_files_are_told_apart() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path()).await;
    let id = store.put_blob(Bytes::from_static(b"original")).await.expect("put");
    let path = file(directory.path(), &id);
    std::fs::write(&path, b"0riginal").expect("write");
    assert_eq!(store.get_blob(&id).await, Err(Error::CorruptBlob { id: id.clone() }));
    store.put_blob(Bytes::from_static(b"original")).await.expect("put");
    assert_eq!(store.get_blob(&id).await, Ok(Bytes::from_static(b"original")), "healed");
    std::fs::remove_file(&path).expect("remove");
    assert_eq!(store.get_blob(&id).await, Err(Error::MissingBlob { id: id.clone() }));
    // Putting it again heals it, although this process has written it before.
    store.put_blob(Bytes::from_static(b"original")).await.expect("put");
    assert_eq!(store.get_blob(&id).await, Ok(Bytes::from_static(b"original")));
    store.close().await;
}

#[tokio::test]
async fn name_that_is_no_address_reads_no_file() {
    let store = backend::fresh().await;
    for bad in ["", "../../guichet.db", "ba7816bf", &"A".repeat(64), &"ä".repeat(32)] {
        let id = BlobId::new(bad);
        assert_eq!(
            store.get_blob(&id).await,
            Err(Error::MissingBlob { id: id.clone() }),
            "{bad}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_bytes_from_many_sides_at_once_are_one_blob() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(directory.path()).await;
    let puts = (0..20).map(|_| store.put_blob(Bytes::from_static(b"logo")));
    let ids = futures::future::try_join_all(puts).await.expect("put");
    assert!(ids.iter().all(|id| *id == ids[0]));
    let folder = file(directory.path(), &ids[0]);
    let names = std::fs::read_dir(folder.parent().expect("parent"))
        .expect("list")
        .count();
    assert_eq!(names, 1, "no half-written file is left");
    store.close().await;
}
