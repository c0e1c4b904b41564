//! The mails of the demo and the tests: the corpus where it is present, else the fixtures that are
//! built in.

use std::path::Path;

use crate::failure::{Exit, Failure};

/// A mail by its file name.
#[derive(Clone, Debug)]
pub struct MailFile {
    /// File name, for messages.
    pub name: String,
    /// The bytes as they are in the file.
    pub bytes: Vec<u8>,
}

/// A set of mails and where it comes from.
#[derive(Clone, Debug)]
pub struct MailSet {
    /// In words, for the reader.
    pub source: String,
    /// The mails, ordered by name.
    pub mails: Vec<MailFile>,
}

macro_rules! fixtures {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../../fixtures/mail/", $name)).as_slice())),+]
    };
}

/// The project's own mails, so that a clean clone has a story to tell.
const FIXTURES: &[(&str, &[u8])] = fixtures![
    "01-plain.eml",
    "02-alternative-inline-image.eml",
    "03-iso-2022-jp.eml",
    "04-windows-1251.eml",
    "05-broken-base64.eml",
    "06-no-headers.eml",
    "07-nested-message.eml",
    "08-shared-message-id-first.eml",
    "09-shared-message-id-second.eml",
    "10-winmail-dat.eml",
    "11-html-only.eml",
    "12-truncated-multipart.eml",
    "13-out-of-office.eml",
];

/// Finds the corpus: where the user said (`--corpus` or `GUICHET_CORPUS`), else at `../shared/corpus`;
/// where there is none, the built-in fixtures. The corpus itself or the directory above it may be named.
///
/// # Errors
/// A [`Failure`] if the user named a directory without mails.
pub fn find(given: Option<&Path>) -> Result<MailSet, Failure> {
    if let Some(place) = given {
        return corpus_at(place).ok_or_else(|| {
            let title = format!("there are no mails (*.eml) in {} or its `mail`", place.display());
            Failure::new(
                Exit::Configuration,
                title,
                "correct --corpus or GUICHET_CORPUS, or leave it out",
            )
        });
    }
    if let Some(found) = ["../shared", "../../../shared"]
        .iter()
        .find_map(|place| corpus_at(Path::new(place)))
    {
        return Ok(found);
    }
    let mails = FIXTURES
        .iter()
        .map(|(name, bytes)| MailFile {
            name: (*name).to_owned(),
            bytes: bytes.to_vec(),
        })
        .collect();
    Ok(MailSet {
        source: "built-in fixtures (no corpus of real mails was found)".to_owned(),
        mails,
    })
}

fn corpus_at(place: &Path) -> Option<MailSet> {
    let places = [place.join("mail"), place.join("corpus").join("mail"), place.to_owned()];
    places.iter().find_map(|dir| {
        let mails = read(dir);
        let source = format!("corpus {}", dir.display());
        (!mails.is_empty()).then_some(MailSet { source, mails })
    })
}

fn read(dir: &Path) -> Vec<MailFile> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut mails: Vec<MailFile> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            Some(MailFile {
                name,
                bytes: std::fs::read(&path).ok()?,
            })
        })
        .collect();
    mails.sort_by(|a, b| a.name.cmp(&b.name));
    mails
}

/// A plain customer's mail, for the parts of the story that need one whose author can be answered.
pub fn customer_mail(number: usize, to: &str, subject: &str) -> Vec<u8> {
    format!(
        "From: A Customer <customer-{number}@fabrikam.example>\r\n\
         To: <{to}>\r\n\
         Subject: {subject}\r\n\
         Date: Mon, 2 Nov 2026 09:00:00 +0000\r\n\
         Message-ID: <customer-{number}@fabrikam.example>\r\n\
         References: <earlier-{number}@fabrikam.example>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\
         \r\n\
         Good morning,\r\n\
         \r\n\
         parcel number {number} has not arrived. Où est-il ?\r\n"
    )
    .into_bytes()
}
