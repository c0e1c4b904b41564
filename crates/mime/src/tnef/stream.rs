//! The attributes of a TNEF stream.
//!
//! Owns the outer layer (MS-OXTNEF 2.1): level, number, length, data, checksum. Invariant: every byte is
//! looked at a fixed number of times, nothing is copied but names and bodies, and what is read before damage is kept.

use super::properties::{self, Value};
use crate::{bounds::MAX_PARTS, charset};

const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];
/// Names of attributes without the type in their upper half.
const MESSAGE_CLASS: u16 = 0x8008;
const BODY: u16 = 0x800c;
const CODE_PAGE: u16 = 0x9007;
const MESSAGE_PROPERTIES: u16 = 0x9003;
const ATTACHMENT_BEGINS: u16 = 0x9002;
const ATTACHMENT_TITLE: u16 = 0x8010;
const ATTACHMENT_DATA: u16 = 0x800f;
const ATTACHMENT_PROPERTIES: u16 = 0x9005;

/// What a stream holds.
#[derive(Debug, Default)]
pub(super) struct Message<'a> {
    class: String,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    /// RTF, compressed.
    pub(super) rtf: Option<&'a [u8]>,
    pub(super) attachments: Vec<Contained<'a>>,
    /// Whether all of it could be read.
    pub(super) sound: bool,
}

/// An attachment in a stream.
#[derive(Debug, Default)]
pub(super) struct Contained<'a> {
    pub(super) name: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) content_id: Option<String>,
    pub(super) data: Option<&'a [u8]>,
    /// It is a message, in TNEF again.
    pub(super) is_message: bool,
    /// The name comes from a property, which has all of its characters.
    has_long_name: bool,
}

impl Message<'_> {
    /// Whether neither a body nor an attachment is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_none() && self.html.is_none() && self.rtf.is_none() && self.attachments.is_empty()
    }

    /// Whether nothing but mail is in it: appointments, contacts and tasks have more than is shown.
    pub(super) fn is_mail(&self) -> bool {
        let class = self.class.to_ascii_lowercase();
        let class = class
            .trim_start_matches("ipm.microsoft mail.")
            .trim_start_matches("ipm.");
        class.is_empty() || class == "note" || class.starts_with("note.")
    }
}

/// Whether bytes begin as TNEF does.
pub(super) fn is_signed(bytes: &[u8]) -> bool {
    bytes.starts_with(&SIGNATURE)
}

/// Reads a stream as far as it goes.
pub(super) fn read(bytes: &[u8]) -> Message<'_> {
    let mut message = Message::default();
    let mut code_page = 1252;
    let mut rest = match bytes.strip_prefix(&SIGNATURE).and_then(|rest| rest.split_at_checked(2)) {
        Some((_key, rest)) => rest,
        None => return message,
    };
    message.sound = true;
    while !rest.is_empty() {
        let Some((attribute, after)) = attribute(rest) else {
            message.sound = false;
            break;
        };
        message.sound &= attribute.checks;
        match attribute.number {
            CODE_PAGE => code_page = u32_at(attribute.data, 0).unwrap_or(code_page),
            MESSAGE_CLASS => message.class = properties::text(attribute.data, code_page),
            BODY => message.text = Some(properties::text(attribute.data, code_page)),
            MESSAGE_PROPERTIES => message.read_properties(attribute.data, code_page),
            ATTACHMENT_BEGINS if message.attachments.len() >= MAX_PARTS => {
                message.sound = false;
                break;
            }
            ATTACHMENT_BEGINS => message.attachments.push(Contained::default()),
            _ => {
                if let Some(attachment) = message.attachments.last_mut() {
                    message.sound &= attachment.read(&attribute, code_page);
                }
            }
        }
        rest = after;
    }
    message
}

struct Attribute<'a> {
    number: u16,
    data: &'a [u8],
    /// The checksum fits.
    checks: bool,
}

fn attribute(bytes: &[u8]) -> Option<(Attribute<'_>, &[u8])> {
    const HEAD: usize = 9;
    let level = *bytes.first()?;
    let number = u16::from_le_bytes([*bytes.get(1)?, *bytes.get(2)?]);
    let length = usize::try_from(u32_at(bytes, 5)?).ok()?;
    if !matches!(level, 1 | 2) {
        return None;
    }
    let (data, rest) = bytes.get(HEAD..)?.split_at_checked(length)?;
    let (checksum, rest) = rest.split_at_checked(2)?;
    let sum = data.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    Some((
        Attribute {
            number,
            data,
            checks: checksum == sum.to_le_bytes(),
        },
        rest,
    ))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl<'a> Message<'a> {
    fn read_properties(&mut self, data: &'a [u8], code_page: u32) {
        let (mut html, mut html_page) = (None, code_page);
        let sound = properties::read(data, |number, value| match (number, value) {
            (properties::MESSAGE_CLASS, value) => self.class = value.text(code_page).unwrap_or_default(),
            (properties::BODY, value) => self.text = value.text(code_page).or(self.text.take()),
            (properties::HTML, Value::Binary(bytes) | Value::Text(bytes)) => html = Some(bytes),
            (properties::HTML, Value::Unicode(_)) => self.html = value.text(code_page),
            (properties::RTF, Value::Binary(bytes)) => self.rtf = Some(bytes),
            (properties::HTML_CODE_PAGE, Value::Number(page)) => html_page = page,
            _ => {}
        });
        if let Some(bytes) = html {
            self.html = Some(
                charset::decode(bytes, Some(&properties::charset(html_page)))
                    .0
                    .replace('\0', ""),
            );
        }
        self.sound &= sound;
    }
}

impl<'a> Contained<'a> {
    /// Whether the attribute could be read.
    fn read(&mut self, attribute: &Attribute<'a>, code_page: u32) -> bool {
        match attribute.number {
            ATTACHMENT_TITLE if !self.has_long_name => {
                self.name = Some(properties::text(attribute.data, code_page));
                true
            }
            ATTACHMENT_DATA => {
                self.data = Some(attribute.data);
                true
            }
            ATTACHMENT_PROPERTIES => properties::read(attribute.data, |number, value| match (number, value) {
                (properties::LONG_FILE_NAME, value) => {
                    if let Some(name) = value.text(code_page).filter(|name| !name.trim().is_empty()) {
                        self.name = Some(name);
                        self.has_long_name = true;
                    }
                }
                (properties::FILE_NAME | properties::DISPLAY_NAME, value) if self.name.is_none() => {
                    self.name = value.text(code_page);
                }
                (properties::MEDIA_TYPE, value) => self.content_type = value.text(code_page),
                (properties::CONTENT_ID, value) => self.content_id = value.text(code_page),
                (properties::DATA, Value::Binary(bytes)) if self.data.is_none() => self.data = Some(bytes),
                (properties::DATA, Value::Object(bytes)) => {
                    // An interface stands before the data: a message has a stream of its own after it.
                    const INTERFACE: usize = 16;
                    let inner = bytes.get(INTERFACE..).unwrap_or(bytes);
                    self.is_message = is_signed(inner);
                    self.data = Some(inner);
                }
                _ => {}
            }),
            _ => true,
        }
    }
}
