//! What the beginning of a JSON file shows: its keys, and what stands behind them. For recognition only.

use super::super::refusal::Refusal;
use super::utf8::encoding;
use super::{Event, Json, Kind};
use std::collections::BTreeMap;

/// Levels that are looked into; what is deeper is skipped.
const DEPTH: usize = 8;

/// Paths that are noted; a file that has more has shown what it is.
const PATHS: usize = 4096;

/// Bytes of a key or a string that are noted.
const WORD: usize = 64;

/// The keys in the beginning of a file, as paths: `runs[].tool.driver`. An array at the root is `[]`.
#[derive(Debug, Default)]
pub(crate) struct Sketch {
    /// What stands first at each path.
    paths: BTreeMap<String, (Kind, String)>,
    /// Why reading stopped before the beginning was over: a fault, or the end of what is at hand.
    pub(crate) fault: Option<Refusal>,
}

impl Sketch {
    /// Looks through `head`, the whole of the file or its beginning.
    ///
    /// All of `words` must stand in `head`, or nothing is looked at: that is much quicker.
    pub(crate) fn of(head: &[u8], words: &[&str]) -> Self {
        let begins = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
        let mut sketch = Self::default();
        if !matches!(begins, [b'{' | b'[', ..])
            || words.iter().any(|w| memchr::memmem::find(head, w.as_bytes()).is_none())
        {
            return sketch;
        }
        let mut from = head;
        let mark = encoding(head).unwrap_or_default();
        // a second document is looked at as the first: the reader will refuse it with its place
        let read = Json::new(&mut from, mark).and_then(|json| sketch.look(&mut Json { many: true, ..json }));
        sketch.fault = read.err();
        sketch
    }

    /// Whether `path` was found.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains_key(path)
    }

    /// Whether what stands first at `path` is of this kind.
    pub(crate) fn is(&self, path: &str, kind: Kind) -> bool {
        self.paths.get(path).is_some_and(|found| found.0 == kind)
    }

    /// The string or number that stands first at `path`, or its beginning.
    pub(crate) fn word(&self, path: &str) -> Option<&str> {
        self.paths.get(path).map(|found| found.1.as_str())
    }

    fn look(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let mut path = String::new();
        // of the containers that are open: how much of the path is theirs, and whether they are objects
        let mut open: Vec<(usize, bool)> = Vec::new();
        let noted = |text: &[u8]| String::from_utf8_lossy(&text[..text.len().min(WORD)]).into_owned();
        while self.paths.len() < PATHS {
            let event = json.next()?;
            let (base, object) = open.last().copied().unwrap_or_default();
            let (kind, word) = match event {
                Event::Key(key) => {
                    path.truncate(base);
                    path.push_str(if base == 0 { "" } else { "." });
                    path.push_str(&noted(key));
                    if open.len() > DEPTH {
                        json.skip()?;
                    }
                    continue;
                }
                Event::Close => {
                    open.pop();
                    continue;
                }
                Event::Object => (Kind::Object, String::new()),
                Event::Array => (Kind::Array, String::new()),
                Event::String(text) => (Kind::String, noted(text)),
                Event::Number(text) => (Kind::Number, noted(text)),
                Event::Bool(value) => (Kind::Bool, value.to_string()),
                Event::Null => (Kind::Null, String::new()),
                Event::End => break,
            };
            if !object {
                path.truncate(base);
            }
            if !self.paths.contains_key(&path) {
                self.paths.insert(path.clone(), (kind, word));
            }
            if kind == Kind::Array {
                path.push_str("[]");
            }
            if matches!(kind, Kind::Object | Kind::Array) {
                open.push((path.len(), kind == Kind::Object));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_keys_in_any_order_and_of_what_is_at_hand() {
        let text =
            "\u{FEFF} {\"a\":[{\"b\":{\"c\":1}},{\"d\":\"x\"}],\"e\":[[true,null]],\"f\":{},\"g\":[{\"h\":\"cut off";
        let sketch = Sketch::of(text.as_bytes(), &["\"a\"", "\"e\""]);
        for (path, kind, word) in [
            ("a", Kind::Array, ""),
            ("a[]", Kind::Object, ""),
            ("a[].b.c", Kind::Number, "1"),
            ("a[].d", Kind::String, "x"),
            ("e[][]", Kind::Bool, "true"),
            ("f", Kind::Object, ""),
            ("g[]", Kind::Object, ""),
        ] {
            assert!(sketch.is(path, kind), "{path}: {sketch:?}");
            assert_eq!(sketch.word(path), Some(word), "{path}");
        }
        assert!(!sketch.has("g[].h") && !sketch.has("b") && !sketch.has("c") && sketch.fault.is_some());
        assert!(!Sketch::of(text.as_bytes(), &["\"a\"", "\"z\""]).has("a"));
        assert!(Sketch::of(b"[{\"a\":1}]", &[]).has("[].a"));
        assert!(Sketch::of(b"{\"a\":1}\n{\"b\":1}\n", &[]).has("b"));
    }

    #[test]
    fn what_is_deep_or_endless_costs_nothing() {
        let deep = "{\"a\":".repeat(100) + "1";
        assert!(Sketch::of(deep.as_bytes(), &[]).paths.len() < 12);
        let wide = format!("{{{}", (0..10_000).map(|i| format!("\"{i}\":1,")).collect::<String>());
        assert_eq!(Sketch::of(wide.as_bytes(), &[]).paths.len(), PATHS);
    }
}
