//! The platform's own signature about who runs here, put into the record. Not getting one fails nothing: the record says why.

use super::asking::Told;
use super::words;
use super::world::World;
use crate::gather::Gathered;
use crate::gather::http::{Http, Options};
use crate::gather::identity::{self as gathering, AUDIENCE, Asking, KeysError, Token};
use crate::gather::platform::Env;
use crate::ledger::identity as checking;
use crate::record::RunRecord;
use crate::record::digest::Sha256Digest;
use crate::record::identity_v1::{Binding, Identity};
use crate::record::parts_v1::{Completeness, Status};
use crate::seal::token::{self, Claims, TokenError};
use std::io::Read as _;
use std::time::Duration;

/// How long one question may take, with its retries.
const WHOLE: Duration = Duration::from_secs(15);
/// Longest token, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Whether and how the platform is asked.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct IdentityArgs {
    /// Whether the platform's signature about this run is put into the record: auto, where it gives one; never
    #[arg(help_heading = "Who runs here", long, value_name = "WHEN", value_parser = ["auto", "never"], default_value = "auto")]
    identity: String,
    /// Identity token of the platform (JSON Web Token), where it cannot be asked for one: the name of a variable that holds it,
    /// a file, or the token itself (GitLab: id_tokens; Buildkite: buildkite-agent oidc request-token)
    #[arg(help_heading = "Who runs here", long, value_name = "NAME|FILE|TOKEN", value_parser = |text: &str| Ok::<_, std::convert::Infallible>(Told::new(text)))]
    pub(super) id_token: Option<Told>,
    /// Keep mail addresses that the token claims, and with them the token; else both are left out
    #[arg(help_heading = "Who runs here", long)]
    pub(super) keep_email: bool,
}

/// Completes the record with its last part. Whatever changes the record afterwards breaks what the platform signed.
pub(crate) fn add(world: &mut World, args: &IdentityArgs, ca: Option<Vec<u8>>, gathered: &mut Gathered) {
    let Some(issuer) = gathering::of(&gathered.record.run.platform) else {
        if args.id_token.is_some() {
            let why = format!("nobody knows here who signs tokens of {}", gathered.record.run.platform);
            lacks(gathered, why);
        }
        return;
    };
    if args.identity == "never" {
        return lacks(gathered, "the platform was not asked: --identity never".to_owned());
    }
    let env = Env::new(world.env.clone());
    let get = |name: &str| world.var(name).map(str::to_owned);
    let http = Http::new(Options { ca, whole: WHOLE, ..Options::proxied(get) });
    let audience = match checking::audience_of(&gathered.record) {
        Ok(audience) => audience,
        Err(e) => return lacks(gathered, format!("the record could not be written down: {e}")),
    };
    let token = match &args.id_token {
        Some(told) => given(world, told),
        None => issuer.token(&Asking { env: &env, http: &http, record: &gathered.record, audience: &audience }),
    };
    let found = token.and_then(|token| {
        let claims = token::peek_unverified(token.text.expose()).map_err(not_read)?;
        if token.binding == Binding::Audience && claims.audiences() != [audience.as_str()] {
            return Err("the platform signed a token for another audience than it was asked for".to_owned());
        }
        let keys = match claims.text("iss") {
            Some(iss) => issuer.keys(&env, &http, iss),
            None => return Err("the token does not say who issued it".to_owned()),
        };
        Ok(Found { token, claims, keys })
    });
    match found {
        Ok(found) => {
            let identity = found.identity(args, &gathered.record, (world.now)());
            let told: Vec<String> = identity.contradictions.iter().map(|c| format!("platform identity: {c}")).collect();
            words::warn(world, &told);
            gathered.record.identity = Some(identity);
        }
        Err(why) => lacks(gathered, why),
    }
}

/// Says in the record why there is no identity. Only then: the platform has signed nothing that this could change.
fn lacks(gathered: &mut Gathered, why: String) {
    let section = "identity".to_owned();
    gathered.record.completeness.push(Completeness { section, status: Status::Unavailable, why: Some(why) });
}

fn not_read(e: TokenError) -> String {
    format!("the platform's token cannot be read: {e}")
}

/// The token of --id-token. What was said is never repeated: it may be the token.
fn given(world: &World, told: &Told) -> Result<Token, String> {
    let told = told.expose();
    // A token begins with `{"` in base64; neither a variable nor a file is called so.
    if told.starts_with("eyJ") {
        return gathering::given(told);
    }
    if let Some(token) = world.var(told) {
        return gathering::given(token);
    }
    let mut text = String::new();
    let read = std::fs::File::open(world.at(told)).and_then(|f| f.take(LONGEST + 2).read_to_string(&mut text));
    read.map_err(|e| format!("what --id-token names is no token, no variable that is set, and no file: {}", e.kind()))?;
    gathering::given(&text)
}

/// A token that could be read, and the keys of its issuer.
struct Found {
    token: Token,
    claims: Claims,
    keys: Result<String, KeysError>,
}

impl Found {
    fn identity(&self, args: &IdentityArgs, record: &RunRecord, now: chrono::DateTime<chrono::Utc>) -> Identity {
        let text = self.token.text.expose();
        let mut contradictions = Vec::new();
        let mut missing = Vec::new();
        let (mut jwks, mut checked_on) = (None, None);
        match &self.keys {
            Ok(keys) => {
                jwks = token::key_of(text, keys);
                match token::verify(text, jwks.as_deref().unwrap_or(keys)) {
                    Ok(_) => checked_on = Some(now),
                    // Forged, or fetched while the issuer changes its keys: it says so, and later keys may know it.
                    Err(e @ (TokenError::UnknownKey | TokenError::Keys(_))) => {
                        missing.push(format!("its signature was not checked: {e}"));
                    }
                    Err(e) => contradictions.push(format!("the token does not hold by the keys of its issuer: {e}")),
                }
            }
            Err(e @ KeysError::Foreign(_)) => contradictions.push(e.to_string()),
            Err(e) => missing.push(format!("its signature was not checked: {e}")),
        }
        let claims = checking::kept(&self.claims, args.keep_email);
        contradictions.extend(checking::contradictions(&claims, record));
        let kept = self.kept(args);
        missing.extend(kept.as_ref().err().cloned());
        Identity {
            issuer: self.claims.text("iss").unwrap_or_default().to_owned(),
            binding: self.token.binding,
            token_sha256: Sha256Digest::of(text.as_bytes()).to_string(),
            token: kept.ok(),
            jwks,
            checked_on,
            claims,
            contradictions,
            missing,
        }
    }

    /// The token, if it may stand in a record for years; else why not.
    fn kept(&self, args: &IdentityArgs) -> Result<String, String> {
        let later = "so it cannot be checked later";
        if self.claims.names_mail() && !args.keep_email {
            return Err(format!(
                "the token is not kept, because it holds a mail address, {later}: --keep-email keeps both"
            ));
        }
        // For a while it opens the door whose name it bears, and records are read by many.
        let foreign = self.claims.audiences().into_iter().find(|aud| *aud != AUDIENCE);
        if self.token.binding == Binding::TokenDigest && (foreign.is_some() || self.claims.audiences().is_empty()) {
            return Err(format!(
                "the token is not kept, because its audience `{}` may let in whoever reads it here, {later}: hand over one \
                 for the audience {AUDIENCE}",
                foreign.unwrap_or_default()
            ));
        }
        Ok(self.token.text.expose().to_owned())
    }
}

/// The line of the receipt.
pub(super) fn line(identity: &Identity) -> String {
    let worth = match (&identity.checked_on, identity.binding) {
        _ if !identity.contradictions.is_empty() => "contradicts the record".to_owned(),
        (None, _) => "not checked".to_owned(),
        (Some(_), Binding::Audience) => "signed for this very record".to_owned(),
        (Some(_), Binding::TokenDigest) => "signed a token of this run".to_owned(),
    };
    let kept = if identity.token.is_some() { "" } else { ", not kept" };
    format!("{} {worth}{kept}", identity.issuer)
}
