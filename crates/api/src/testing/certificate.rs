//! Certificates for tests of TLS.

use std::path::Path;

use crate::tls::TlsFiles;

/// Certificate and key for `localhost`, both PEM.
pub(crate) fn self_signed() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("certificate");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

pub(crate) fn write_pair(dir: &Path, pair: &(String, String)) -> TlsFiles {
    let files = TlsFiles {
        certificate: dir.join("certificate.pem"),
        key: dir.join("key.pem"),
    };
    std::fs::write(&files.certificate, &pair.0).expect("written");
    std::fs::write(&files.key, &pair.1).expect("written");
    files
}
