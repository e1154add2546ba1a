//! Tokens as text: `{kind}_{env}_{prefix}_{secret}`. Reading one, making one, hashing its secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use tributary_core::credential::KeyKind;
use tributary_core::entropy::SharedEntropy;
use tributary_core::error::{Code, Error, Result};

use crate::secret::{InstallationSecret, keyed_hash};

/// The one environment there is.
pub(crate) const ENV: &str = "live";
/// Longest token looked at, bytes. Ours are 60.
const MAX_TOKEN_BYTES: usize = 256;
/// Random bytes behind a secret.
const SECRET_BYTES: usize = 32;

/// A token taken apart; nothing about it is verified yet.
#[derive(Clone, Copy)]
pub(crate) struct Token<'t> {
    pub kind: KeyKind,
    pub env: &'t str,
    pub prefix: &'t str,
    pub secret: &'t str,
}

impl<'t> Token<'t> {
    /// Splits on the first three underscores only: the secret's alphabet contains `_` and `-`.
    pub fn parse(text: &'t str) -> Result<Self> {
        let malformed = || {
            Error::new(Code::MalformedApiKey, "the key must have the shape kind_env_prefix_secret, with kind pk, sk, rk or ak")
        };
        if text.len() > MAX_TOKEN_BYTES {
            return Err(malformed());
        }
        let mut parts = text.splitn(4, '_');
        let mut part = || parts.next().filter(|part| !part.is_empty());
        match (part().and_then(KeyKind::from_prefix), part(), part(), part()) {
            (Some(kind), Some(env), Some(prefix), Some(secret)) => Ok(Token { kind, env, prefix, secret }),
            _ => Err(malformed()),
        }
    }
}

/// What a new key is made of.
pub(crate) struct FreshToken {
    /// Eight lowercase hexadecimal digits.
    pub prefix: String,
    /// The whole token: shown once, never stored.
    pub token: String,
    /// What is stored.
    pub secret_hash: [u8; 32],
}

/// Keys secret hashes with something the database does not contain.
pub(crate) struct Pepper([u8; 32]);

impl Pepper {
    pub fn new(secret: &InstallationSecret) -> Self {
        Self(secret.derive("tributary api key pepper"))
    }

    /// Draws a new token of `kind`.
    pub fn draw(&self, kind: KeyKind, entropy: &SharedEntropy) -> FreshToken {
        let (mut prefix, mut secret) = ([0; 4], [0; SECRET_BYTES]);
        entropy.fill(&mut prefix);
        entropy.fill(&mut secret);
        let (prefix, secret) = (hex::encode(prefix), URL_SAFE_NO_PAD.encode(secret));
        let token = format!("{}_{ENV}_{prefix}_{secret}", kind.as_str());
        FreshToken { prefix, token, secret_hash: self.hash(&secret) }
    }

    /// HMAC-SHA256 of the secret's text.
    pub fn hash(&self, secret: &str) -> [u8; 32] {
        keyed_hash(&self.0, secret.as_bytes())
    }

    /// Compares in constant time.
    pub fn verifies(&self, secret: &str, stored: &[u8; 32]) -> bool {
        self.hash(secret).ct_eq(stored).into()
    }
}
