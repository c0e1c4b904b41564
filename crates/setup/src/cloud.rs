//! Microsoft's clouds: which sign-in service and which Graph belong together.
//!
//! Owns the addresses of the four clouds. Says nothing about hosts that are not in its table: an
//! emulator or a gateway of the operator's own has names of its own.
//!
//! Source: learn.microsoft.com, "National clouds" and "Microsoft Graph national cloud deployments".

use serde::Deserialize;
use url::Url;

/// One of Microsoft's clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// The worldwide cloud; GCC is in it.
    Global,
    /// US Government L4.
    GccHigh,
    /// US Government L5.
    Dod,
    /// China, operated by 21Vianet.
    China,
}

impl Cloud {
    /// Every cloud.
    pub const ALL: [Self; 4] = [Self::Global, Self::GccHigh, Self::Dod, Self::China];

    /// Hosts of the sign-in service, the one in use today first. GCC High and DoD share theirs.
    const fn authorities(self) -> &'static [&'static str] {
        match self {
            Self::Global => &["login.microsoftonline.com", "login.microsoft.com", "login.windows.net"],
            Self::GccHigh | Self::Dod => &["login.microsoftonline.us"],
            Self::China => &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
        }
    }

    /// Host of Microsoft Graph.
    pub const fn graph_host(self) -> &'static str {
        match self {
            Self::Global => "graph.microsoft.com",
            Self::GccHigh => "graph.microsoft.us",
            Self::Dod => "dod-graph.microsoft.us",
            Self::China => "microsoftgraph.chinacloudapi.cn",
        }
    }

    /// As `guichet.toml` has it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::GccHigh => "gcc-high",
            Self::Dod => "dod",
            Self::China => "china",
        }
    }

    /// As Microsoft calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "Global",
            Self::GccHigh => "GCC High",
            Self::Dod => "DoD",
            Self::China => "China (21Vianet)",
        }
    }

    /// Base address of the sign-in service.
    pub fn authority(self) -> Url {
        let host = self.authorities().first().copied().unwrap_or_default();
        Url::parse(&format!("https://{host}")).expect("a constant address parses")
    }

    /// Base address of Microsoft Graph.
    pub fn graph(self) -> Url {
        Url::parse(&format!("https://{}", self.graph_host())).expect("a constant address parses")
    }

    /// The cloud of a Graph host.
    pub fn of_graph(host: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|cloud| cloud.graph_host().eq_ignore_ascii_case(host))
    }

    /// The cloud of a host of the sign-in service; of those that share it, the first.
    pub fn of_authority(host: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cloud| cloud.has_authority(host))
    }

    fn has_authority(self, host: &str) -> bool {
        self.authorities().iter().any(|known| known.eq_ignore_ascii_case(host))
    }
}

/// What is wrong with this Graph beside this sign-in service, where both are known and of different clouds.
pub fn mismatch(authority: &Url, graph: &Url) -> Option<String> {
    let of_graph = Cloud::of_graph(graph.host_str()?)?;
    let host = authority.host_str()?;
    let of_authority = Cloud::of_authority(host)?;
    (!of_graph.has_authority(host)).then(|| {
        format!(
            "`{graph}` is of the cloud {}, and `authority` of the cloud {}: set `cloud` in place of both",
            of_graph.name(),
            of_authority.name()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_fits_itself_and_the_two_that_share_a_sign_in_service() {
        for one in Cloud::ALL {
            for other in Cloud::ALL {
                let share = [one, other]
                    .iter()
                    .all(|cloud| matches!(cloud, Cloud::GccHigh | Cloud::Dod));
                let found = mismatch(&one.authority(), &other.graph());
                assert_eq!(found.is_none(), one == other || share, "{one:?} {other:?}: {found:?}");
            }
        }
    }

    #[test]
    fn a_cloud_is_read_as_it_is_written() {
        for cloud in Cloud::ALL {
            assert_eq!(serde_json::from_value::<Cloud>(cloud.key().into()).unwrap(), cloud);
        }
    }

    #[test]
    fn hosts_of_nobody_are_not_judged() {
        let emulator: Url = "https://localhost:8443".parse().unwrap();
        assert_eq!(mismatch(&emulator, &Cloud::China.graph()), None);
        assert_eq!(mismatch(&Cloud::Global.authority(), &emulator), None);
    }
}
