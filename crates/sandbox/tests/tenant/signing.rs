//! Certificates, assertions and an outside issuer for tests.
//!
//! Owns what a client would own: private keys. Times are given in seconds of the tenant's clock.

use axum::Json;
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::harness::{Tenant, claims};

/// The assertion type of RFC 7523.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A private key with its certificate.
pub struct Signer {
    pub der: Vec<u8>,
    pub pem: String,
    key: EncodingKey,
}

impl Signer {
    pub fn new() -> Self {
        Self::until(2120)
    }

    /// A certificate that ends with the start of a year.
    pub fn until(year: i32) -> Self {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            der: certificate.der().to_vec(),
            pem: certificate.pem(),
            key: EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).expect("an RSA key"),
        }
    }

    /// As it stands in `keyCredentials`.
    pub fn credential(&self) -> Value {
        json!({"type": "AsymmetricX509Cert", "usage": "Verify", "key": STANDARD.encode(&self.der)})
    }

    pub fn sha1(&self) -> String {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        URL_SAFE_NO_PAD.encode(hash)
    }

    pub fn sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.der))
    }

    /// The header of the present form: PS256 with `x5t#S256`.
    pub fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.sha256());
        header
    }

    /// The header of the older form: RS256 with `x5t`.
    pub fn older_header(&self) -> Header {
        let mut header = Header::new(Algorithm::RS256);
        header.x5t = Some(self.sha1());
        header
    }

    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).expect("a token")
    }
}

/// The tenant's time in seconds.
pub async fn now(tenant: &Tenant) -> i64 {
    claims(&tenant.administrator_token().await)["exp"]
        .as_i64()
        .expect("a number")
        - 3600
}

/// An issuer on plain HTTP with a discovery document and a key set.
pub struct Issuer {
    pub url: String,
    pub signer: Signer,
    _server: JoinSet<()>,
}

impl Issuer {
    pub async fn start() -> Self {
        Self::start_as(ToOwned::to_owned).await
    }

    /// An issuer whose document names another issuer.
    pub async fn start_as(named: impl Fn(&str) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let url = format!("http://{}/issuer", listener.local_addr().expect("an address"));
        let signer = Signer::new();
        let (_, certificate) = x509_parser::parse_x509_certificate(&signer.der).expect("a certificate");
        let Ok(x509_parser::public_key::PublicKey::RSA(rsa)) = certificate.public_key().parsed() else {
            panic!("not an RSA key");
        };
        let part = |bytes: &[u8]| {
            let start = bytes.iter().position(|byte| *byte != 0).unwrap_or_default();
            URL_SAFE_NO_PAD.encode(&bytes[start..])
        };
        let keys = json!({"keys": [
            {"kty": "EC", "kid": "other", "crv": "P-256", "x": "AA", "y": "AA"},
            {"kty": "RSA", "kid": "first", "use": "sig", "n": part(rsa.modulus), "e": part(rsa.exponent)},
        ]});
        let discovery = json!({"issuer": named(&url), "jwks_uri": format!("{url}/keys")});
        let router = Router::new()
            .route(
                "/issuer/.well-known/openid-configuration",
                get(move || async { Json(discovery) }),
            )
            .route("/issuer/keys", get(move || async { Json(keys) }));
        let mut server = JoinSet::new();
        server.spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            url,
            signer,
            _server: server,
        }
    }

    pub fn token(&self, subject: &str, audience: &str, expires: i64) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("first".to_owned());
        let claims = json!({
            "iss": self.url, "sub": subject, "aud": audience, "iat": expires - 600, "nbf": expires - 600, "exp": expires,
        });
        self.signer.sign(&header, &claims)
    }
}
