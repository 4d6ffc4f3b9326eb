//! What a bucket says about itself: sub-resources by presigned URL, and reading their XML.

use super::error::{innermost, scrub};
use super::{Vault, VaultError, wire};
use http::{HeaderMap, Method};
use object_store::path::Path;
use object_store::signer::SignedUrlOptions;
use quick_xml::events::Event;
use std::time::Duration;

/// A bucket's policy or lifecycle document is small; more of it is not read.
const DOCUMENT: usize = 1024 * 1024;

impl Vault {
    /// A sub-resource of an object, or of the bucket for the empty path: status, headers, body.
    pub(super) async fn document(
        &self,
        place: &Path,
        query: &[(&str, &str)],
    ) -> Result<(u16, HeaderMap, Vec<u8>), VaultError> {
        let doing = format!("ask {} for ?{}", self.location(), query.first().map_or("", |(name, _)| name));
        let unreachable = |e: &(dyn std::error::Error + 'static)| VaultError::Unreachable {
            doing: doing.clone(),
            why: scrub(&innermost(e), &self.opened.secrets),
            tries: 1,
        };
        let Some((signer, http)) = &self.opened.presigned else {
            return Err(VaultError::Other { doing, why: "this needs a signature".into() });
        };
        self.admit().await?;
        let options = SignedUrlOptions::default().with_query(query.iter().copied());
        let url = signer.signed_url_opts(Method::GET, place, Duration::from_secs(60), &options).await;
        let url = url.map_err(|e| unreachable(&e))?;
        let request = http::Request::get(url.as_str()).body(String::new().into());
        let request = request.map_err(|e| VaultError::Other { doing: doing.clone(), why: innermost(&e) })?;
        let answer = http.execute(request).await.map_err(|e| unreachable(&e))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = wire::bounded(answer.into_body(), DOCUMENT).await.map_err(|e| unreachable(&e))?;
        Ok((status, headers, body.to_vec()))
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
