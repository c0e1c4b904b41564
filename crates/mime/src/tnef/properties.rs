//! The MAPI properties in a TNEF stream.
//!
//! Owns the inner layer (MS-OXTNEF 2.1.3.3 and 2.1.3.4): a count, then numbered and typed values. Never keeps a value.
//! Invariant: reading stops at the first value that does not fit into the bytes.

use crate::charset;

pub(super) const MESSAGE_CLASS: u16 = 0x001a;
pub(super) const BODY: u16 = 0x1000;
pub(super) const RTF: u16 = 0x1009;
pub(super) const HTML: u16 = 0x1013;
pub(super) const HTML_CODE_PAGE: u16 = 0x3fde;
pub(super) const DISPLAY_NAME: u16 = 0x3001;
pub(super) const DATA: u16 = 0x3701;
pub(super) const FILE_NAME: u16 = 0x3704;
pub(super) const LONG_FILE_NAME: u16 = 0x3707;
pub(super) const MEDIA_TYPE: u16 = 0x370e;
pub(super) const CONTENT_ID: u16 = 0x3712;

/// The value of a property.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Number(u32),
    /// In the stream's code page.
    Text(&'a [u8]),
    /// In UTF-16.
    Unicode(&'a [u8]),
    Binary(&'a [u8]),
    Object(&'a [u8]),
    /// Of a type that nothing here needs.
    Other,
}

impl Value<'_> {
    /// The value as text, if it is one.
    pub(super) fn text(self, code_page: u32) -> Option<String> {
        match self {
            Self::Text(bytes) => Some(text(bytes, code_page)),
            Self::Unicode(bytes) => {
                let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(bytes);
                Some(until_zero(&text).to_owned())
            }
            _ => None,
        }
    }
}

/// Text in a code page, up to its closing zero.
pub(super) fn text(bytes: &[u8], code_page: u32) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    charset::decode(&bytes[..end], Some(&charset(code_page))).0
}

fn until_zero(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

/// The charset that a code page of Windows is.
pub(super) fn charset(code_page: u32) -> String {
    match code_page {
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        1200 => "utf-16le".to_owned(),
        1250..=1258 | 874 => format!("windows-{code_page}"),
        20127 | 0 => "windows-1252".to_owned(),
        20866 => "koi8-r".to_owned(),
        28591..=28606 => format!("iso-8859-{}", code_page - 28590),
        50220..=50222 => "iso-2022-jp".to_owned(),
        51932 => "euc-jp".to_owned(),
        54936 => "gb18030".to_owned(),
        65001 => "utf-8".to_owned(),
        other => format!("cp{other}"),
    }
}

/// Reports every property; whether all could be read.
pub(super) fn read<'a>(bytes: &'a [u8], mut report: impl FnMut(u16, Value<'a>)) -> bool {
    let mut reader = Reader(bytes);
    let Some(count) = reader.number() else { return false };
    for _ in 0..count {
        let Some((number, value)) = reader.property() else {
            return false;
        };
        report(number, value);
    }
    true
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Bytes that are filled up to a multiple of four; the last may lack what fills them.
    fn padded(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.take(length)?;
        let padding = length.next_multiple_of(4) - length;
        self.0 = self.0.get(padding..).unwrap_or_default();
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn property(&mut self) -> Option<(u16, Value<'a>)> {
        /// Properties from here on have a name of their own.
        const NAMED: u16 = 0x8000;
        const SEVERAL: u16 = 0x1000;
        let tag = self.number()?;
        let (kind, number) = ((tag & 0xffff) as u16, (tag >> 16) as u16);
        if number >= NAMED {
            self.name()?;
        }
        let several = kind & SEVERAL != 0;
        let base = kind & !SEVERAL;
        let Some(size) = fixed_size(base) else {
            return Some((number, self.variable(base)?));
        };
        let count = if several { self.length()? } else { 1 };
        let bytes = self.take(count.checked_mul(size)?)?;
        let value = match (several, base) {
            (false, 0x02 | 0x03 | 0x0b) => Value::Number(u32::from_le_bytes(bytes.try_into().ok()?)),
            _ => Value::Other,
        };
        Some((number, value))
    }

    /// The first of the values of a type without fixed size, which always have a count.
    fn variable(&mut self, kind: u16) -> Option<Value<'a>> {
        if !matches!(kind, 0x0d | 0x1e | 0x1f | 0x102) {
            return None;
        }
        let mut first = None;
        for _ in 0..self.number()? {
            let length = self.length()?;
            let bytes = self.padded(length)?;
            first = first.or(Some(bytes));
        }
        let bytes = first.unwrap_or_default();
        Some(match kind {
            0x0d => Value::Object(bytes),
            0x1e => Value::Text(bytes),
            0x1f => Value::Unicode(bytes),
            _ => Value::Binary(bytes),
        })
    }

    fn name(&mut self) -> Option<()> {
        const SET: usize = 16;
        self.take(SET)?;
        if self.number()? == 0 {
            self.number()?;
        } else {
            let length = self.length()?;
            self.padded(length)?;
        }
        Some(())
    }
}

/// Bytes of a value, those that fill it up included; none where a length stands before it.
fn fixed_size(kind: u16) -> Option<usize> {
    match kind {
        0x02 | 0x03 | 0x04 | 0x0a | 0x0b => Some(4),
        0x05 | 0x06 | 0x07 | 0x14 | 0x40 => Some(8),
        0x48 => Some(16),
        _ => None,
    }
}
