//! The installation's secret: 32 random bytes in `secret.key`, beside the database and never inside it.

use std::fs;
use std::io::Write;
use std::path::Path;

use hmac::{Hmac, Mac};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::Sha256;
use sqlx::Row;
use subtle::ConstantTimeEq;
use tributary_boxed::boxed;
use tributary_core::entropy::SharedEntropy;
use tributary_core::error::{Code, Error, Result};

use crate::store::{DatabaseTransaction, failed};

/// The file's name inside the data folder.
pub(crate) const SECRET_FILE: &str = "secret.key";

/// The root of every derived key. Has no `Debug`, on purpose.
pub(crate) struct InstallationSecret([u8; 32]);

impl InstallationSecret {
    /// Reads `folder/secret.key`, or makes it when there is none.
    pub fn open_or_create(folder: &Path, entropy: &SharedEntropy) -> Result<Self> {
        if folder.join(SECRET_FILE).exists() {
            return Self::open(folder);
        }
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        let secret = Self(bytes);
        secret.write_into(folder)?;
        Ok(secret)
    }

    /// Reads `folder/secret.key`.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(SECRET_FILE);
        let text = fs::read_to_string(&path).map_err(|error| {
            Error::new(
                Code::Conflict,
                format!(
                    "{} cannot be read; control.db needs the secret.key it was made with (restore both from one backup)",
                    path.display()
                ),
            )
            .caused_by(error)
        })?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|error| {
            Error::new(Code::Conflict, format!("{} must hold 64 hexadecimal digits", path.display())).caused_by(error)
        })?;
        warn_if_readable_by_others(&path);
        Ok(Self(bytes))
    }

    /// Writes `folder/secret.key` for its owner only, whole or not at all. An existing one is left and refused.
    pub fn write_into(&self, folder: &Path) -> Result<()> {
        let path = folder.join(SECRET_FILE);
        let cannot = |error: std::io::Error| Error::internal(format!("{} could not be written", path.display())).caused_by(error);
        let draft = folder.join("secret.key.new");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft).map_err(cannot)?;
        writeln!(file, "{}", hex::encode(self.0)).and_then(|()| file.sync_all()).map_err(cannot)?;
        // A hard link, not a rename: it fails where a rename would overwrite.
        fs::hard_link(&draft, &path).map_err(cannot)?;
        fs::remove_file(&draft).map_err(cannot)?;
        sync_folder(folder)
    }

    /// HMAC-SHA256 of `purpose` under this secret.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        keyed_hash(&self.0, purpose.as_bytes())
    }

    /// Leaves a mark in a new database by which this secret is known again.
    #[boxed]
    pub async fn mark(&self, transaction: &mut DatabaseTransaction) -> Result<()> {
        sqlx::query("INSERT INTO installation (name, value) VALUES ('secret_mark', $1)")
            .bind(self.own_mark())
            .execute(&mut **transaction)
            .await
            .map_err(failed("the installation's secret could not be marked"))?;
        Ok(())
    }

    /// Refuses a secret the database was not made with: every key would silently stop to verify.
    #[boxed]
    pub async fn check(&self, transaction: &mut DatabaseTransaction) -> Result<()> {
        let stored: String = sqlx::query("SELECT value FROM installation WHERE name = 'secret_mark'")
            .fetch_one(&mut **transaction)
            .await
            .and_then(|row| row.try_get("value"))
            .map_err(failed("the installation's secret could not be checked"))?;
        if bool::from(stored.as_bytes().ct_eq(self.own_mark().as_bytes())) {
            return Ok(());
        }
        Err(Error::new(Code::Conflict, "secret.key is not the one control.db was made with; restore both from one backup"))
    }

    /// Encrypts a text under a key derived for `purpose` and binds it to `place`: read at another place it does not open.
    pub fn seal(&self, purpose: &str, place: &str, text: &str, entropy: &SharedEntropy) -> String {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = text.as_bytes().to_vec();
        self.sealing_key(purpose)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut sealed)
            .expect("texts are far shorter than what the cipher can take");
        format!("{}{}", hex::encode(nonce), hex::encode(sealed))
    }

    /// Decrypts what [`InstallationSecret::seal`] made.
    pub fn unseal(&self, purpose: &str, place: &str, sealed: &str) -> Result<String> {
        let damaged = || Error::internal("a sealed secret is damaged, or was sealed under another secret.key");
        let mut bytes = hex::decode(sealed).map_err(|error| damaged().caused_by(error))?;
        let (nonce, text) = bytes.split_first_chunk_mut::<NONCE_LEN>().ok_or_else(damaged)?;
        let opened = self
            .sealing_key(purpose)
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(place.as_bytes()), text)
            .map_err(|_| damaged())?;
        String::from_utf8(opened.to_vec()).map_err(|error| damaged().caused_by(error))
    }

    fn sealing_key(&self, purpose: &str) -> LessSafeKey {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.derive(purpose)).expect("a derived key has the cipher's 32 bytes");
        LessSafeKey::new(key)
    }

    fn own_mark(&self) -> String {
        hex::encode(self.derive("tributary secret.key mark"))
    }
}

#[cfg(unix)]
fn warn_if_readable_by_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "others may read secret.key; its mode should be 0600");
    }
}

#[cfg(not(unix))]
fn warn_if_readable_by_others(_path: &Path) {}

/// HMAC-SHA256.
pub(crate) fn keyed_hash(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Makes a new name in `folder` survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        fs::File::open(folder)
            .and_then(|handle| handle.sync_all())
            .map_err(|error| Error::internal(format!("{} could not be synced", folder.display())).caused_by(error))?;
    }
    Ok(())
}
