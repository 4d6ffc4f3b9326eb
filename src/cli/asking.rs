//! The one way to a forge: the flags of the API, and who is asked by them.
//!
//! Nothing here fails a record: why nobody could be asked is a sentence for the record and for people. None of them quotes the
//! token, nor the file that was said for it: that may be a token, too.

use super::exit::Failure;
use super::words;
use super::world::World;
use crate::gather::forge::{self, Asking, FORGES, Forge, Given, PipelineFiles};
use crate::gather::http::api::{Api, Patience};
use crate::gather::http::{Http, Options, Secret};
use crate::gather::platform::Env;
use ::http::HeaderName;
use chrono::TimeDelta;
use regex::Regex;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

/// Longest token, in bytes: what a header of a request may hold almost everywhere.
const LONGEST_TOKEN: usize = 8 * 1024;
/// How long is asked beside the time that is waited.
const ASKING: Duration = Duration::from_secs(240);

/// How a forge is asked.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ApiArgs {
    /// Whether the API of the forge (GitHub, GitLab, …) is asked for pull requests, reviews and checks: auto, when there is a
    /// token for it; never
    #[arg(help_heading = "Asking the forge", long, value_name = "WHEN", value_parser = ["auto", "never"], default_value = "auto")]
    pub(crate) api: String,
    /// Token for the API: a file that holds it, or the token itself (better in the variable: others see the command line).
    /// Default: the token that the platform leaves in its own variable
    #[arg(help_heading = "Asking the forge", long, value_name = "FILE|TOKEN", value_parser = |text: &str| Ok::<_, std::convert::Infallible>(Told::new(text)))]
    pub(crate) api_token: Option<Told>,
    /// Address of the API, where no variable of the platform and no well-known host tells it
    #[arg(help_heading = "Asking the forge", long, value_name = "URL")]
    pub(crate) api_url: Option<String>,
    /// What keeps the repository, where neither the platform nor the repository's address tells it
    #[arg(help_heading = "Asking the forge", long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(FORGES.iter().map(|f| f.name)))]
    pub(crate) forge: Option<String>,
    /// How long is waited altogether for limits of the API, and for what the platform does not know yet
    #[arg(help_heading = "Asking the forge", long, value_name = "TIME", default_value = "60s", value_parser = words::time)]
    pub(crate) api_patience: TimeDelta,
    /// More certificate authorities (PEM), beside those of the system; for the API and for image registries
    #[arg(help_heading = "Asking the forge", long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// More files that decide what a pipeline does, beside those that CI systems read: globs over the repository's paths
    #[arg(help_heading = "Asking the forge", long, value_name = "GLOB", action = clap::ArgAction::Append)]
    pub(crate) pipeline_file: Vec<String>,
}

/// What was said for the token. Never printed.
#[derive(Clone)]
pub(crate) struct Told(Secret);

impl Told {
    pub(super) fn new(text: &str) -> Self {
        Self(Secret::new(text.trim().to_owned()))
    }

    /// What was said. Not for a message.
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("[not shown]")
    }
}

impl ApiArgs {
    /// Which files decide what a pipeline does.
    pub(crate) fn pipeline_files(&self) -> Result<PipelineFiles, Failure> {
        PipelineFiles::new(&self.pipeline_file)
            .map_err(|e| Failure::usage(format!("--pipeline-file {e}"), "it is a glob, as in 'deploy/**/*.sh'"))
    }

    /// The same for a registry: what cannot be read is a warning.
    pub(crate) fn believed(&self, world: &mut World) -> Option<Vec<u8>> {
        self.authorities(world).unwrap_or_else(|why| {
            words::warn(world, &[why]);
            None
        })
    }

    /// The certificate authorities of --ca-file; an error is one sentence.
    fn authorities(&self, world: &World) -> Result<Option<Vec<u8>>, String> {
        let Some(file) = &self.ca_file else { return Ok(None) };
        let read = std::fs::read(world.at(file));
        read.map(Some).map_err(|e| format!("could not read --ca-file `{}`: {e}", file.display()))
    }

    /// The token of --api-token; an error is one sentence.
    fn token(&self, world: &World) -> Result<Option<Secret>, String> {
        let Some(Told(told)) = &self.api_token else { return Ok(None) };
        let path = world.at(told.expose());
        let token = if path.is_file() {
            let mut text = String::new();
            let read =
                std::fs::File::open(&path).and_then(|f| f.take(LONGEST_TOKEN as u64 + 1).read_to_string(&mut text));
            read.map_err(|e| format!("could not read the file of --api-token: {}", e.kind()))?;
            Secret::new(text.trim().to_owned())
        } else if told.expose().contains(['/', '\\']) || told.expose().starts_with('~') {
            // No token of a forge looks like this; sent as one, it would only be refused.
            return Err("the file of --api-token is not there".to_owned());
        } else {
            told.clone()
        };
        match token.expose() {
            "" => Err("the file of --api-token is empty".to_owned()),
            text if text.len() > LONGEST_TOKEN => Err("what --api-token names is too long for a token".to_owned()),
            text if text.bytes().any(|b| !b.is_ascii_graphic()) => {
                Err("what --api-token names is no token: it holds spaces, line breaks or letters beyond ASCII"
                    .to_owned())
            }
            _ => Ok(Some(token)),
        }
    }
}

/// Where the repository is, as far as is known without asking.
pub(crate) struct Where<'a> {
    /// Name of the platform that runs us.
    pub(crate) platform: &'a str,
    /// Full name of the repository, `group/project`.
    pub(crate) repository: Option<&'a str>,
    /// The platform's id of it.
    pub(crate) repository_id: Option<&'a str>,
    /// Its page or clone address.
    pub(crate) repository_url: Option<&'a str>,
    /// How a ticket looks.
    pub(crate) tickets: &'a Regex,
    /// Which files decide what a pipeline does.
    pub(crate) pipeline_files: &'a PipelineFiles,
}

/// Hands `ask` the forge that keeps the repository and, where it can be asked, its API; else one sentence why it cannot.
/// An error is one sentence, too: no forge is known at all.
pub(crate) fn with_api<T>(
    world: &World,
    args: &ApiArgs,
    about: &Where,
    ask: impl FnOnce(&'static Forge, Result<&Asking, String>) -> T,
) -> Result<T, String> {
    let env = Env::new(world.env.clone());
    let token = args.token(world);
    let repository = about.repository.map(str::to_owned).or_else(|| forge::name_in(about.repository_url?));
    let given = Given {
        env: &env,
        url: args.api_url.as_deref(),
        token: token.as_ref().ok().and_then(Option::as_ref),
        forge: args.forge.as_deref(),
        repository_url: about.repository_url,
        platform: about.platform,
    };
    let forge = forge::which(&given)?;
    let reached = || {
        if args.api == "never" {
            return Err("the API was not asked: --api never".to_owned());
        }
        if let Err(why) = &token {
            return Err(why.clone());
        }
        let repository =
            repository.as_deref().ok_or("nobody named the repository that the forge would be asked about")?;
        let (_, reach) = forge::reach(&given)?;
        let http = Http::new(Options {
            ca: args.authorities(world)?,
            ..Options::proxied(|name| world.var(name).map(str::to_owned))
        });
        Ok((repository, reach, http))
    };
    let (repository, reach, http) = match reached() {
        Ok(reached) => reached,
        Err(why) => return Ok(ask(forge, Err(why))),
    };
    let budget = args.api_patience.to_std().unwrap_or_default();
    let patience = Patience { budget, whole: budget.saturating_add(ASKING), ..Patience::default() };
    let now = &*world.now;
    let plain = forge.headers.iter().map(|(name, value)| (HeaderName::from_static(name), *value)).collect();
    let api = match Api::new(&http, &reach.base, Some((reach.header, reach.token)), plain, now, patience) {
        Ok(api) => api,
        Err(e) => return Ok(ask(forge, Err(e.to_string()))),
    };
    let asking = Asking {
        api: &api,
        token_from: &reach.token_from,
        repository,
        repository_id: about.repository_id,
        tickets: about.tickets,
        pipeline_files: about.pipeline_files,
    };
    Ok(ask(forge, Ok(&asking)))
}
