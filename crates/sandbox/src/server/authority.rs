//! The sandbox's own certificate authority and server certificate.
//!
//! Owns `ca.pem` (readable by all) and `ca-key.pem` (readable by the owner) in the data directory. An authority that
//! is still good is used again, so that clients which trust it keep working over a restart; the server certificate is
//! made anew at each start. Its names are the loopback ones and Microsoft's hosts of every cloud, so that a client
//! whose host names are redirected finds a matching certificate.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::error::Error;

/// Subject of the authority. A stored one with another subject is not ours and is replaced.
const SUBJECT: &str = "Guichet sandbox authority";
/// Life of the authority.
const AUTHORITY_DAYS: i64 = 3650;
/// Life of the server certificate: some clients refuse more than 825 days.
const SERVER_DAYS: i64 = 397;
/// A stored authority must be good for at least this long.
const MARGIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Names in the server certificate.
const HOSTS: [&str; 25] = [
    "localhost",
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "graph.microsoft.com",
    "outlook.office.com",
    "outlook.office365.com",
    "login.microsoftonline.us",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "outlook.office365.us",
    "outlook-dod.office365.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "microsoftgraph.chinacloudapi.cn",
    "outlook.office365.cn",
    "login.sovcloud-identity.fr",
    "login.sovcloud-identity.de",
    "login.sovcloud-identity.sg",
    "login.microsoftonline.de",
    "graph.microsoft.de",
    "microsoft.com",
    "www.microsoft.com",
    "aka.ms",
];

/// A ready certificate authority.
#[derive(Debug)]
pub struct Authority {
    /// Where the certificate is stored.
    pub file: PathBuf,
    /// The certificate as PEM.
    pub pem: String,
    key: KeyPair,
}

impl Authority {
    /// The stored authority, or a new one.
    ///
    /// `now` is the machine's time, not the tenant's: clients judge certificates by their own clock.
    ///
    /// # Errors
    /// When the directory cannot be used or no key can be made.
    pub fn open(directory: &Path, now: Timestamp) -> Result<Self, Error> {
        std::fs::create_dir_all(directory).map_err(|source| Error::File {
            path: directory.to_owned(),
            source,
        })?;
        let directory = directory.canonicalize().map_err(|source| Error::File {
            path: directory.to_owned(),
            source,
        })?;
        let (file, key_file) = (directory.join("ca.pem"), directory.join("ca-key.pem"));
        if let Some((pem, key)) = stored(&file, &key_file, now) {
            return Ok(Self { file, pem, key });
        }
        let key = KeyPair::generate().map_err(crypto)?;
        let certificate = parameters(now)?.self_signed(&key).map_err(crypto)?;
        let pem = certificate.pem();
        write(&key_file, key.serialize_pem().as_bytes(), 0o600)?;
        write(&file, pem.as_bytes(), 0o644)?;
        Ok(Self { file, pem, key })
    }

    /// A TLS configuration with a fresh server certificate, HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn server_config(&self, now: Timestamp) -> Result<ServerConfig, Error> {
        let (certificate, key) = self.issue(&HOSTS, now)?;
        let chain = vec![certificate.der().clone(), authority_der(&self.pem)?];
        let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(crypto)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(crypto)?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(crypto)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Writes `service.pem` and `service.key` beside the authority: a certificate for localhost that a
    /// service under test can serve with, so that it can be notified over https.
    ///
    /// # Errors
    /// When the certificate cannot be made or written.
    pub fn write_service_certificate(&self, now: Timestamp) -> Result<(), Error> {
        let (certificate, key) = self.issue(&["localhost"], now)?;
        let chain = format!("{}{}", certificate.pem(), self.pem);
        write(
            &self.file.with_file_name("service.key"),
            key.serialize_pem().as_bytes(),
            0o600,
        )?;
        write(&self.file.with_file_name("service.pem"), chain.as_bytes(), 0o644)
    }

    /// A certificate for these names and the loopback addresses, with its key.
    fn issue(&self, hosts: &[&str], now: Timestamp) -> Result<(rcgen::Certificate, KeyPair), Error> {
        let key = KeyPair::generate().map_err(crypto)?;
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut leaf = CertificateParams::new(hosts).map_err(crypto)?;
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            leaf.subject_alt_names.push(SanType::IpAddress(address));
        }
        leaf.distinguished_name = DistinguishedName::new();
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        set_life(&mut leaf, now, SERVER_DAYS)?;
        let issuer = Issuer::new(parameters(now)?, &self.key);
        let certificate = leaf.signed_by(&key, &issuer).map_err(crypto)?;
        Ok((certificate, key))
    }
}

fn parameters(now: Timestamp) -> Result<CertificateParams, Error> {
    let mut parameters = CertificateParams::new(Vec::new()).map_err(crypto)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, SUBJECT);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    set_life(&mut parameters, now, AUTHORITY_DAYS)?;
    Ok(parameters)
}

/// The stored authority if it is ours, whole, and good for long enough.
fn stored(file: &Path, key_file: &Path, now: Timestamp) -> Option<(String, KeyPair)> {
    let pem = std::fs::read_to_string(file).ok()?;
    let key = KeyPair::from_pem(&std::fs::read_to_string(key_file).ok()?).ok()?;
    let der = authority_der(&pem).ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let ours = certificate
        .subject()
        .iter_common_name()
        .any(|name| name.as_str() == Ok(SUBJECT));
    let matching = certificate.public_key().subject_public_key.data.as_ref() == rcgen::PublicKeyData::der_bytes(&key);
    let good = now.checked_add(MARGIN).ok()?.as_second() < certificate.validity().not_after.timestamp();
    (ours && matching && good).then_some((pem, key))
}

fn authority_der(pem: &str) -> Result<CertificateDer<'static>, Error> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(crypto)
}

/// Sets from when to when a certificate is good. It starts a day early for clients whose clock is late.
fn set_life(parameters: &mut CertificateParams, now: Timestamp, days: i64) -> Result<(), Error> {
    let date = |days: i64| {
        let moved = now
            .checked_add(SignedDuration::from_hours(days * 24))
            .unwrap_or(Timestamp::MAX);
        let date = moved.to_zoned(TimeZone::UTC).date();
        let part = |number: i8| u8::try_from(number).map_err(crypto);
        Ok::<_, Error>((i32::from(date.year()), part(date.month())?, part(date.day())?))
    };
    let (year, month, day) = date(-1)?;
    parameters.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(days)?;
    parameters.not_after = date_time_ymd(year, month, day);
    Ok(())
}

/// Writes a file whole or not at all, with these permissions from the first byte.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    use std::io::Write as _;
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = path.with_file_name(name);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(&temporary).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    drop(file);
    std::fs::rename(&temporary, path).map_err(failed)
}

fn crypto(error: impl std::fmt::Display) -> Error {
    Error::Crypto(error.to_string())
}
