//! A PostgreSQL server for tests: one for all test processes of one purpose that run at the same time.
//!
//! Owns its start, on a socket in a directory of its own, and its end: a shell beside it stops it and removes
//! the directory as soon as no test holds the lock file any more, however the tests ended. Never listens on a
//! port and never touches a server that it did not start.

use std::{
    env,
    fs::{self, File, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        net::UnixStream,
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
while ! flock --nonblock --exclusive 9; do sleep 1; done
# By its directory and not by its number: a test may have started it anew.
"$1/pg_ctl" -D "$2/data" -m fast stop
rm -rf "$2/data"
"#;

/// A running server.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    directory: PathBuf,
    /// User and group, where this process is root and the server may not be.
    account: Option<(u32, u32)>,
    /// Keeps the server alive as long as this process lives.
    _users: File,
}

impl Server {
    /// The server of this purpose, started if nobody uses one; `None` where PostgreSQL is not installed.
    pub fn join(purpose: &str) -> Option<Self> {
        let programs = programs()?;
        let project = env!("CARGO_MANIFEST_DIR")
            .bytes()
            .fold(5381_u32, |sum, byte| sum.wrapping_mul(33).wrapping_add(byte.into()));
        let own = fs::metadata("/proc/self").expect("this process").uid();
        let directory = env::temp_dir().join(format!("guichet-postgres-{own}-{project:08x}-{purpose}"));
        fs::create_dir_all(&directory).expect("directory of the server");
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).expect("permissions");
        let file = |name: &str| {
            let mut options = File::options();
            let open = options.create(true).truncate(false).write(true).read(true);
            open.open(directory.join(name))
                .unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let (users, starting) = (file("users"), file("starting"));
        // Waits while a server without users is being stopped.
        users.lock_shared().expect("lock");
        starting.lock().expect("lock");
        let server = Self {
            programs,
            // PostgreSQL refuses to run as root.
            account: (own == 0).then(|| account().expect("an account `postgres` or `nobody`")),
            _users: users,
            directory,
        };
        if !server.answers() {
            server.launch();
        }
        drop(starting);
        Some(server)
    }

    #[expect(
        clippy::zombie_processes,
        reason = "it outlives this process where others still use the server"
    )]
    fn launch(&self) {
        let directory = &self.directory;
        if let Some((user, group)) = self.account {
            for name in ["", "users"] {
                chown(directory.join(name), Some(user), Some(group)).expect("owner");
            }
        }
        let mut shell = self.command("sh".as_ref());
        shell.args(["-c", SCRIPT, "sh"]).args([&self.programs, directory]);
        shell.stdin(Stdio::null());
        // An interrupt from the terminal is for the tests; the server follows by itself.
        shell.process_group(0);
        let mut running = shell.spawn().expect("sh");
        for _ in 0..STARTS_WITHIN * 10 {
            if self.answers() {
                return;
            }
            let ended = running.try_wait().expect("state of the shell");
            let log = || fs::read_to_string(directory.join("log")).unwrap_or_default();
            assert_eq!(ended, None, "{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!(
            "PostgreSQL did not start within {STARTS_WITHIN} s, see {}",
            directory.display()
        );
    }

    /// A program that runs as the server does and says nothing to who waits for a test's output.
    fn command(&self, program: &Path) -> Command {
        let path = self.directory.join("log");
        let log = File::options().create(true).append(true).open(&path).expect("log");
        let mut command = Command::new(program);
        if let Some((user, group)) = self.account {
            chown(&path, Some(user), Some(group)).expect("owner");
            command.uid(user).gid(group);
        }
        command.current_dir(&self.directory);
        command.stdout(log.try_clone().expect("log")).stderr(log);
        command
    }

    /// Whether the server takes connections.
    fn answers(&self) -> bool {
        let ready = self.directory.join("data/postmaster.pid");
        let is_ready = fs::read_to_string(ready).is_ok_and(|text| text.contains("ready"));
        is_ready && UnixStream::connect(self.directory.join(".s.PGSQL.5432")).is_ok()
    }

    /// A new database; its address.
    pub fn create(&self, name: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args([
            "--quiet",
            "--no-psqlrc",
            "--username",
            ROLE,
            "--dbname",
            "postgres",
            "--host",
        ])
        .arg(&self.directory)
        .args(["--command", &format!("CREATE DATABASE {name}")]);
        assert!(psql.status().expect("psql").success());
        self.address(name)
    }

    /// Ends it as a crash would and starts it again. Only for a server of one's own.
    pub fn crash_and_restart(&self) {
        let mut restart = self.command(&self.programs.join("pg_ctl"));
        restart.arg("-D").arg(self.directory.join("data"));
        restart.args(["-m", "immediate", "-w", "restart"]);
        assert!(restart.status().expect("pg_ctl").success());
    }

    /// Address of a database.
    fn address(&self, database: &str) -> String {
        let host = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://{ROLE}@{host}/{database}")
    }
}

/// The directory of the server's programs: Debian keeps them out of the search path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut directories: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    directories.sort();
    directories.reverse();
    directories.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    directories.into_iter().find(|directory| {
        let has = |program: &&str| directory.join(program).is_file();
        ["initdb", "pg_ctl", "postgres", "psql"].iter().all(has)
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
