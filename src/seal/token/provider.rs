//! Who checks a token's signature: ring for RSA and ECDSA, our own strict Ed25519.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature as alg;

/// What one algorithm is checked by.
enum Check {
    Rsa(&'static alg::RsaParameters),
    Ecdsa(&'static dyn alg::VerificationAlgorithm),
    Ed25519,
}

fn check(algorithm: Algorithm) -> Option<Check> {
    Some(match algorithm {
        Algorithm::RS256 => Check::Rsa(&alg::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Check::Rsa(&alg::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Check::Rsa(&alg::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Check::Rsa(&alg::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Check::Rsa(&alg::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Check::Rsa(&alg::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => Check::Ecdsa(&alg::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Check::Ecdsa(&alg::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Check::Ed25519,
        // a shared secret (HS256 …) proves nothing to a third party
        _ => return None,
    })
}

/// Whether signatures of this kind are checked at all.
pub(super) fn accepts(algorithm: Algorithm) -> bool {
    check(algorithm).is_some()
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    // for what we never ask: keys out of private keys, thumbprints
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes this the process's provider. An error means that it is already.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

/// Nothing here signs tokens.
fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    Ok(Box::new(Ours { algorithm: *algorithm, key: key.kind().clone() }))
}

struct Ours {
    algorithm: Algorithm,
    key: DecodingKeyKind,
}

impl JwtVerifier for Ours {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Ours {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let holds = match (check(self.algorithm), &self.key) {
            (Some(Check::Rsa(parameters)), DecodingKeyKind::RsaModulusExponent { n, e }) => {
                alg::RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
            (Some(Check::Ecdsa(algorithm)), DecodingKeyKind::SecretOrDer(point)) => {
                alg::UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok()
            }
            (Some(Check::Ed25519), DecodingKeyKind::SecretOrDer(point)) => ed25519(point, message, signature),
            _ => false,
        };
        if holds { Ok(()) } else { Err(signature::Error::new()) }
    }
}

fn ed25519(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = <[u8; 32]>::try_from(point).ok().and_then(|p| ed25519_dalek::VerifyingKey::from_bytes(&p).ok());
    let signature = ed25519_dalek::Signature::from_slice(signature).ok();
    key.zip(signature).is_some_and(|(key, sig)| !key.is_weak() && key.verify_strict(message, &sig).is_ok())
}
