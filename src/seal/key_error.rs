//! Why a key was not read, and the way out.

use pkcs8::ObjectIdentifier;

/// Why a key was not read. No message holds any of its secret bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// Not PEM and not an `ssh-ed25519` line.
    #[error("it is not a PEM key. Make one with `vouchsafe key new` or `openssl genpkey -algorithm ed25519`")]
    NotPem,
    /// OpenSSH's own private format.
    #[error(
        "it is an OpenSSH private key, which outside verifiers cannot use. OpenSSL cannot convert an Ed25519 one (nor can `ssh-keygen -p -m PKCS8`): make a key with `openssl genpkey -algorithm ed25519`"
    )]
    OpenSsh,
    /// Another algorithm.
    #[error("it is a key for {0}; records are signed with Ed25519. Make one with `openssl genpkey -algorithm ed25519`")]
    OtherAlgorithm(String),
    /// A public key where a private one is needed.
    #[error("it is a public key, and signing needs the private one")]
    PublicGiven,
    /// A private key where a public one is needed.
    #[error(
        "it is a private key, and only the public one belongs here. Take it out with `openssl pkey -in KEY -pubout`"
    )]
    PrivateGiven,
    /// A certificate where a key is needed.
    #[error("it is a certificate, not a key. Take its public key out with `openssl x509 -in CERT -pubkey -noout`")]
    Certificate,
    /// An encrypted key and no passphrase.
    #[error("it is encrypted, and no passphrase was given")]
    PassphraseMissing,
    /// An encrypted key and another key's passphrase.
    #[error("it is encrypted, and the passphrase does not open it")]
    WrongPassphrase,
    /// A public key under which anybody can sign.
    #[error("it is a weak key (a point of small order): anybody can make signatures that it accepts")]
    Weak,
    /// A format or cipher that is not read.
    #[error("it is {0}")]
    Unsupported(String),
    /// Damaged.
    #[error("{0}")]
    Malformed(String),
}

/// Why a block with that PEM label is not the wanted key. `opposite` is said of a key of the other side.
pub(super) fn wrong_label(label: &str, opposite: KeyError) -> KeyError {
    let private_wanted = opposite == KeyError::PublicGiven;
    match label {
        "OPENSSH PRIVATE KEY" if private_wanted => KeyError::OpenSsh,
        "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" | "OPENSSH PRIVATE KEY" if !private_wanted => opposite,
        "PUBLIC KEY" => opposite,
        "RSA PRIVATE KEY" | "RSA PUBLIC KEY" => KeyError::OtherAlgorithm("RSA".into()),
        "EC PRIVATE KEY" | "EC PARAMETERS" => KeyError::OtherAlgorithm("ECDSA".into()),
        "DSA PRIVATE KEY" => KeyError::OtherAlgorithm("DSA".into()),
        "CERTIFICATE" | "TRUSTED CERTIFICATE" => KeyError::Certificate,
        "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => KeyError::Unsupported(
            "a cosign private key, whose format only cosign reads. Make one with `openssl genpkey -algorithm ed25519`"
                .into(),
        ),
        other => KeyError::Unsupported(format!("a PEM block of type {:?}", other.chars().take(40).collect::<String>())),
    }
}

/// Refuses every algorithm but Ed25519 (RFC 8410 section 3), by the name that people know it by.
pub(super) fn ed25519_only(oid: ObjectIdentifier) -> Result<(), KeyError> {
    let name = match oid.to_string().as_str() {
        "1.3.101.112" => return Ok(()),
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => "RSA".to_owned(),
        "1.2.840.10045.2.1" => "ECDSA".to_owned(),
        "1.3.101.110" => "X25519, which cannot sign".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        other => format!("algorithm {other}"),
    };
    Err(KeyError::OtherAlgorithm(name))
}
