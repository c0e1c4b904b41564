//! File names for attachments that are safe to show, to save and to put into a header.
//!
//! Owns the cleaning of given names and the making of missing ones. Invariant: a name is one path
//! segment of bounded length without control or direction characters, never empty, `.` or `..`.

use crate::bounds::MAX_FILE_NAME;

/// Cleans a name; none if nothing of it is left.
pub(crate) fn safe(given: &str) -> Option<String> {
    let last = given
        .rsplit(['/', '\\'])
        .find(|segment| !segment.trim().is_empty())
        .unwrap_or_default();
    let cleaned: String = last
        .chars()
        .filter(|&c| !is_invisible(c))
        .map(|c| {
            if c.is_control() || r#":*?"<>|"#.contains(c) {
                '_'
            } else {
                c
            }
        })
        .collect();
    let cleaned = cleaned.trim_matches(|c: char| c.is_whitespace() || c == '.');
    if cleaned.is_empty() {
        return None;
    }
    let (stem, extension) = split(cleaned);
    let room = MAX_FILE_NAME - extension.chars().count();
    let stem: String = stem.chars().take(room).collect();
    let reserved = is_device(stem.split('.').next().unwrap_or_default().trim_end());
    let stem = stem.trim_end();
    Some(if reserved {
        format!("_{stem}{extension}")
    } else {
        format!("{stem}{extension}")
    })
}

/// A name for a part that has none: its number and what its media type suggests.
pub(crate) fn made(number: usize, content_type: &str) -> String {
    format!("part-{number}.{}", extension(content_type))
}

/// Stem and extension with its dot; what follows a dot is an extension only if it is short.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name[dot..].chars().count() <= 16 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// Characters that do not show or that turn the direction of writing, so that `exe.pdf` may be
/// read where `fdp.exe` stands.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{fff9}'..='\u{fffb}')
}

/// Names that Windows gives to devices.
fn is_device(stem: &str) -> bool {
    let upper = stem.to_ascii_uppercase();
    matches!(upper.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || ((upper.starts_with("COM") || upper.starts_with("LPT"))
            && upper.len() == 4
            && upper.ends_with(|c: char| c.is_ascii_digit()))
}

/// Media types and the extensions of their files; the first of a type names its files, the first of an extension tells
/// the type.
#[rustfmt::skip] // one kind a line
const KINDS: [(&str, &str); 54] = [
    ("text/plain", "txt"),
    ("text/html", "html"),
    ("text/calendar", "ics"),
    ("text/csv", "csv"),
    ("text/vcard", "vcf"),
    ("text/x-vcard", "vcf"),
    ("text/rtf", "rtf"),
    ("application/rtf", "rtf"),
    ("text/enriched", "txt"),
    ("text/richtext", "txt"),
    ("text/rfc822-headers", "txt"),
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/jpg", "jpg"),
    ("image/pjpeg", "jpg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/bmp", "bmp"),
    ("image/tiff", "tif"),
    ("image/svg+xml", "svg"),
    ("audio/mpeg", "mp3"),
    ("audio/mp3", "mp3"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/basic", "au"),
    ("video/mp4", "mp4"),
    ("video/avi", "avi"),
    ("video/x-msvideo", "avi"),
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("application/x-zip-compressed", "zip"),
    ("application/json", "json"),
    ("application/xml", "xml"),
    ("text/xml", "xml"),
    ("application/msword", "doc"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("application/pgp-signature", "asc"),
    ("application/pgp-encrypted", "asc"),
    ("application/pkcs7-mime", "p7m"),
    ("application/x-pkcs7-mime", "p7m"),
    ("application/pkcs7-signature", "p7s"),
    ("application/x-pkcs7-signature", "p7s"),
    ("message/rfc822", "eml"),
    ("message/global", "eml"),
    ("message/delivery-status", "txt"),
    ("message/disposition-notification", "txt"),
    ("message/feedback-report", "txt"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
    ("application/vnd.ms-powerpoint", "ppt"),
    ("text/html", "htm"),
    ("image/jpeg", "jpeg"),
    ("image/tiff", "tiff"),
];

fn extension(content_type: &str) -> &'static str {
    // What programs call `winmail.dat` says nothing about other files of that extension.
    if matches!(content_type, "application/ms-tnef" | "application/vnd.ms-tnef") {
        return "dat";
    }
    let found = KINDS.iter().find(|(kind, _)| *kind == content_type);
    found.map_or("bin", |(_, extension)| extension)
}

/// The media type that a file's extension suggests.
pub(crate) fn media_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    let found = KINDS.iter().find(|(_, known)| known.eq_ignore_ascii_case(extension));
    found.map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_harmless_segment() {
        for (given, expected) in [
            ("report.pdf", Some("report.pdf")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\x\\a.doc", Some("a.doc")),
            ("a\r\nb\0.txt", Some("a__b_.txt")),
            ("inv\u{202e}fdp.exe", Some("invfdp.exe")),
            ("...", None),
            ("", None),
            ("folder/", Some("folder")),
            (".htaccess", Some("htaccess")),
            ("con.txt", Some("_con.txt")),
            ("what?.txt", Some("what_.txt")),
            ("日本語.txt", Some("日本語.txt")),
        ] {
            assert_eq!(safe(given).as_deref(), expected, "{given:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        let name = safe(&format!("{}.pdf", "ä".repeat(500))).unwrap();
        assert_eq!(name.chars().count(), MAX_FILE_NAME);
        assert!(name.ends_with("ä.pdf"));
    }
}
