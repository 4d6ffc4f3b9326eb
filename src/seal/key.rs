//! Ed25519 keys: PKCS#8 and SPKI in PEM (RFC 5958, RFC 8410), and the names that outside clients know them by.

pub(crate) use super::key_error::KeyError;
use super::key_error::{ed25519_only, wrong_label};
use super::pem;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ed25519_dalek::pkcs8::spki::SubjectPublicKeyInfoRef;
use ed25519_dalek::pkcs8::{EncodePrivateKey as _, KeypairBytes, PrivateKeyInfoRef, PublicKeyBytes};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding};
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// PBKDF2-HMAC-SHA256 rounds of a key that we encrypt (OWASP, Password Storage Cheat Sheet).
const ROUNDS: u32 = 600_000;
/// The most work that a key file may ask of us: about 10 s, and 256 MiB.
const MAX_ROUNDS: u32 = 10_000_000;
const MAX_SCRYPT_BYTES: u64 = 256 << 20;

/// An Ed25519 public key that is not weak.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads `-----BEGIN PUBLIC KEY-----` or one `ssh-ed25519 AAAA… comment` line.
    pub(crate) fn parse(text: &str) -> Result<Self, KeyError> {
        if let Some(rest) = text.trim().strip_prefix("ssh-ed25519 ") {
            return Self::from_ssh(rest);
        }
        if let Some(other) =
            text.trim().split_once(' ').map(|t| t.0).filter(|t| t.starts_with("ssh-") || t.starts_with("ecdsa-"))
        {
            return Err(KeyError::OtherAlgorithm(other.chars().take(40).collect()));
        }
        let (label, der) = pem::block(text)?;
        match label {
            "PUBLIC KEY" => {}
            "RSA PUBLIC KEY" => return Err(KeyError::OtherAlgorithm("RSA".into())),
            other => return Err(wrong_label(other, KeyError::PrivateGiven)),
        }
        let info = SubjectPublicKeyInfoRef::try_from(der.as_slice())
            .map_err(|e| KeyError::Malformed(format!("its DER is damaged: {e}")))?;
        ed25519_only(info.algorithm.oid)?;
        let bytes =
            PublicKeyBytes::try_from(info).map_err(|e| KeyError::Malformed(format!("its DER is damaged: {e}")))?;
        Self::from_bytes(&bytes.0)
    }

    fn from_ssh(rest: &str) -> Result<Self, KeyError> {
        let malformed = || KeyError::Malformed("its ssh-ed25519 line is damaged".into());
        let encoded = rest.split_whitespace().next().ok_or_else(malformed)?;
        let wire = STANDARD.decode(encoded).map_err(|_| malformed())?;
        let key = wire.strip_prefix(SSH_PREFIX).and_then(|k| <[u8; 32]>::try_from(k).ok()).ok_or_else(malformed)?;
        Self::from_bytes(&key)
    }

    /// Reads the 32 bytes of RFC 8032; refuses what is no point, and points of small order.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes)
            .map_err(|_| KeyError::Malformed("it is not a point of the curve".into()))?;
        // under the identity point every client tried accepts a forgery of any statement
        if key.is_weak() { Err(KeyError::Weak) } else { Ok(Self(key)) }
    }

    /// The 32 bytes of RFC 8032.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// `-----BEGIN PUBLIC KEY-----`, as every client reads it.
    pub(crate) fn to_pem(&self) -> String {
        let mut out = String::from("-----BEGIN PUBLIC KEY-----\n");
        out.push_str(&STANDARD.encode(self.spki_der()));
        out.push_str("\n-----END PUBLIC KEY-----\n");
        out
    }

    /// The keyid: OpenSSH's fingerprint, `SHA256:` and unpadded base64, as `ssh-keygen -lf` prints it.
    ///
    /// The only form that cosign 3 bundles and securesystemslib both accept.
    pub(crate) fn keyid(&self) -> String {
        let digest = Sha256::new().chain_update(SSH_PREFIX).chain_update(self.0.as_bytes()).finalize();
        format!("SHA256:{}", STANDARD_NO_PAD.encode(digest))
    }

    /// The bundle's hint: `base64(sha256(SPKI DER))`, cosign's convention.
    pub(crate) fn hint(&self) -> String {
        STANDARD.encode(Sha256::digest(self.spki_der()))
    }

    /// Whether `sig` is this key's pure Ed25519 signature of `message`, strictly (RFC 8032, no small-order parts).
    pub(crate) fn verify(&self, message: &[u8], sig: &[u8]) -> bool {
        Signature::from_slice(sig).is_ok_and(|sig| self.0.verify_strict(message, &sig).is_ok())
    }

    fn spki_der(&self) -> Vec<u8> {
        // RFC 8410 section 4: the same 12 bytes before every Ed25519 key
        let prefix = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
        [&prefix[..], self.0.as_bytes()].concat()
    }
}

/// RFC 8709 section 4: string "ssh-ed25519", then the length of the key that follows.
const SSH_PREFIX: &[u8] = b"\0\0\0\x0bssh-ed25519\0\0\0\x20";

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.keyid())
    }
}

/// An Ed25519 private key. Wiped from memory when dropped; never printed.
pub(crate) struct PrivateKey(SigningKey);

impl PrivateKey {
    /// The key of a seed: 32 bytes from the system's random generator.
    pub(crate) fn generate(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// Reads PKCS#8 v1 or v2 in PEM, encrypted or not. `passphrase` is not looked at when the key is not encrypted.
    pub(crate) fn parse(text: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        if text.trim_start().starts_with("ssh-") {
            return Err(KeyError::PublicGiven);
        }
        let (label, der) = pem::block(text)?;
        match label {
            "PRIVATE KEY" => Self::from_der(&der),
            "ENCRYPTED PRIVATE KEY" => Self::from_der(&decrypt(&der, passphrase.ok_or(KeyError::PassphraseMissing)?)?),
            other => Err(wrong_label(other, KeyError::PublicGiven)),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        // no cause in these messages: a cause might quote what it read
        let damaged = || KeyError::Malformed("its PKCS#8 is damaged".into());
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| damaged())?;
        ed25519_only(info.algorithm.oid)?;
        let pair = KeypairBytes::try_from(info).map_err(|_| damaged())?;
        // checks a public half that v2 carries against the private one
        let key = SigningKey::try_from(&pair)
            .map_err(|_| KeyError::Malformed("its public half belongs to another key".into()))?;
        Ok(Self(key))
    }

    /// The public half.
    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The pure Ed25519 signature of `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// PKCS#8 **v1** in PEM. OpenSSL 3.0, Python and node do not read the v2 that dalek would write.
    pub(crate) fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let wrong = |_| KeyError::Malformed("could not encode the key".into());
        self.pair().to_pkcs8_pem(LineEnding::LF).map_err(wrong)
    }

    /// PKCS#8 in PEM, encrypted with PBKDF2-HMAC-SHA256 and AES-256-CBC: what OpenSSL writes, with more rounds.
    ///
    /// `random` becomes salt and initialization vector; take fresh bytes for every call.
    pub(crate) fn to_encrypted_pem(&self, passphrase: &str, random: [u8; 32]) -> Result<String, KeyError> {
        let wrong = || KeyError::Malformed("could not encrypt the key".into());
        if passphrase.is_empty() {
            return Err(KeyError::PassphraseMissing);
        }
        let mut salt = [0u8; 16];
        let mut iv = [0u8; 16];
        salt.iter_mut().chain(iv.iter_mut()).zip(random).for_each(|(to, from)| *to = from);
        let parameters = Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, iv).map_err(|_| wrong())?;
        let plain = self.pair().to_pkcs8_der().map_err(|_| wrong())?;
        let info = PrivateKeyInfoRef::try_from(plain.as_bytes()).map_err(|_| wrong())?;
        let secret = info.encrypt_with_params(parameters, passphrase).map_err(|_| wrong())?;
        let pem = secret.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).map_err(|_| wrong())?;
        Ok(pem.as_str().to_owned())
    }

    fn pair(&self) -> KeypairBytes {
        KeypairBytes { secret_key: self.0.to_bytes(), public_key: None }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {})", self.public().keyid())
    }
}

fn decrypt(der: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unsupported = || {
        KeyError::Unsupported(
            "encrypted in a way that is not read. Convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW"
                .into(),
        )
    };
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| unsupported())?;
    let parameters = info.encryption_algorithm.pbes2().ok_or_else(unsupported)?;
    // the file names its own price; an honest one is far below this
    let dear = match &parameters.kdf {
        Kdf::Pbkdf2(p) => p.iteration_count > MAX_ROUNDS,
        Kdf::Scrypt(p) => {
            let cost = u128::from(p.cost_parameter) * u128::from(p.block_size) * 128;
            cost > u128::from(MAX_SCRYPT_BYTES) || p.parallelization > 16
        }
        _ => return Err(unsupported()),
    };
    if dear {
        return Err(KeyError::Unsupported("encrypted with more rounds than any honest key asks for".into()));
    }
    // a wrong passphrase shows as bad padding, or once in 256 as bytes that are no DER
    let plain = info.decrypt(passphrase).map_err(|e| match e {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::UnsupportedAlgorithm { .. }) => unsupported(),
        _ => KeyError::WrongPassphrase,
    })?;
    Ok(plain.to_bytes())
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
