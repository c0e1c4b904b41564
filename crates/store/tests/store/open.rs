//! Opening says what is wrong, names the file, and touches nothing that it does not understand.

use std::{fs, path::Path};

use guichet_store::{Error, OpenOptions, ServiceLock, Store};

use crate::{
    backend::open,
    fixture::{World, mail},
};

async fn refused(directory: &Path) -> Error {
    Store::open(OpenOptions::in_directory(directory))
        .await
        .expect_err("opening must fail")
}

#[tokio::test]
async fn garbage_is_refused_and_left_alone() {
    for garbage in [
        &b"x"[..],
        b"this is no database, it is a letter to my bank",
        &[0u8; 8192],
    ] {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("guichet.db");
        fs::write(&path, garbage).expect("write");
        let error = refused(directory.path()).await;
        assert!(
            matches!(&error, Error::Corrupt { path: p, .. } if *p == path),
            "{error}"
        );
        assert!(error.to_string().contains("guichet.db"), "{error}");
        assert_eq!(fs::read(&path).expect("read"), garbage);
    }
}

#[tokio::test]
async fn damaged_pages_after_a_crash_are_found_before_work_begins() {
    let directory = tempfile::tempdir().expect("directory");
    let world = World::over(open(directory.path()).await).await;
    world.commit((1..=200).map(mail).collect()).await;
    world.store.close().await;
    let path = directory.path().join("guichet.db");
    let mut bytes = fs::read(&path).expect("read");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096 * 4].fill(0xA5);
    fs::write(&path, &bytes).expect("write");
    // What a crash leaves behind.
    fs::write(directory.path().join("guichet.db-wal"), b"").expect("write");
    let error = refused(directory.path()).await;
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert_eq!(fs::read(&path).expect("read"), bytes);
}

#[tokio::test]
async fn missing_database_next_to_blobs_is_not_created_anew() {
    let directory = tempfile::tempdir().expect("directory");
    let world = World::over(open(directory.path()).await).await;
    world
        .store
        .put_blob(bytes::Bytes::from_static(b"mail"))
        .await
        .expect("put");
    world.store.close().await;
    let path = directory.path().join("guichet.db");
    fs::remove_file(&path).expect("remove");
    assert!(matches!(refused(directory.path()).await, Error::Missing { .. }));
    assert!(!path.exists());
    fs::write(&path, b"").expect("write");
    assert!(
        matches!(refused(directory.path()).await, Error::Missing { .. }),
        "an empty file is no database either"
    );
}

#[tokio::test]
async fn newer_schema_is_refused_with_both_versions() {
    let directory = tempfile::tempdir().expect("directory");
    World::over(open(directory.path()).await).await.store.close().await;
    let path = directory.path().join("guichet.db");
    sql(
        &path,
        "INSERT INTO schema_version (version, name) VALUES (4711, 'later')",
    );
    let error = refused(directory.path()).await;
    assert!(matches!(error, Error::NewerSchema { found: 4711, .. }), "{error}");
}

#[tokio::test]
async fn database_of_another_program_is_refused() {
    let directory = tempfile::tempdir().expect("directory");
    sql(
        &directory.path().join("guichet.db"),
        "CREATE TABLE bookmarks (url TEXT)",
    );
    let error = refused(directory.path()).await;
    assert!(
        matches!(&error, Error::Corrupt { detail, .. } if detail.contains("another program")),
        "{error}"
    );
}

#[tokio::test]
async fn data_directory_that_is_a_file_is_named() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("data");
    fs::write(&path, b"").expect("write");
    let error = refused(&path).await;
    assert!(
        matches!(&error, Error::Unwritable { path: p, .. } if *p == path),
        "{error}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn read_only_directory_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("directory");
    let data = directory.path().join("data");
    fs::create_dir(&data).expect("create");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o555)).expect("mode");
    if fs::write(data.join("probe"), b"").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    let error = refused(&data).await;
    assert!(matches!(&error, Error::Unwritable { .. }), "{error}");
}

#[tokio::test]
async fn commands_may_open_what_the_service_has_locked() {
    let directory = tempfile::tempdir().expect("directory");
    let _lock = ServiceLock::acquire(directory.path()).expect("lock");
    let service = World::over(open(directory.path()).await).await;
    let command = open(directory.path()).await;
    service.commit(vec![mail(1)]).await;
    assert_eq!(command.totals().await.expect("totals").receipts, 1);
    command.check().await.expect("a command may write as well");
    command.close().await;
    service.commit(vec![mail(2)]).await;
    service.store.close().await;
}

fn sql(path: &Path, text: &str) {
    rusqlite::Connection::open(path)
        .and_then(|connection| connection.execute_batch(text))
        .expect("sql");
}
