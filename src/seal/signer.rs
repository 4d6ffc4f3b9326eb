//! Who signs: a key in memory, or a command that reaches one (Vault transit, a cloud KMS, an HSM).

use super::key::{PrivateKey, PublicKey};
use super::{envelope, words};
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// How long a signing command may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of its answer and of its complaints that are kept.
const MAX_ANSWER: u64 = 4096;
const MAX_COMPLAINT: u64 = 2048;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignerError {
    /// The command line cannot be split into words.
    #[error("the signer command {0}")]
    Words(String),
    /// It could not be started.
    #[error("could not start the signer `{program}`: {cause}")]
    Start {
        /// The first word of the command.
        program: String,
        /// What the system said.
        cause: io::Error,
    },
    /// It took too long and was ended.
    #[error("the signer `{program}` did not answer in {} s{complaint}", .after.as_secs_f32())]
    TimedOut {
        /// The first word of the command.
        program: String,
        /// How long it was waited for.
        after: Duration,
        /// What it wrote to stderr, after a colon.
        complaint: String,
    },
    /// It failed.
    #[error("the signer `{program}` failed ({status}){complaint}")]
    Failed {
        /// The first word of the command.
        program: String,
        /// Its exit code or signal.
        status: ExitStatus,
        /// What it wrote to stderr, after a colon.
        complaint: String,
    },
    /// Its answer is not the base64 of 64 bytes.
    #[error("the signer `{program}` did not answer with the base64 of a 64-byte signature: {why}{complaint}")]
    Answer {
        /// The first word of the command.
        program: String,
        /// What is wrong with the answer. Never the answer itself.
        why: String,
        /// What it wrote to stderr, after a colon.
        complaint: String,
    },
    /// The signature does not verify under the key that was said to make it.
    #[error(
        "the signature does not verify under {keyid}. Does the signer use that key, and sign the bytes on stdin with Ed25519 (not Ed25519ph, not a hash of them)?"
    )]
    NotOurs {
        /// The key that should have signed.
        keyid: String,
    },
}

/// Who signs.
#[derive(Debug)]
pub(crate) enum Signer {
    /// A private key in memory.
    Key(PrivateKey),
    /// A command that is given the bytes.
    Command(SigningCommand),
}

/// A command that gets the PAE on stdin and answers with the base64 of the signature on stdout.
///
/// It is started directly, without a shell: `sh -c '…'` when one is wanted.
#[derive(Debug)]
pub(crate) struct SigningCommand {
    words: Vec<String>,
    key: PublicKey,
    environment: Vec<(OsString, OsString)>,
    folder: PathBuf,
    timeout: Duration,
}

impl SigningCommand {
    /// A command from its line, to be run in `folder` with `environment` and nothing else, and ended after `timeout`.
    pub(crate) fn new(
        line: &str,
        key: PublicKey,
        environment: Vec<(OsString, OsString)>,
        folder: PathBuf,
        timeout: Duration,
    ) -> Result<Self, SignerError> {
        let words = words::split(line).map_err(SignerError::Words)?;
        Ok(Self { words, key, environment, folder, timeout })
    }
}

impl Signer {
    /// The key that the signatures verify under.
    pub(crate) fn public_key(&self) -> PublicKey {
        match self {
            Self::Key(key) => key.public(),
            Self::Command(command) => command.key.clone(),
        }
    }

    /// Signs `pae` and checks the signature: no signature leaves here that the public key does not verify.
    pub(crate) fn sign(&self, pae: &[u8]) -> Result<[u8; 64], SignerError> {
        let sig = match self {
            Self::Key(key) => key.sign(pae),
            Self::Command(command) => command.ask(pae)?,
        };
        let key = self.public_key();
        // also for our own key: a computer that miscalculates gives Ed25519 keys away with its wrong signatures
        if key.verify(pae, &sig) { Ok(sig) } else { Err(SignerError::NotOurs { keyid: key.keyid() }) }
    }
}

impl SigningCommand {
    fn ask(&self, pae: &[u8]) -> Result<[u8; 64], SignerError> {
        let program = self.words.first().cloned().unwrap_or_default();
        let deadline = Instant::now() + self.timeout;
        let start = |cause| SignerError::Start { program: program.clone(), cause };
        let mut child = Command::new(&program)
            .args(self.words.iter().skip(1))
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(start)?;
        // Pipes have threads of their own: neither side may block the other, and a grandchild that keeps one open
        // must not outlast the deadline.
        let answer = child.stdout.take().map(|pipe| drain(pipe, MAX_ANSWER));
        let complaint = child.stderr.take().map(|pipe| drain(pipe, MAX_COMPLAINT));
        if let Some(mut stdin) = child.stdin.take() {
            let pae = pae.to_vec();
            // a command that does not read it all will be judged by its answer
            std::thread::spawn(move || drop(stdin.write_all(&pae)));
        }
        let collect = |pipe: Option<Receiver<Vec<u8>>>, grace: Duration| {
            let left = deadline.saturating_duration_since(Instant::now()).max(grace);
            pipe.and_then(|p| p.recv_timeout(left).ok())
        };
        let brief = Duration::from_millis(200);
        let Some(status) = wait(&mut child, deadline).map_err(start)? else {
            let complaint = complained(collect(complaint, brief));
            return Err(SignerError::TimedOut { program, after: self.timeout, complaint });
        };
        let answer = collect(answer, brief);
        let complaint = complained(collect(complaint, brief));
        if !status.success() {
            return Err(SignerError::Failed { program, status, complaint });
        }
        read_answer(&answer.unwrap_or_default()).map_err(|why| SignerError::Answer { program, why, complaint })
    }
}

/// Waits for the end of `child`; `None` when it had to be ended at the deadline.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // an error here means that it ended by itself just now
            drop(child.kill());
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Reads `pipe` to its end in a thread of its own, and hands over the first `keep` bytes.
fn drain(mut pipe: impl Read + Send + 'static, keep: u64) -> Receiver<Vec<u8>> {
    let (to, from) = mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        // errors end the reading; what came before them still counts
        drop(pipe.by_ref().take(keep).read_to_end(&mut kept));
        drop(io::copy(&mut pipe, &mut io::sink()));
        drop(to.send(kept));
    });
    from
}

/// `: what it said`, on one line and without control characters, or nothing.
fn complained(stderr: Option<Vec<u8>>) -> String {
    let text = String::from_utf8_lossy(&stderr.unwrap_or_default()).into_owned();
    let lines: Vec<String> = text.lines().map(str::trim).filter(|l| !l.is_empty()).map(printable).collect();
    let short: String = lines.join(" / ").chars().take(MAX_COMPLAINT as usize).collect();
    if short.is_empty() { short } else { format!(": {short}") }
}

fn printable(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}

fn read_answer(stdout: &[u8]) -> Result<[u8; 64], String> {
    let text = std::str::from_utf8(stdout).map_err(|_| "it is not text".to_owned())?.trim();
    if text.is_empty() {
        return Err("it is empty".into());
    }
    // Vault's transit engine answers `vault:v3:BASE64`
    let text = text.strip_prefix("vault:v").and_then(|rest| rest.split_once(':')).map_or(text, |t| t.1);
    let bytes = envelope::decode(text).map_err(|e| format!("it {e}"))?;
    <[u8; 64]>::try_from(bytes).map_err(|b| format!("it has {} bytes", b.len()))
}

#[cfg(test)]
#[path = "signer_tests.rs"]
mod tests;
