//! Words that must not be seen: the secret of a webhook, and headers that may hold one.

use crate::cli::exit::Failure;
use crate::cli::twins::{Source, Sources};
use crate::cli::world::World;
use crate::gather::http::Secret;
use std::convert::Infallible;
use std::io::Read as _;
use std::str::FromStr;

/// Longest secret, in bytes.
const LONGEST: u64 = 8 * 1024;

/// A word of the command line that is never printed.
#[derive(Clone)]
pub(super) struct Hidden(Secret);

impl FromStr for Hidden {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Secret::new(text.to_owned())))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[not shown]")
    }
}

/// The headers, as name and value.
pub(super) fn headers(words: &[Hidden]) -> Result<Vec<(String, String)>, Failure> {
    let header = |(at, Hidden(word)): (usize, &Hidden)| {
        let parts = word.expose().split_once(':').map(|(name, value)| (name.trim(), value.trim()));
        // Not quoted: where the colon was forgotten it may be a token.
        let (name, value) = parts.filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
            Failure::usage(
                format!("--event-header number {} is not NAME: VALUE", at + 1),
                "say it like 'X-GitHub-Event: push'",
            )
        })?;
        Ok((name.to_owned(), value.to_owned()))
    };
    words.iter().enumerate().map(header).collect()
}

/// The secret: what the file holds, or what its variable holds itself.
pub(super) fn secret(world: &World, told: Option<&Hidden>, sources: &Sources) -> Result<Option<Secret>, Failure> {
    let Some(Hidden(told)) = told else { return Ok(None) };
    let path = world.at(told.expose());
    let by_variable = matches!(sources.get("webhook-secret"), Some(Source::Variable(_)));
    let secret = if path.is_file() {
        let mut text = String::new();
        let file = std::fs::File::open(path).and_then(|f| f.take(LONGEST + 1).read_to_string(&mut text));
        file.map_err(|e| {
            let error = anyhow::anyhow!("could not read the file of --webhook-secret: {}", e.kind());
            Failure::failed(error, "it holds the secret and nothing else, as text")
        })?;
        Secret::new(text.trim_end_matches(['\r', '\n']).to_owned())
    } else if by_variable {
        told.clone()
    } else {
        return Err(Failure::failed(
            anyhow::anyhow!("the file of --webhook-secret is not there"),
            "the secret itself goes into the variable VOUCHSAFE_WEBHOOK_SECRET, where nobody sees it who sees the command",
        ));
    };
    match secret.expose().len() as u64 {
        0 => Err(Failure::failed(anyhow::anyhow!("the file of --webhook-secret is empty"), "it holds the secret")),
        n if n > LONGEST => Err(Failure::failed(anyhow::anyhow!("the webhook's secret is too long"), "name its file")),
        _ => Ok(Some(secret)),
    }
}
