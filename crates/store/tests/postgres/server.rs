//! A PostgreSQL server for tests: one for all test processes that run at the same time.
//!
//! Owns its start, on a socket in a directory of its own, and its end: a shell beside it stops it and removes
//! the directory as soon as no test holds the lock file any more, however the tests ended. Never listens on a
//! port and never touches a server that it did not start.

use std::{
    env,
    fs::{self, File, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

/// The role that owns everything.
const ROLE: &str = "guichet";
/// How long the start may take on a machine that has much else to do.
const STARTS_WITHIN: u32 = 60;

/// Makes a cluster, serves it, and ends when nobody holds `users` any more. The outermost directory stays: the
/// lock files in it must not be removed while somebody waits for them.
const SCRIPT: &str = r#"
exec 9<"$2/users"
"$1/initdb" -D "$2/data" -U guichet -A trust -E UTF8 --locale=C.UTF-8 --no-sync || exit 1
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=400 -c fsync=off \
    -c log_min_messages=fatal &
server=$!
while ! flock --nonblock --exclusive 9; do sleep 1; done
kill -INT $server
wait $server
rm -rf "$2/data"
"#;

/// A running server.
#[derive(Debug)]
pub struct Server {
    directory: PathBuf,
    /// Keeps the server alive as long as this process lives.
    _users: File,
}

/// The server; `None` where PostgreSQL is not installed.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

impl Server {
    /// Address of a database.
    pub fn address(&self, database: &str) -> String {
        let host = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://{ROLE}@{host}/{database}")
    }
}

fn start() -> Option<Server> {
    let programs = programs()?;
    let project = env!("CARGO_MANIFEST_DIR")
        .bytes()
        .fold(5381_u32, |sum, byte| sum.wrapping_mul(33).wrapping_add(byte.into()));
    let own = fs::metadata("/proc/self").expect("this process").uid();
    let directory = env::temp_dir().join(format!("guichet-postgres-{own}-{project:08x}"));
    fs::create_dir_all(&directory).expect("directory of the server");
    fs::set_permissions(&directory, Permissions::from_mode(0o700)).expect("permissions");
    let file = |name: &str| {
        let open = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .read(true)
            .open(directory.join(name));
        open.unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let (users, starting) = (file("users"), file("starting"));
    // Waits while a server without users is being stopped.
    users.lock_shared().expect("lock");
    starting.lock().expect("lock");
    if !answers(&directory) {
        launch(&programs, &directory, own == 0);
    }
    drop(starting);
    Some(Server {
        directory,
        _users: users,
    })
}

#[expect(
    clippy::zombie_processes,
    reason = "it outlives this process where others still use the server"
)]
fn launch(programs: &Path, directory: &Path, root: bool) {
    let log = File::create(directory.join("log")).expect("log");
    let mut shell = Command::new("sh");
    shell.args(["-c", SCRIPT, "sh"]).args([programs, directory]);
    shell.stdin(Stdio::null());
    // Whoever waits for a test's output must not wait for the server.
    shell.stdout(log.try_clone().expect("log")).stderr(log);
    // An interrupt from the terminal is for the tests; the server follows by itself.
    shell.process_group(0);
    if root {
        // PostgreSQL refuses to run as root.
        let (user, group) = account().expect("an account `postgres` or `nobody`");
        for name in ["", "users", "log"] {
            chown(directory.join(name), Some(user), Some(group)).expect("owner");
        }
        shell.uid(user).gid(group);
    }
    let mut running = shell.spawn().expect("sh");
    for _ in 0..STARTS_WITHIN * 10 {
        if answers(directory) {
            return;
        }
        let ended = running.try_wait().expect("state of the shell");
        assert_eq!(
            ended,
            None,
            "{}",
            fs::read_to_string(directory.join("log")).unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!(
        "PostgreSQL did not start within {STARTS_WITHIN} s, see {}",
        directory.join("log").display()
    );
}

/// Whether a server takes connections there.
fn answers(directory: &Path) -> bool {
    // A byte of the protocol more than this is not needed: the socket of a dead server refuses.
    let ready = directory.join("data/postmaster.pid");
    let is_ready = fs::read_to_string(ready).is_ok_and(|text| text.contains("ready"));
    is_ready && std::os::unix::net::UnixStream::connect(directory.join(".s.PGSQL.5432")).is_ok()
}

/// The directory of the server's programs: Debian keeps them out of the search path.
fn programs() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    debian.sort();
    directories.extend(debian.into_iter().rev());
    directories.into_iter().find(|directory| {
        let has = |program: &str| directory.join(program).is_file();
        has("initdb") && has("postgres")
    })
}

fn account() -> Option<(u32, u32)> {
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    ["postgres", "nobody"].into_iter().find_map(|wanted| {
        let line = accounts.lines().find(|line| line.starts_with(&format!("{wanted}:")))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    })
}
