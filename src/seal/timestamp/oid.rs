//! Object identifiers, as they stand in DER, and what is done for them.

use ring::digest::{Algorithm, SHA256, SHA384, SHA512};
use rustls::pki_types::SignatureVerificationAlgorithm as Verification;
use webpki::ring as alg;

/// id-signedData, RFC 5652 section 5.1.
pub(super) const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// id-ct-TSTInfo, RFC 3161 section 2.4.2.
pub(super) const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// id-contentType, RFC 5652 section 11.1.
pub(super) const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
/// id-messageDigest, RFC 5652 section 11.2.
pub(super) const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// id-aa-signingCertificate, RFC 2634 section 5.4: names the signer by SHA-1.
pub(super) const SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x0c];
/// id-aa-signingCertificateV2, RFC 5035 section 3.
pub(super) const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f];
/// id-sha256, RFC 5754 section 2.2.
pub(super) const ID_SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const ID_SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const ID_SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
/// rsaEncryption, RFC 8017 appendix A.1: as a signature algorithm it leaves the digest to `digestAlgorithm`.
pub(super) const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// id-ce-subjectKeyIdentifier, -keyUsage, -extKeyUsage; RFC 5280 section 4.2.1.
pub(super) const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
pub(super) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
pub(super) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// id-kp-timeStamping, RFC 3161 section 2.3.
pub(super) const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
/// id-at-commonName and -organizationName, RFC 5280 appendix A.
pub(super) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
pub(super) const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// A digest, and the signatures over it that ring verifies.
///
/// In one row, so that a token cannot name one digest for its contents and a weaker one for its signature.
pub(super) struct Digest {
    pub(super) oid: &'static [u8],
    pub(super) ring: &'static Algorithm,
    /// What `rsaEncryption` means with this digest.
    pub(super) rsa: &'static dyn Verification,
    pub(super) signatures: &'static [&'static dyn Verification],
}

/// SHA-1 and older are not here: who can make two messages of one digest could move a signature to another time.
/// ring has no ECDSA with SHA-512 and no P-521.
pub(super) const DIGESTS: &[Digest] = &[
    Digest {
        oid: ID_SHA256,
        ring: &SHA256,
        rsa: alg::RSA_PKCS1_2048_8192_SHA256,
        signatures: &[
            alg::ECDSA_P256_SHA256,
            alg::ECDSA_P384_SHA256,
            alg::RSA_PKCS1_2048_8192_SHA256,
            alg::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
            alg::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        ],
    },
    Digest {
        oid: ID_SHA384,
        ring: &SHA384,
        rsa: alg::RSA_PKCS1_2048_8192_SHA384,
        signatures: &[
            alg::ECDSA_P256_SHA384,
            alg::ECDSA_P384_SHA384,
            alg::RSA_PKCS1_2048_8192_SHA384,
            alg::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
            alg::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        ],
    },
    Digest {
        oid: ID_SHA512,
        ring: &SHA512,
        rsa: alg::RSA_PKCS1_2048_8192_SHA512,
        signatures: &[
            alg::RSA_PKCS1_2048_8192_SHA512,
            alg::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
            alg::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
            alg::ED25519,
        ],
    },
];

/// The digest of this name, if it is one that is trusted here.
pub(super) fn digest(oid: &[u8]) -> Option<&'static Digest> {
    DIGESTS.iter().find(|d| d.oid == oid)
}
