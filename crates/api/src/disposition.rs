//! The headers under which stored bytes of strangers leave: always a download, never run, never sniffed.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// `attr-char` of RFC 8187 is letters, digits and these.
const EXTENDED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Even if a browser is talked into showing the bytes, they run nothing and have no origin.
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

/// Answers with `bytes` as a file to be saved.
pub(crate) fn download(bytes: Bytes, content_type: &str, file_name: &str) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type(content_type));
    headers.insert(header::CONTENT_DISPOSITION, attachment(file_name));
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    response
}

/// The declared type if it is well formed, else plain bytes.
fn media_type(declared: &str) -> HeaderValue {
    let essence = declared.split(';').next().unwrap_or_default().trim();
    let value = if is_media_type(essence) {
        HeaderValue::from_str(essence).ok()
    } else {
        None
    };
    value.unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Whether the text is `type/subtype` of RFC 9110 tokens.
pub(crate) fn is_media_type(text: &str) -> bool {
    const MAX: usize = 255;
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    text.len() <= MAX
        && text
            .split_once('/')
            .is_some_and(|(kind, sub)| token(kind) && token(sub))
}

/// `attachment` with the name twice (RFC 6266): in ASCII for old programs and in full for the others.
fn attachment(file_name: &str) -> HeaderValue {
    let name = if file_name.trim().is_empty() {
        "attachment"
    } else {
        file_name
    };
    let plain: String = name
        .chars()
        .map(|c| {
            if (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '/' | '%') {
                c
            } else {
                '_'
            }
        })
        .collect();
    let full = utf8_percent_encode(name, &EXTENDED);
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}");
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_inside_the_header() {
        for (name, header) in [
            ("a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
            (
                "é\"\r\nX: y",
                "attachment; filename=\"____X: y\"; filename*=UTF-8''%C3%A9%22%0D%0AX%3A%20y",
            ),
            ("", "attachment; filename=\"attachment\"; filename*=UTF-8''attachment"),
        ] {
            assert_eq!(attachment(name), header);
        }
    }

    #[test]
    fn malformed_types_become_plain_bytes() {
        assert_eq!(media_type("Text/HTML; charset=x"), "Text/HTML");
        for wrong in ["", "text", "text/", "/html", "te xt/html", "text/html\r\nX: y", "a/b/c"] {
            assert_eq!(media_type(wrong), "application/octet-stream", "{wrong}");
        }
    }
}
