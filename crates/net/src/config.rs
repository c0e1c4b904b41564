//! What an operator can choose about outbound connections.
//!
//! Owns the settings and their defaults. Never opens anything; the certificate files are read when
//! the client is built.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

/// Longest wait for a TCP connection, its TLS handshake included. A healthy path answers within a
/// second; more than ten means the address is unreachable.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for a whole exchange. Microsoft's gateways give up after about 100 s, so a little
/// more lets their answer arrive before ours.
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Settings of the outbound client.
#[derive(Clone)]
pub struct NetConfig {
    /// PEM bundles or single DER certificates trusted in addition to the platform's roots.
    pub extra_ca_files: Vec<PathBuf>,
    /// Bound on connecting, TLS handshake included.
    pub connect_timeout: Duration,
    /// Bound on a whole exchange, from the first byte sent to the last byte read.
    pub request_timeout: Duration,
    /// Proxy for every request. `None` takes the environment's (`HTTPS_PROXY`, `HTTP_PROXY`);
    /// `NO_PROXY` is honoured in both cases.
    pub proxy: Option<Url>,
    /// Value of the `User-Agent` header.
    pub user_agent: String,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            extra_ca_files: Vec::new(),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            request_timeout: DEFAULT_REQUEST_TIMEOUT,
            proxy: None,
            user_agent: concat!("guichet/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl fmt::Debug for NetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A proxy address may carry a user name and a password.
        let proxy = self
            .proxy
            .as_ref()
            .map(|url| format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()));
        f.debug_struct("NetConfig")
            .field("extra_ca_files", &self.extra_ca_files)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("proxy", &proxy)
            .field("user_agent", &self.user_agent)
            .finish()
    }
}
