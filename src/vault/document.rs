//! What a bucket says about itself: its documents, and reading their XML.

use super::presigned::Reply;
use super::{Vault, VaultError};
use http::HeaderMap;
use object_store::path::Path;
use quick_xml::events::Event;

/// A bucket's policy or lifecycle document is small; more of it is not read.
const DOCUMENT: usize = 1024 * 1024;

impl Vault {
    /// A sub-resource of an object, or of the bucket for the empty path: status, headers, body.
    pub(super) async fn document(
        &self,
        place: &Path,
        query: &[(&str, &str)],
    ) -> Result<(u16, HeaderMap, Vec<u8>), VaultError> {
        self.admit().await?;
        let Reply { status, headers, body } =
            self.ask(place, query, DOCUMENT).await.map_err(|why| VaultError::Unreachable {
                doing: format!("ask {} for ?{}", self.location(), query.first().map_or("", |(name, _)| name)),
                why,
                tries: 1,
            })?;
        Ok((status, headers, body))
    }
}

/// Every text in a document with the path of its elements, without namespaces. Stops at what is not XML.
fn texts(body: &[u8]) -> Vec<(String, String)> {
    let mut reader = quick_xml::Reader::from_reader(body);
    let (mut path, mut out) = (Vec::<String>::new(), Vec::new());
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(tag) if path.len() < 16 => {
                path.push(String::from_utf8_lossy(tag.local_name().as_ref()).into_owned());
            }
            Event::End(_) => {
                // The end of a child of the root, so that repeated ones (rules) can be told apart.
                if path.len() == 2 {
                    out.push((format!("/{}", path.join("/")), String::new()));
                }
                path.pop();
            }
            Event::Text(text) => {
                let text = String::from_utf8_lossy(&text).trim().to_owned();
                if !text.is_empty() {
                    out.push((path.join("/"), text));
                }
            }
            Event::Eof | Event::Start(_) => break,
            _ => {}
        }
    }
    out
}

/// The first text at a path of elements, `Error/Code`.
pub(super) fn text_at(body: &[u8], path: &str) -> Option<String> {
    texts(body).into_iter().find(|(p, _)| p == path).map(|(_, text)| text)
}

/// The rules of a lifecycle document, each as its own texts.
pub(super) fn rules(body: &[u8]) -> Vec<Vec<(String, String)>> {
    let mut out = vec![Vec::new()];
    for (path, text) in texts(body) {
        if path == "/LifecycleConfiguration/Rule" {
            out.push(Vec::new());
        } else if let (Some(leaf), Some(rule)) = (path.strip_prefix("LifecycleConfiguration/Rule/"), out.last_mut()) {
            rule.push((leaf.to_owned(), text));
        }
    }
    out.retain(|rule| !rule.is_empty());
    out
}
