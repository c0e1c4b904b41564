//! `guichet connect ranges`: the platform's published address ranges, fetched into the configured file.
//!
//! Never changes what is allowed: the doctor then compares, and the export adds. Invariant: the file holds a list that
//! was read whole and has ranges that count, or what it held before.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
};

use bytes::Bytes;
use guichet_domain::AddressRange;
use guichet_net::{BodyLimit, HttpRequest};
use guichet_setup::profile::Selection;
use http::{HeaderMap, Method};
use url::Url;

use crate::{
    args::RangesArgs,
    config::{Config, LARGEST_FILE},
    failure::{Exit, Failure},
    wiring,
};

type Regions = BTreeMap<String, Vec<AddressRange>>;

pub(super) async fn run(path: &Path, arguments: &RangesArgs, json: bool) -> Result<Exit, Failure> {
    let (config, profile) = Config::load_without_ranges(path, arguments.profile.as_deref())?;
    let (Some(url), Some(file)) = (&config.addresses.url, &config.addresses.file) else {
        let title = "no `url` and `file` are configured under [addresses]";
        let fix = "set `url` to where the platform publishes its ranges, and `file` to where they are to be kept";
        return Err(Failure::new(Exit::Configuration, title, fix));
    };
    let list = fetch(&config, url).await?;
    let new = read(&profile.ranges, &list).map_err(|problem| {
        let fix = "correct `url` under [addresses], or the profile's `ranges`; the file is as it was";
        Failure::new(Exit::NotRight, format!("{url}: {problem}"), fix)
    })?;
    let before = fs::read_to_string(file).ok();
    let old = before
        .and_then(|text| profile.ranges.read(&text).ok())
        .unwrap_or_default();
    replace(file, &list).map_err(|error| {
        let title = format!("{} can't be written: {error}", file.display());
        Failure::new(Exit::Local, title, "make its directory writable for this user")
    })?;
    let (old, new) = (set(&old), set(&new));
    let (added, removed): (Vec<_>, Vec<_>) = (new.difference(&old).collect(), old.difference(&new).collect());
    if json {
        crate::commands::print_json(&serde_json::json!({
            "file": file, "ranges": new.len(), "added": added, "removed": removed,
        }))?;
    } else {
        println!("ranges   {}", new.len());
        for (mark, ranges) in [("+", added), ("-", removed)] {
            for (region, range) in ranges {
                println!("{mark} {range}  {region}");
            }
        }
    }
    Ok(Exit::Success)
}

async fn fetch(config: &Config, url: &Url) -> Result<Bytes, Failure> {
    let request = HttpRequest {
        method: Method::GET,
        url: url.clone(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let limit = BodyLimit::bytes(LARGEST_FILE);
    let fix = "correct `url` under [addresses], or look at the network and at `proxy` under [microsoft]";
    let answer = wiring::transport(config)?.send(request, limit).await;
    let answer = answer.map_err(|error| Failure::new(Exit::Unreachable, error.to_string(), fix))?;
    if answer.status.is_success() {
        Ok(answer.body)
    } else {
        let title = format!("{url} answered with status {}", answer.status.as_u16());
        Err(Failure::new(Exit::Unreachable, title, fix))
    }
}

fn read(selection: &Selection, list: &[u8]) -> Result<Regions, String> {
    let text = std::str::from_utf8(list).map_err(|_| "what it gives is no text".to_owned())?;
    selection.read(text).map_err(|error| error.to_string())
}

fn set(regions: &Regions) -> BTreeSet<(String, String)> {
    let pairs = regions.iter().flat_map(|(region, ranges)| {
        let pair = |range: &AddressRange| (region.clone(), range.to_string());
        ranges.iter().map(pair).collect::<Vec<_>>()
    });
    pairs.collect()
}

/// Written beside and put in place whole.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let beside = directory.unwrap_or(Path::new(".")).join(name);
    let written = fs::File::create(&beside)
        .and_then(|mut new| new.write_all(bytes).and_then(|()| new.sync_all()))
        .and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}
