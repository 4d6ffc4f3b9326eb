//! What must not be printed.

use zeroize::Zeroizing;

/// A password or token: wiped when dropped, and never printed, for it has neither `Debug` nor `Display`.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret over.
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for a header or a child's input. Not for a message.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(Self::new)
    }
}

/// The value of a request header.
pub(crate) enum Header<'a> {
    /// Anybody may see it.
    Plain(&'a str),
    /// Only the host that was asked may see it: it does not follow a redirect to another origin.
    Secret(&'a Secret),
}
