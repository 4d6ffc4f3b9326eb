//! In which encoding a file is written: UTF-8, UTF-16 by its mark, three of one byte by declaration, else refused.

use super::super::decoded::WRITE_UTF8;
use super::super::refusal::{Place, Refusal, quoted};
use encoding_rs::Encoding;

/// How the bytes are to be read.
pub(crate) struct Charset {
    /// Absent for UTF-8.
    pub(super) encoding: Option<&'static Encoding>,
    /// US-ASCII: every byte from 0x80 on is an error.
    pub(super) ascii: bool,
    /// Bytes of the byte order mark.
    pub(super) mark: usize,
    /// The declared name, where a byte order mark says otherwise.
    pub(crate) overruled: Option<String>,
}

impl Charset {
    /// Tells the encoding from a file's first bytes (XML 1.0, appendix F). A byte order mark wins over the
    /// declaration (RFC 7303, section 3.3): PowerShell re-encodes a report and leaves its declaration alone.
    pub(crate) fn detect(head: &[u8]) -> Result<Self, Refusal> {
        let refuse = |why: &str| Err(Refusal::new(why).help(WRITE_UTF8).at(Place::START));
        let marked = |encoding, mark| Ok(Self { encoding, ascii: false, mark, overruled: None });
        match head {
            [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => refuse("it is UTF-32, which is not read"),
            [0, 0, 0, b'<', ..] | [b'<', 0, 0, 0, ..] => refuse("it is UTF-32, which is not read"),
            [0xFF, 0xFE, ..] => marked(Some(encoding_rs::UTF_16LE), 2),
            [0xFE, 0xFF, ..] => marked(Some(encoding_rs::UTF_16BE), 2),
            [b'<', 0, ..] | [0, b'<', ..] => refuse("it is UTF-16 without a byte order mark, which is not read"),
            [0xEF, 0xBB, 0xBF, rest @ ..] => {
                let declared = declared_encoding(rest).filter(|name| !matches!(named(name), Some(Named::Utf8)));
                Ok(Self { encoding: None, ascii: false, mark: 3, overruled: declared })
            }
            _ => Self::declared(declared_encoding(head)),
        }
    }

    fn declared(name: Option<String>) -> Result<Self, Refusal> {
        let Some(name) = name else {
            return Ok(Self { encoding: None, ascii: false, mark: 0, overruled: None });
        };
        let why = match named(&name) {
            Some(Named::Utf8) => return Self::declared(None),
            Some(Named::Ascii) => return Ok(Self { encoding: None, ascii: true, mark: 0, overruled: None }),
            Some(Named::Single(e)) => return Ok(Self { encoding: Some(e), ascii: false, mark: 0, overruled: None }),
            Some(Named::Utf16) => "it declares UTF-16 and has no byte order mark, so it cannot be that".to_owned(),
            None => format!("it declares the encoding {}, which is not read", quoted(&name)),
        };
        Err(Refusal::new(why).help(WRITE_UTF8).at(Place::START))
    }

    /// Whether a declaration may name this encoding.
    pub(super) fn knows(name: &str) -> bool {
        named(name).is_some()
    }

    /// The first characters of a file, for telling its format; what cannot be decoded is replaced.
    pub(crate) fn preview(&self, head: &[u8]) -> String {
        let bytes = head.get(self.mark..).unwrap_or_default();
        let encoding = self.encoding.unwrap_or(encoding_rs::UTF_8);
        encoding.decode_without_bom_handling(bytes).0.into_owned()
    }
}

/// What a declaration may name.
enum Named {
    Utf8,
    Utf16,
    Ascii,
    Single(&'static Encoding),
}

fn named(name: &str) -> Option<Named> {
    Some(match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Named::Utf8,
        "utf-16" | "utf-16le" | "utf-16be" => Named::Utf16,
        "us-ascii" | "ascii" => Named::Ascii,
        // the web's Latin-1 is windows-1252 (WHATWG Encoding, 4.2): it differs only in control characters
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "windows-1252" | "cp1252" => {
            Named::Single(encoding_rs::WINDOWS_1252)
        }
        "iso-8859-15" | "iso8859-15" | "iso_8859-15" => Named::Single(encoding_rs::ISO_8859_15),
        _ => return None,
    })
}

/// The encoding that an XML declaration at the very start names.
fn declared_encoding(head: &[u8]) -> Option<String> {
    let head = head.strip_prefix(b"<?xml")?;
    let end = head.windows(2).take(1024).position(|w| w == b"?>")?;
    let declaration = String::from_utf8_lossy(&head[..end]).into_owned();
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|q| matches!(q, '"' | '\''))?;
    value[1..].split_once(quote).map(|(name, _)| name.to_owned())
}
