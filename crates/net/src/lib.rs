//! Outbound HTTP: TLS provider, proxy, the shared client.
