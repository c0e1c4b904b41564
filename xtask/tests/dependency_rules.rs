//! Who may depend on whom: the rules of `docs/architecture.md`, read from `cargo metadata`.
//!
//! Owns the tables of permitted edges. Judges edges as plain data, so that each rule is also shown to
//! refuse an edge that breaks it.

use std::{collections::BTreeSet, path::PathBuf, process::Command};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Our crates and which of ours each may use.
const OURS: [(&str, &[&str]); 12] = [
    ("guichet-domain", &[]),
    ("guichet-mime", &[]),
    ("guichet-net", &[]),
    ("guichet-sandbox", &[]),
    ("guichet-graph", &["guichet-net"]),
    ("guichet-store", &["guichet-domain"]),
    (
        "guichet-setup",
        &["guichet-domain", "guichet-graph", "guichet-net", "guichet-store"],
    ),
    (
        "guichet-engine",
        &[
            "guichet-domain",
            "guichet-graph",
            "guichet-mime",
            "guichet-net",
            "guichet-store",
        ],
    ),
    (
        "guichet-api",
        &[
            "guichet-domain",
            "guichet-engine",
            "guichet-mime",
            "guichet-net",
            "guichet-setup",
            "guichet-store",
        ],
    ),
    ("guichet-cli", ALL_BUT_THE_ENDS),
    ("guichet-sim", ALL_BUT_THE_ENDS),
    ("xtask", &[]),
];

/// What stands between the two crates that nobody uses, `cli` and `sim`.
const ALL_BUT_THE_ENDS: &[&str] = &[
    "guichet-api",
    "guichet-domain",
    "guichet-engine",
    "guichet-graph",
    "guichet-mime",
    "guichet-net",
    "guichet-sandbox",
    "guichet-setup",
    "guichet-store",
];

/// Our crates that may try themselves against the offline tenant in their tests. `graph` is not one
/// of them: client and tenant meet in the end-to-end tests only.
const MAY_TEST_AGAINST_THE_SANDBOX: &[&str] = &["guichet-api", "guichet-engine", "guichet-setup"];

/// Who may use an external crate: in the product, and in addition in tests.
struct Confined {
    external: &'static [&'static str],
    product: &'static [&'static str],
    tests: &'static [&'static str],
}

const CONFINED: [Confined; 4] = [
    Confined {
        external: &["rusqlite", "tokio-postgres", "deadpool-postgres", "object_store"],
        product: &["guichet-store"],
        tests: &[],
    },
    Confined {
        external: &["reqwest"],
        product: &["guichet-net", "guichet-sandbox"],
        tests: &[],
    },
    Confined {
        external: &["axum"],
        product: &["guichet-api", "guichet-sandbox"],
        // Their tests need a server to talk to.
        tests: &["guichet-net", "guichet-graph"],
    },
    Confined {
        external: &["clap", "anyhow"],
        product: &["guichet-cli", "xtask"],
        tests: &[],
    },
];

/// The decisions are pure: no runtime, no I/O.
const NEVER_IN_DOMAIN: &[&str] = &["tokio", "async-trait", "futures", "tracing"];

/// Second TLS providers, and the database library that can't share a build with ours.
const NOWHERE: &[&str] = &["ring", "native-tls", "openssl", "openssl-sys", "sqlx", "sqlx-core"];

/// A dependency that a crate of ours declares.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Edge {
    from: String,
    to: String,
    in_tests_only: bool,
}

impl Edge {
    fn product(from: &str, to: &str) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            in_tests_only: false,
        }
    }

    fn test(from: &str, to: &str) -> Self {
        Self {
            in_tests_only: true,
            ..Self::product(from, to)
        }
    }
}

/// Why an edge is forbidden, or `None`.
fn objection(edge: &Edge) -> Option<String> {
    let Edge {
        from,
        to,
        in_tests_only,
    } = edge;
    let Some((_, may_use)) = OURS.iter().find(|(name, _)| name == from) else {
        return Some(format!("{from} has no row in the table of crates: add one"));
    };
    if OURS.iter().any(|(name, _)| name == to) {
        let in_tests = *in_tests_only && to == "guichet-sandbox" && MAY_TEST_AGAINST_THE_SANDBOX.contains(&&**from);
        let permitted = may_use.contains(&&**to) || in_tests;
        return (!permitted).then(|| format!("{from} must not depend on {to}"));
    }
    if from == "guichet-domain" && !in_tests_only && NEVER_IN_DOMAIN.contains(&&**to) {
        return Some(format!("{from} decides without I/O and must not depend on {to}"));
    }
    let rule = CONFINED.iter().find(|rule| rule.external.contains(&&**to))?;
    let permitted = rule.product.contains(&&**from) || (*in_tests_only && rule.tests.contains(&&**from));
    (!permitted).then(|| {
        format!(
            "{from} must not depend on {to}: only {} may",
            rule.product.join(" and ")
        )
    })
}

/// The packages that must not be in the build at all.
fn unwanted<'a>(resolved: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    resolved.into_iter().filter(|name| NOWHERE.contains(name)).collect()
}

fn root() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from);
    root.expect("xtask lies below the repository's root")
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .expect("cargo metadata --locked succeeds in a workspace whose lock file is up to date")
}

fn edges(metadata: &Metadata) -> Vec<Edge> {
    let packages = metadata.workspace_packages();
    let edges = packages.iter().flat_map(|package| {
        package.dependencies.iter().map(|dependency| Edge {
            from: package.name.to_string(),
            to: dependency.name.clone(),
            in_tests_only: dependency.kind == DependencyKind::Development,
        })
    });
    edges.collect()
}

#[test]
fn no_crate_depends_on_what_it_must_not() {
    let edges = edges(&metadata());
    assert!(edges.len() > 50, "only {} edges were read", edges.len());
    let objections: Vec<String> = edges.iter().filter_map(objection).collect();
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

#[test]
fn every_crate_of_the_workspace_has_its_row() {
    let metadata = metadata();
    let present: BTreeSet<String> = metadata
        .workspace_packages()
        .iter()
        .map(|p| p.name.to_string())
        .collect();
    let listed: BTreeSet<String> = OURS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(present, listed);
}

#[test]
fn second_tls_provider_is_in_no_build() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let answer = Command::new(cargo)
        .current_dir(root())
        .args([
            "tree",
            "--workspace",
            "--locked",
            "--target",
            "all",
            "--edges",
            "normal,build,dev",
        ])
        .args(["--prefix", "none", "--format", "{p}"])
        .output()
        .expect("cargo tree starts");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let tree = String::from_utf8_lossy(&answer.stdout);
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("rustls"), "the tree was not understood:\n{tree}");
    assert_eq!(unwanted(names), Vec::<&str>::new());
}

#[test]
fn invented_edge_between_our_crates_is_refused() {
    for edge in [
        Edge::product("guichet-domain", "guichet-store"),
        Edge::product("guichet-sandbox", "guichet-graph"),
        Edge::product("guichet-graph", "guichet-domain"),
        Edge::product("guichet-store", "guichet-graph"),
        Edge::product("guichet-engine", "guichet-setup"),
        Edge::product("guichet-engine", "guichet-sandbox"),
        Edge::product("guichet-api", "guichet-graph"),
        Edge::product("guichet-cli", "guichet-sim"),
        Edge::product("guichet-sim", "guichet-cli"),
        Edge::product("xtask", "guichet-cli"),
        Edge::test("guichet-graph", "guichet-sandbox"),
        Edge::test("guichet-sandbox", "guichet-graph"),
        Edge::test("guichet-store", "guichet-engine"),
    ] {
        assert!(objection(&edge).is_some(), "{edge:?} was accepted");
    }
}

#[test]
fn invented_edge_to_a_confined_crate_is_refused() {
    for edge in [
        Edge::product("guichet-engine", "rusqlite"),
        Edge::product("guichet-api", "object_store"),
        Edge::product("guichet-cli", "tokio-postgres"),
        Edge::product("guichet-graph", "reqwest"),
        Edge::test("guichet-api", "reqwest"),
        Edge::product("guichet-graph", "axum"),
        Edge::test("guichet-store", "axum"),
        Edge::product("guichet-sandbox", "anyhow"),
        Edge::product("guichet-setup", "clap"),
        Edge::product("guichet-domain", "tokio"),
        Edge::product("guichet-newcomer", "serde"),
    ] {
        assert!(objection(&edge).is_some(), "{edge:?} was accepted");
    }
}

#[test]
fn edge_of_the_design_is_accepted() {
    for edge in [
        Edge::product("guichet-graph", "guichet-net"),
        Edge::product("guichet-api", "guichet-engine"),
        Edge::product("guichet-cli", "guichet-sandbox"),
        Edge::product("guichet-store", "rusqlite"),
        Edge::product("xtask", "anyhow"),
        Edge::test("guichet-net", "axum"),
        Edge::test("guichet-engine", "guichet-sandbox"),
        Edge::test("guichet-domain", "proptest"),
    ] {
        assert_eq!(objection(&edge), None, "{edge:?}");
    }
}

#[test]
fn second_tls_provider_in_a_build_is_noticed() {
    assert_eq!(
        unwanted(["rustls", "ring", "openssl-probe", "openssl-sys"]),
        ["ring", "openssl-sys"]
    );
}
