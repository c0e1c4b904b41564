//! The platform's published address ranges, fetched from a server of the test.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::PathBuf,
    thread,
};

use guichet_cli::demo::processes::Launcher;
use serde_json::{Value, json};

/// Answers each connection with the next of these bodies; its address.
fn serve(bodies: Vec<(u16, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = format!("http://{}/ipranges", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for (status, body) in bodies {
            let (mut connection, _) = listener.accept().expect("a connection");
            let mut asked = [0; 4096];
            let _ = connection.read(&mut asked);
            let head = format!(
                "HTTP/1.1 {status} Answer\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = connection.write_all(head.as_bytes());
            let _ = connection.write_all(body.as_bytes());
        }
    });
    address
}

fn list(ranges: &[&str]) -> String {
    let entry =
        |range: &&str| json!({ "cidr": range, "service": "smtp", "direction": "outbound", "region": "eu-central-1" });
    json!({ "entities": ranges.iter().map(entry).collect::<Vec<_>>() }).to_string()
}

async fn fetch(launcher: &Launcher) -> (i32, Value, String) {
    let ran = launcher.try_run(&["connect", "ranges", "--json"]).await;
    let (code, out, err) = ran.map_err(|f| f.title).expect("it runs");
    (code, serde_json::from_str(&out).unwrap_or_default(), err)
}

#[tokio::test]
async fn published_ranges_are_fetched_and_a_bad_answer_leaves_the_file_as_it_was() {
    let dir = tempfile::tempdir().expect("dir");
    let launcher = Launcher::new(PathBuf::from(env!("CARGO_BIN_EXE_guichet")), dir.path());
    let url = serve(vec![
        (200, list(&["203.0.113.0/28", "198.51.100.7/32"])),
        (200, list(&["203.0.113.0/28", "192.0.2.0/24"])),
        (503, "later".to_owned()),
        (200, "<html>".to_owned()),
        (200, list(&[])),
    ]);
    let configuration = format!(
        "profile = \"genesys-cloud\"\n[microsoft]\ntenant = \"contoso.example\"\n[[mailbox]]\naddress = \
         \"support@contoso.example\"\n[addresses]\nurl = \"{url}\"\nfile = \"ranges.json\"\n"
    );
    std::fs::write(dir.path().join("guichet.toml"), configuration).expect("written");

    // Before the first fetch every other command says how to get the file.
    let export = ["connect", "export", "--format", "powershell"];
    let (code, _, err) = launcher.try_run(&export).await.map_err(|f| f.title).expect("it runs");
    assert!(code == 3 && err.contains("guichet connect ranges"), "{code} {err}");

    let (code, first, err) = fetch(&launcher).await;
    assert_eq!((code, first["ranges"].as_u64()), (0, Some(2)), "{err}");
    let (_, second, _) = fetch(&launcher).await;
    assert_eq!(second["added"], json!([["eu-central-1", "192.0.2.0/24"]]), "{second}");
    assert_eq!(second["removed"], json!([["eu-central-1", "198.51.100.7"]]), "{second}");
    let kept = std::fs::read(dir.path().join("ranges.json")).expect("the list");
    for expected in ["status 503", "no list of address ranges", "none of its 0 entries"] {
        let (code, _, err) = fetch(&launcher).await;
        let said = err.replace("\n  │ ", " ");
        assert!(code != 0 && said.contains(expected), "{expected}: {code} {err}");
        assert_eq!(std::fs::read(dir.path().join("ranges.json")).expect("the list"), kept);
    }
    let left = std::fs::read_dir(dir.path()).expect("a directory").count();
    assert_eq!(left, 2, "something was left beside the list");
    let script = launcher.run(&export).await.map_err(|f| f.title).expect("a script");
    assert!(
        script.contains("'192.0.2.0/24'") && !script.contains("198.51.100.7"),
        "{script}"
    );
}
