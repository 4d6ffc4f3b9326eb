//! A page of a bucket's listing as XML: `ListObjectsV2` and `ListObjectVersions` (S3 API reference).

use super::lock::parse_time;
use chrono::{DateTime, Utc};
use quick_xml::events::Event;

/// A page holds at most 1000 of them by the API; a store that sends many more is not one of ours to trust with memory.
const MOST: usize = 10_000;

/// One object, version or delete marker of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// The key. What is no UTF-8 stands there as `%xx`, and then `broken` is set.
    pub key: String,
    pub broken: bool,
    pub version: Option<String>,
    pub latest: bool,
    pub marker: bool,
    pub size: u64,
    pub modified: Option<DateTime<Utc>>,
}

/// A page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    pub rows: Vec<Row>,
    pub truncated: Option<bool>,
    pub token: Option<String>,
    pub next_key: Option<String>,
    pub next_version: Option<String>,
}

/// Why an answer is no page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoSheet {
    /// Something else altogether; the name of its root, if it has one.
    Other(String),
    /// It begins like one and cannot be read.
    Broken(String),
}

/// Reads a page whose root is `root`. Nothing of a page that is cut or odd is believed.
pub(super) fn read(body: &[u8], root: &str) -> Result<Sheet, NoSheet> {
    let broken = |why: &str| NoSheet::Broken(why.to_owned());
    let mut reader = quick_xml::Reader::from_reader(body);
    // `<Version/>` is a version too, if a broken one.
    reader.config_mut().expand_empty_elements = true;
    let mut sheet = Sheet::default();
    let (mut depth, mut encoded, mut row) = (0usize, false, None::<Texts>);
    let (mut leaf, mut text) = (String::new(), String::new());
    loop {
        let event = reader.read_event();
        let event = match event {
            Ok(event) => event,
            Err(_) if depth == 0 => return Err(NoSheet::Other("no XML".into())),
            Err(e) => return Err(NoSheet::Broken(e.to_string())),
        };
        match event {
            Event::Start(tag) => {
                depth += 1;
                leaf = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                text.clear();
                match depth {
                    1 if leaf != root => return Err(NoSheet::Other(leaf.chars().take(40).collect())),
                    2 if ["Contents", "Version", "DeleteMarker"].contains(&leaf.as_str()) => {
                        row = Some(Texts { marker: leaf == "DeleteMarker", ..Texts::default() });
                    }
                    _ => {}
                }
            }
            Event::Text(part) => text.push_str(&String::from_utf8_lossy(&part)),
            Event::CData(part) => text.push_str(&String::from_utf8_lossy(&part)),
            Event::GeneralRef(name) => {
                let named = || quick_xml::escape::resolve_xml_entity(std::str::from_utf8(&name).ok()?);
                match (name.resolve_char_ref(), named()) {
                    (Ok(Some(c)), _) => text.push(c),
                    (_, Some(known)) => text.push_str(known),
                    _ => return Err(broken("an entity that XML does not have")),
                }
            }
            Event::End(_) => {
                match (depth, &mut row) {
                    (3, Some(row)) => row.take(&leaf, &text),
                    (2, Some(_)) => {
                        let texts = row.take().unwrap_or_default();
                        sheet.rows.push(texts.row().ok_or_else(|| broken("an object without a key or a size"))?);
                    }
                    (2, None) => match leaf.as_str() {
                        "IsTruncated" => sheet.truncated = Some(text.trim() == "true"),
                        "EncodingType" => encoded = text.trim() == "url",
                        "NextContinuationToken" => sheet.token = Some(text.clone()),
                        "NextKeyMarker" => sheet.next_key = Some(text.clone()),
                        "NextVersionIdMarker" => sheet.next_version = Some(text.clone()),
                        _ => {}
                    },
                    (1, _) => break,
                    _ => {}
                }
                depth -= 1;
                // What ends now is no leaf.
                leaf.clear();
                text.clear();
                if sheet.rows.len() > MOST {
                    return Err(broken("more objects than a page may hold"));
                }
            }
            Event::Eof if depth == 0 => return Err(NoSheet::Other("nothing".into())),
            Event::Eof => return Err(broken("it ends in the middle")),
            _ => {}
        }
    }
    if encoded {
        for row in &mut sheet.rows {
            (row.key, row.broken) = decode(&row.key);
        }
        if let Some(key) = &mut sheet.next_key {
            let (text, unspeakable) = decode(key);
            if unspeakable {
                return Err(broken("the next page begins at a key that is no UTF-8"));
            }
            *key = text;
        }
    }
    Ok(sheet)
}

/// The texts of one row while it is read.
#[derive(Default)]
struct Texts {
    key: Option<String>,
    size: Option<u64>,
    rest: Row,
    marker: bool,
}

impl Texts {
    fn take(&mut self, leaf: &str, text: &str) {
        match leaf {
            "Key" => self.key = Some(text.to_owned()),
            "Size" => self.size = text.trim().parse().ok(),
            "VersionId" => self.rest.version = Some(text.trim().to_owned()).filter(|v| !v.is_empty()),
            "IsLatest" => self.rest.latest = text.trim() == "true",
            "LastModified" => self.rest.modified = parse_time(text),
            _ => {}
        }
    }

    /// A delete marker has no size; anything else without one would be a guess.
    fn row(self) -> Option<Row> {
        let size = if self.marker { 0 } else { self.size? };
        Some(Row { key: self.key?, size, marker: self.marker, ..self.rest })
    }
}

/// Undoes `encoding-type=url`: `%xx`, and `+` for a space (AWS and MinIO; Ceph writes `%20`). The second half of the
/// answer says that the key is no UTF-8.
fn decode(text: &str) -> (String, bool) {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| byte == b'%').and_then(|p| std::str::from_utf8(p).ok());
        let coded = pair.filter(|p| !p.starts_with('+')).and_then(|p| u8::from_str_radix(p, 16).ok());
        out.push(coded.unwrap_or(if byte == b'+' { b' ' } else { byte }));
        rest = if coded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    spell(&out)
}

/// A name as text, with `%xx` for every byte that is no UTF-8; whether there was one.
pub(super) fn spell(name: &[u8]) -> (String, bool) {
    let (mut text, mut broken) = (String::with_capacity(name.len()), false);
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            broken = true;
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    (text, broken)
}
