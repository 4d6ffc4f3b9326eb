//! Which keys a command believes, and which key it signs with.

use super::exit::Failure;
use super::world::World;
use crate::seal::key::{KeyError, PrivateKey, PublicKey};
use crate::seal::signer::{self, Signer, SigningCommand};
use crate::seal::trust::{PinnedIssuer, TrustSet, TrustedKey};
use crate::vault::Vault;
use anyhow::Context as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Name of a trust set in a local vault and in the user's configuration folder.
const TRUST_FILE: &str = "trust.json";

/// Flags of every command that verifies.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Who is believed")]
pub(crate) struct TrustArgs {
    /// Trust set: a file of public keys with validity, environments and revocation
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// Public key to trust for this call (PEM); may be said more than once
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append)]
    pub(crate) key: Vec<PathBuf>,
}

/// Flags of every command that signs.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Who signs")]
pub(crate) struct SignArgs {
    /// Private key: a file, or the PEM text itself (PKCS#8, plain or encrypted)
    #[arg(long, value_name = "FILE|PEM", allow_hyphen_values = true)]
    pub(crate) signing_key: Option<String>,
    /// File that holds the passphrase of an encrypted key (or set VOUCHSAFE_PASSPHRASE)
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Command that signs: bytes on its standard input, base64 signature on its standard output; needs --public-key
    #[arg(long, value_name = "COMMAND")]
    pub(crate) signer: Option<String>,
    /// Public key (PEM) of the command's key
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
}

/// A trust set and where it came from.
pub(crate) struct Trusting {
    /// The keys.
    pub(crate) set: TrustSet,
    /// Said to people: which file, and what that is worth.
    pub(crate) from: String,
}

/// Finds the trust set: `--trust` and `--key`, else the local vault's own, else the user's.
pub(crate) fn trust_set(world: &World, args: &TrustArgs, vault_root: Option<&Path>) -> Result<Trusting, Failure> {
    let mut from = Vec::new();
    let mut set = match &args.trust {
        Some(file) => {
            from.push(format!("{}", file.display()));
            read_trust(&world.at(file))?
        }
        None => TrustSet::default(),
    };
    for file in &args.key {
        let key = public_key(world, file)?;
        if set.get(&key.keyid()).is_none() {
            set.add(TrustedKey::new(key))?;
        }
        from.push(format!("{}", file.display()));
    }
    if !from.is_empty() {
        return Ok(Trusting { set, from: from.join(", ") });
    }
    if let Some(file) = vault_root.map(|root| root.join(TRUST_FILE)).filter(|f| f.is_file()) {
        let from =
            format!("{} (whoever can write to this vault can change it; say --trust to use your own)", file.display());
        return Ok(Trusting { set: read_trust(&file)?, from });
    }
    if let Some(file) = world.config_dir().map(|d| d.join(TRUST_FILE)).filter(|f| f.is_file()) {
        return Ok(Trusting { set: read_trust(&file)?, from: file.display().to_string() });
    }
    Err(Failure::failed(
        anyhow::anyhow!("no key is trusted here, so nothing can be verified"),
        "say --key PUBLIC.pem or --trust FILE; `vouchsafe key trust PUBLIC.pem --trust FILE` makes such a file",
    ))
}

/// Reads a public key.
pub(crate) fn public_key(world: &World, file: &Path) -> Result<PublicKey, Failure> {
    let text =
        std::fs::read_to_string(world.at(file)).with_context(|| format!("could not read key `{}`", file.display()))?;
    Ok(PublicKey::parse(&text).with_context(|| format!("could not use key `{}`", file.display()))?)
}

/// Reads a trust set.
pub(crate) fn read_trust(file: &Path) -> Result<TrustSet, Failure> {
    let bytes = std::fs::read(file).with_context(|| format!("could not read trust set `{}`", file.display()))?;
    Ok(TrustSet::parse(&bytes).with_context(|| format!("could not use trust set `{}`", file.display()))?)
}

/// Largest file of keys, in bytes.
const LARGEST_JWKS: u64 = 1 << 20;

/// Reads a key set of an issuer of identity tokens, to be pinned now.
pub(crate) fn issuer_keys(world: &World, file: &Path, issuer: &str) -> Result<PinnedIssuer, Failure> {
    use std::io::Read as _;
    let mut jwks = String::new();
    let read = std::fs::File::open(world.at(file)).and_then(|f| f.take(LARGEST_JWKS).read_to_string(&mut jwks));
    read.with_context(|| format!("could not read the keys in `{}`", file.display()))?;
    Ok(PinnedIssuer { issuer: issuer.to_owned(), jwks, pinned_on: (world.now)() })
}

/// Writes a trust set whole: a reader sees the old or the new one, never half of it.
pub(crate) fn write_trust(file: &Path, set: &TrustSet) -> Result<(), Failure> {
    let name = file.file_name().and_then(|n| n.to_str()).unwrap_or(TRUST_FILE);
    let beside = file.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let write = || -> std::io::Result<()> {
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let mut out = std::fs::File::create(&beside)?;
        out.write_all(&set.to_json()?)?;
        out.sync_all()?;
        std::fs::rename(&beside, file)
    };
    Ok(write().with_context(|| format!("could not write trust set `{}`", file.display()))?)
}

/// The trust set of a local vault.
pub(crate) fn vault_trust_file(root: &Path) -> PathBuf {
    root.join(TRUST_FILE)
}

/// Where the user's own key lives.
pub(crate) fn user_key_file(world: &World) -> Option<PathBuf> {
    world.config_dir().map(|d| d.join("signing-key.pem"))
}

/// The signer that the words name, else the user's own; `None` when there is neither.
pub(crate) fn any_signer(world: &World, args: &SignArgs) -> Result<Option<Signer>, Failure> {
    match (signer(world, args)?, user_key_file(world).filter(|f| f.exists())) {
        (None, Some(file)) => own_signer(world, args, &file).map(Some),
        (named, _) => Ok(named),
    }
}

/// The signer that the words name.
pub(crate) fn signer(world: &World, args: &SignArgs) -> Result<Option<Signer>, Failure> {
    if let Some(command) = &args.signer {
        let file = args.public_key.as_ref().ok_or_else(|| {
            Failure::usage(
                "--signer needs --public-key",
                "the public key is how the command's answer is checked before it is used",
            )
        })?;
        let key = public_key(world, file)?;
        // It may need its own credentials (a cloud's, a vault's), so it gets our environment.
        let environment = world.env.iter().map(|(k, v)| (k.into(), v.into())).collect();
        let command = SigningCommand::new(command, key, environment, world.cwd.clone(), signer::TIMEOUT);
        return Ok(Some(Signer::Command(
            command.map_err(|e| Failure::usage(e.to_string(), "quote it like in a shell"))?,
        )));
    }
    if let Some(text) = &args.signing_key {
        let (pem, named) = if text.contains("-----BEGIN") {
            (Zeroizing::new(text.clone()), "the key in --signing-key".to_owned())
        } else {
            let file = world.at(text);
            (read_private(&file)?, format!("key `{}`", file.display()))
        };
        return Ok(Some(Signer::Key(private(world, args, &pem, &named)?)));
    }
    Ok(None)
}

fn own_signer(world: &World, args: &SignArgs, file: &Path) -> Result<Signer, Failure> {
    let pem = read_private(file)?;
    Ok(Signer::Key(private(world, args, &pem, &format!("key `{}`", file.display()))?))
}

fn read_private(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(file).with_context(|| format!("could not read key `{}`", file.display()));
    Ok(Zeroizing::new(text.map_err(|e| {
        Failure::failed(e, "--signing-key takes a file or the PEM text; `vouchsafe key new` makes a key")
    })?))
}

fn private(world: &World, args: &SignArgs, pem: &str, named: &str) -> Result<PrivateKey, Failure> {
    let passphrase = passphrase(world, args)?;
    PrivateKey::parse(pem, passphrase.as_ref().map(|p| p.as_str())).map_err(|e: KeyError| Failure {
        exit: super::exit::Exit::Failed,
        error: anyhow::anyhow!(e).context(format!("could not use {named}")),
        help: None,
    })
}

/// The passphrase of an encrypted key, from its file or its variable.
pub(crate) fn passphrase(world: &World, args: &SignArgs) -> Result<Option<Zeroizing<String>>, Failure> {
    Ok(match (&args.passphrase_file, world.var("VOUCHSAFE_PASSPHRASE")) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(world.at(file));
            let text =
                Zeroizing::new(text.with_context(|| format!("could not read passphrase file `{}`", file.display()))?);
            Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        (None, Some(text)) => Some(Zeroizing::new(text.to_owned())),
        (None, None) => None,
    })
}

/// The user's own key, made now if there is none yet. Another process may win that race: then its key is taken.
pub(crate) fn user_signer(world: &mut World, args: &SignArgs) -> Result<Signer, Failure> {
    let file = user_key_file(world).ok_or_else(|| {
        Failure::failed(
            anyhow::anyhow!("no key was named, and there is no HOME for a new one"),
            "say --signing-key FILE, or make one with `vouchsafe key new --output FILE`",
        )
    })?;
    if file.exists() {
        return own_signer(world, args, &file);
    }
    let key = new_key(world)?;
    match write_private(&file, key.to_pem()?.as_bytes()) {
        Ok(()) => {
            world.say(&format!("made a signing key: {} ({})", file.display(), key.public().keyid()));
            Ok(Signer::Key(key))
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => own_signer(world, args, &file),
        Err(e) => Err(Failure::failed(
            anyhow::anyhow!(e).context(format!("could not write a new key to `{}`", file.display())),
            "say --signing-key FILE to use a key that you have",
        )),
    }
}

/// A fresh key from the operating system's randomness.
pub(crate) fn new_key(world: &mut World) -> Result<PrivateKey, Failure> {
    let mut seed = Zeroizing::new([0u8; 32]);
    if !(world.random)(&mut *seed) {
        return Err(Failure::from(anyhow::anyhow!("the operating system gave no random bytes for a key")));
    }
    Ok(PrivateKey::generate(*seed))
}

/// Writes a private key: create-new, readable by its owner only, on disk before we say so.
pub(crate) fn write_private(file: &Path, pem: &[u8]) -> std::io::Result<()> {
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(file)?;
    out.write_all(pem)?;
    out.sync_all()
}

/// Trusts the signer in a local vault that trusts nobody yet: the first record of a new vault must verify.
pub(crate) fn trust_in_new_vault(world: &mut World, vault: &Vault, signer: &Signer) -> Result<(), Failure> {
    let Some(file) = vault.local_root().map(vault_trust_file) else { return Ok(()) };
    if file.exists() {
        return Ok(());
    }
    write_trust(&file, &TrustSet::of(signer.public_key()))?;
    world.say(&format!("trusting that key in this vault: {}", file.display()));
    Ok(())
}
