//! `vouchsafe key`: make a key, show it, trust it.

use super::exit::{Answer, Exit, Failure};
use super::trust::{self, SignArgs};
use super::words;
use super::world::World;
use crate::export::shown;
use crate::record::json;
use crate::seal::token;
use crate::seal::trust::{PinnedIssuer, TrustSet, TrustedKey};
use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;
use std::path::PathBuf;

/// Make, show and trust signing keys
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    New(New),
    Show(Show),
    Trust(Trust),
}

/// Make an Ed25519 key (PKCS#8 PEM, readable by its owner only)
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  vouchsafe key new --output signing-key.pem && vouchsafe key show --signing-key signing-key.pem --pem > public.pem")]
struct New {
    /// Where the private key goes; default: the user's configuration folder. An existing file is never touched
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Encrypt it with the passphrase in VOUCHSAFE_PASSPHRASE or --passphrase-file
    #[arg(long)]
    encrypt: bool,
    /// File that holds the passphrase
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Show a key's fingerprint, or its public half
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  vouchsafe key show --pem > public.pem")]
struct Show {
    /// A public key file to show instead of the signing key
    #[arg(value_name = "PUBLIC.pem")]
    file: Option<PathBuf>,
    /// Print the public key as PEM
    #[arg(long)]
    pem: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sign: SignArgs,
}

/// Add a public key to a trust set, revoke one, pin the keys of a CI platform, or list what is believed
///
/// A platform's keys are those by which it signs who runs there (docs/IDENTITY.md). Fetch them yourself, from the platform:
/// those that a record brings along prove nothing. Platforms change their keys, so several sets of one issuer are kept.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe key trust public.pem --trust trust.json --environment production --valid-until 2027-12-31
  vouchsafe key trust --revoke SHA256:… --on 2026-11-01 --reason 'laptop lost' --trust trust.json
  curl -fsS https://token.actions.githubusercontent.com/.well-known/jwks > github.jwks
  vouchsafe key trust --jwks github.jwks --issuer https://token.actions.githubusercontent.com --trust trust.json")]
struct Trust {
    /// Public key (PEM) to trust
    #[arg(value_name = "PUBLIC.pem")]
    file: Option<PathBuf>,
    /// Trust set to change or list; default: the user's own
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// A local vault, to change the trust set that it carries
    #[arg(long, value_name = "DIR", conflicts_with = "trust")]
    vault: Option<PathBuf>,
    /// Name for people
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Environment that the key may sign for; default: all; may be said more than once
    #[arg(short, long, value_name = "NAME", action = clap::ArgAction::Append)]
    environment: Vec<String>,
    /// First day, UTC, on which its signatures count
    #[arg(long, value_name = "YYYY-MM-DD")]
    valid_from: Option<NaiveDate>,
    /// Last day, UTC, on which its signatures count
    #[arg(long, value_name = "YYYY-MM-DD")]
    valid_until: Option<NaiveDate>,
    /// Revoke this key: records made from --on on are trusted no more
    #[arg(long, value_name = "KEYID", conflicts_with = "file")]
    revoke: Option<String>,
    /// First day, UTC, of the revocation; default: now
    #[arg(long, value_name = "YYYY-MM-DD", requires = "revoke")]
    on: Option<NaiveDate>,
    /// Why it is revoked
    #[arg(long, value_name = "TEXT", requires = "revoke")]
    reason: Option<String>,
    /// Keys (JSON Web Key Set) of a CI platform that signs who runs there, to pin beside those that are pinned
    #[arg(long, value_name = "FILE", requires = "issuer", conflicts_with_all = ["file", "revoke"])]
    jwks: Option<PathBuf>,
    /// Whose keys they are, as its tokens say it (`iss`)
    #[arg(long, value_name = "URL", requires = "jwks")]
    issuer: Option<String>,
    /// One JSON object a key or key set
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    match &args.what {
        What::New(new) => make(world, new),
        What::Show(show) => tell(world, show),
        What::Trust(change) => change_trust(world, change),
    }
}

fn make(world: &mut World, args: &New) -> Answer {
    let file = match &args.output {
        Some(file) => world.at(file),
        None => trust::user_key_file(world)
            .ok_or_else(|| Failure::usage("there is no HOME for a new key", "say --output FILE"))?,
    };
    let passphrase = if args.encrypt {
        let sign = SignArgs { passphrase_file: args.passphrase_file.clone(), ..SignArgs::default() };
        let passphrase = trust::passphrase(world, &sign)?.filter(|p| !p.is_empty());
        Some(passphrase.ok_or_else(|| {
            Failure::usage("--encrypt needs a passphrase", "set VOUCHSAFE_PASSPHRASE or say --passphrase-file FILE")
        })?)
    } else {
        None
    };
    let key = trust::new_key(world)?;
    let pem = match &passphrase {
        Some(passphrase) => {
            let mut randomness = [0u8; 32];
            if !(world.random)(&mut randomness) {
                return Err(anyhow::anyhow!("the operating system gave no random bytes").into());
            }
            key.to_encrypted_pem(passphrase, randomness)?.into()
        }
        None => key.to_pem()?,
    };
    trust::write_private(&file, pem.as_bytes()).map_err(|e| {
        let exists = e.kind() == std::io::ErrorKind::AlreadyExists;
        let error = anyhow::anyhow!(e).context(format!("could not write a new key to `{}`", file.display()));
        let help = if exists { "a key is never overwritten: say --output FILE" } else { "say --output FILE" };
        Failure::failed(error, help)
    })?;
    let public = key.public();
    if args.json {
        words::json(world, &json!({"file": file.display().to_string(), "keyid": public.keyid()}))?;
    } else {
        world.say(&format!("made {} ({})", file.display(), public.keyid()));
        words::writeln_quietly(world, public.to_pem().trim_end())?;
    }
    Ok(Exit::Done)
}

fn tell(world: &mut World, args: &Show) -> Answer {
    let public = match &args.file {
        Some(file) => trust::public_key(world, file)?,
        None => match trust::any_signer(world, &args.sign)? {
            Some(signer) => signer.public_key(),
            None => {
                return Err(Failure::failed(
                    anyhow::anyhow!("there is no signing key to show"),
                    "say --signing-key FILE, or make one with `vouchsafe key new`",
                ));
            }
        },
    };
    if args.json {
        words::json(world, &json!({"keyid": public.keyid(), "hint": public.hint(), "publicKey": public.to_pem()}))?;
    } else if args.pem {
        words::writeln_quietly(world, public.to_pem().trim_end())?;
    } else {
        words::writeln_quietly(world, &format!("{} (Ed25519)", public.keyid()))?;
    }
    Ok(Exit::Done)
}

fn change_trust(world: &mut World, args: &Trust) -> Answer {
    let file = match (&args.trust, &args.vault) {
        (Some(file), _) => world.at(file),
        (None, Some(vault)) => trust::vault_trust_file(&world.at(vault)),
        (None, None) => world
            .config_dir()
            .map(|d| trust::vault_trust_file(&d))
            .ok_or_else(|| Failure::usage("there is no HOME for a trust set", "say --trust FILE"))?,
    };
    let mut set = if file.exists() { trust::read_trust(&file)? } else { TrustSet::default() };
    if let Some(public) = &args.file {
        let key = trust::public_key(world, public)?;
        set.add(TrustedKey {
            name: args.name.clone(),
            valid_from: args.valid_from.and_then(start_of),
            // The last day counts whole.
            valid_until: args.valid_until.and_then(|d| d.and_hms_milli_opt(23, 59, 59, 999)).map(|t| t.and_utc()),
            environments: (!args.environment.is_empty()).then(|| args.environment.clone()),
            ..TrustedKey::new(key.clone())
        })?;
        trust::write_trust(&file, &set)?;
        world.say(&format!("trusting {} in {}", key.keyid(), file.display()));
    } else if let Some(keyid) = &args.revoke {
        let on = args.on.and_then(start_of).unwrap_or_else(|| (world.now)());
        set.revoke(keyid, on, args.reason.clone())?;
        trust::write_trust(&file, &set)?;
        world.say(&format!("revoked {keyid} from {on} on in {}", file.display()));
    } else if let Some((jwks, issuer)) = args.jwks.as_ref().zip(args.issuer.as_ref()) {
        let pinned = trust::issuer_keys(world, jwks, issuer)?;
        let kids =
            token::kids(&pinned.jwks).with_context(|| format!("could not use the keys in `{}`", jwks.display()))?;
        set.pin(pinned)?;
        trust::write_trust(&file, &set)?;
        let keys = shown::many(kids.len() as u64, "key", "keys");
        world.say(&shown::line(&format!("pinned {keys} of {issuer} in {}", file.display())));
    } else {
        for (keyid, key) in set.iter() {
            let line = if args.json { json::to_string(&described(keyid, key))? } else { told(keyid, key) };
            words::writeln_quietly(world, &shown::line(&line))?;
        }
        for pinned in set.issuers() {
            let line = if args.json { json::to_string(&issuer_described(pinned))? } else { issuer_told(pinned) };
            words::writeln_quietly(world, &shown::line(&line))?;
        }
        if set.iter().next().is_none() {
            world.say(&format!("no key is trusted in {}", file.display()));
        }
    }
    Ok(Exit::Done)
}

fn start_of(day: NaiveDate) -> Option<DateTime<Utc>> {
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

fn described(keyid: &str, key: &TrustedKey) -> serde_json::Value {
    json!({
        "keyid": keyid, "name": key.name, "validFrom": key.valid_from, "validUntil": key.valid_until,
        "environments": key.environments, "revokedOn": key.revoked_on, "revokedWhy": key.revoked_why,
    })
}

fn issuer_described(pinned: &PinnedIssuer) -> serde_json::Value {
    let kids = token::kids(&pinned.jwks).unwrap_or_default();
    json!({"issuer": pinned.issuer, "kids": kids, "pinnedOn": pinned.pinned_on})
}

fn issuer_told(pinned: &PinnedIssuer) -> String {
    let kids = token::kids(&pinned.jwks).unwrap_or_default();
    format!("{}, keys {}, pinned on {}", pinned.issuer, kids.join(", "), pinned.pinned_on)
}

fn told(keyid: &str, key: &TrustedKey) -> String {
    let mut line = keyid.to_owned();
    if let Some(name) = &key.name {
        line += &format!(" ({name})");
    }
    match &key.environments {
        Some(environments) => line += &format!(", for {}", environments.join(", ")),
        None => line += ", for every environment",
    }
    if let Some(from) = key.valid_from {
        line += &format!(", from {from}");
    }
    if let Some(until) = key.valid_until {
        line += &format!(", until {until}");
    }
    if let Some(on) = key.revoked_on {
        line += &format!(", REVOKED since {on}: {}", key.revoked_why.as_deref().unwrap_or("no reason given"));
    }
    line
}
