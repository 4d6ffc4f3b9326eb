//! `vouchsafe doctor`: is this vault, key and pipeline fit for evidence?

use super::exit::{Answer, Exit, Failure};
use super::trust::{self, SignArgs, TrustArgs};
use super::words;
use super::world::World;
use crate::export::shown;
use crate::gather::platform::{self, Env};
use crate::vault::doctor::{Ask, Check, Status};
use crate::vault::lock::Period;
use crate::vault::{Patience, Settings, Vault};
use serde_json::json;

/// Check vault, lock, key, trust and pipeline before you rely on them
///
/// Each line says what was found and what to do about it. `unknown` means that it could not be asked, which is not
/// the same as fine. One probe object is written (twice, to see that the second time is refused): `_probe/…`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exit codes: 0 fit · 1 could not ask · 4 something is not fit, or could not be told")]
pub(crate) struct Args {
    /// Vault: a folder, file://…, or s3://bucket/prefix
    #[arg(long, value_name = "URL", default_value = crate::vault::DEFAULT_URL)]
    vault: String,
    /// How long the store should keep records
    #[arg(long, value_name = "PERIOD", default_value = Period::DEFAULT)]
    retain: String,
    /// One JSON object a check
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sign: SignArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    let now = (world.now)();
    let least = Period::parse(&args.retain)
        .map_err(|e| Failure::usage(e.to_string(), "13 months and a margin are 400d"))?
        .after(now)
        .map_or(chrono::TimeDelta::MAX, |until| until - now);
    let mut checks = vec![pipeline(world), key(world, args)];
    let settings = Settings { env: world.env.clone(), cwd: world.cwd.clone(), patience: Patience::default() };
    match Vault::open(&args.vault, &settings) {
        Ok(vault) => {
            checks.push(trusted(world, args, &vault));
            checks.extend(vault.checks(&Ask { now, least, locks_each: true }));
        }
        Err(e) => checks.push(Check {
            name: "vault",
            status: Status::Fail,
            found: e.to_string(),
            todo: Some("say --vault with a folder or s3://bucket/prefix".into()),
        }),
    }
    let mut exit = Exit::Done;
    for check in &checks {
        if matches!(check.status, Status::Fail | Status::Unknown) {
            exit = Exit::Findings;
        }
        let status = match check.status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "fail",
            Status::Unknown => "unknown",
        };
        if args.json {
            let line = json!({"check": check.name, "status": status, "found": check.found, "todo": check.todo});
            words::json(world, &line)?;
        } else {
            words::writeln_quietly(world, &shown::line(&format!("{status:<8} {:<18} {}", check.name, check.found)))?;
            if let Some(todo) = &check.todo {
                words::writeln_quietly(world, &shown::line(&format!("{:27} do: {todo}", "")))?;
            }
        }
    }
    Ok(exit)
}

fn pipeline(world: &World) -> Check {
    let env = Env::new(world.env.clone());
    let platform = platform::detect(&env);
    let facts = platform.read(&env);
    let by_hand = platform.is_manual();
    let missing = !by_hand && (facts.run.id.is_empty() || facts.commit.is_none());
    Check {
        name: "pipeline",
        status: if missing { Status::Warn } else { Status::Ok },
        found: if by_hand {
            "no CI platform: records will say `manual` and name the operating-system user".into()
        } else {
            let commit = facts.commit.as_ref().map_or("not told", |c| c.sha.as_str());
            format!("{}, run `{}` attempt {}, commit {commit}", platform.name, facts.run.id, facts.run.attempt.max(1))
        },
        todo: missing.then(|| "run attest inside the checkout, or say --run-id and --commit".into()),
    }
}

fn key(world: &World, args: &Args) -> Check {
    let (status, found, todo) = match trust::any_signer(world, &args.sign) {
        Ok(Some(signer)) => (Status::Ok, format!("{} signs", signer.public_key().keyid()), None),
        Ok(None) => (
            Status::Warn,
            "no signing key; a first attest into a local vault makes one, any other vault demands one".to_owned(),
            Some("make one with `vouchsafe key new`, or say --signing-key".to_owned()),
        ),
        Err(failure) => (Status::Fail, format!("{:#}", failure.error), failure.help),
    };
    Check { name: "signing key", status, found, todo }
}

fn trusted(world: &World, args: &Args, vault: &Vault) -> Check {
    let todo = || Some("`vouchsafe key trust PUBLIC.pem --trust FILE` trusts a key".to_owned());
    let signer = trust::any_signer(world, &args.sign).ok().flatten();
    let (status, found, todo) = match (trust::trust_set(world, &args.trust, vault.local_root()), signer) {
        (Err(_), _) => (Status::Warn, "no trust set: records can be written, not verified here".to_owned(), todo()),
        (Ok(t), Some(signer)) if t.set.get(&signer.public_key().keyid()).is_none() => {
            (Status::Fail, format!("the signing key is not trusted by {}", t.from), todo())
        }
        (Ok(t), _) => (Status::Ok, format!("{} from {}", keys(t.set.iter().count()), t.from), None),
    };
    Check { name: "trust", status, found, todo }
}

fn keys(n: usize) -> String {
    if n == 1 { "1 key".to_owned() } else { format!("{n} keys") }
}
