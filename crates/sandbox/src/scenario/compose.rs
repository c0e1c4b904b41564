//! The bytes of a scenario's mail.
//!
//! Owns composition and the reading of mail files. Bytes that are given stay as they are; files are read only for
//! scenarios that come from a file themselves.

use std::path::Path;

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use uuid::Uuid;

use super::format::Mail;

/// Largest mail file: Microsoft's own maximum.
const MAX_FILE: u64 = 150 * 1024 * 1024;

impl Mail {
    /// Reads the bytes that are given; a scenario that came over HTTP has no directory and names no files.
    ///
    /// # Errors
    /// Text that names the file.
    pub fn load(&mut self, directory: Option<&Path>) -> Result<(), String> {
        let Some(file) = &self.file else {
            self.bytes = self.raw.as_ref().map(|raw| with_line_ends(raw).into());
            return Ok(());
        };
        let directory = directory.ok_or_else(|| format!("'{file}': only a scenario from a file can name files"))?;
        let path = directory.join(file);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        if std::fs::metadata(&path).map_err(failed)?.len() > MAX_FILE {
            return Err(format!("{} is larger than {MAX_FILE} bytes", path.display()));
        }
        self.bytes = Some(std::fs::read(&path).map_err(failed)?.into());
        Ok(())
    }

    /// Writes one copy.
    ///
    /// # Errors
    /// Text of the composer.
    pub fn compose(&self, number: u32, now: Timestamp, id: Uuid) -> Result<Vec<u8>, String> {
        let from = self.from.as_deref().unwrap_or_default();
        let numbered = |text: &str| text.replace("{n}", &number.to_string());
        let domain = from.rsplit_once('@').map_or("outside.example", |(_, domain)| domain);
        let mut builder = MessageBuilder::new()
            .from(from)
            .to(self.to.clone())
            .subject(numbered(&self.subject))
            .date(Date::new(now.as_second()))
            .message_id(format!("{}@{domain}", id.simple()));
        for (name, value) in &self.headers {
            if value.contains(['\r', '\n']) || name.contains([':', '\r', '\n', ' ']) {
                return Err(format!("'{name}' is not a usable header"));
            }
            builder = builder.header(name.clone(), Raw::new(numbered(value)));
        }
        match (&self.text, &self.html) {
            (None, Some(html)) => builder = builder.html_body(numbered(html)),
            (text, html) => {
                builder = builder.text_body(numbered(text.as_deref().unwrap_or_default()));
                if let Some(html) = html {
                    builder = builder.html_body(numbered(html));
                }
            }
        }
        builder.write_to_vec().map_err(|error| error.to_string())
    }
}

/// TOML has line feeds where mail has carriage returns as well.
fn with_line_ends(raw: &str) -> Vec<u8> {
    raw.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}
