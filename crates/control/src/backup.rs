//! A copy of the control plane that can be opened as it is, taken while it runs.

use std::path::Path;

use tributary_boxed::boxed;
use tributary_core::error::{Code, Error, Result};

use crate::control::Control;
use crate::secret::{SECRET_FILE, sync_folder};
use crate::store::DATABASE_FILE;

impl Control {
    /// Writes `into/control.db` (one consistent state of the database) and `into/secret.key`, both for their owner only and
    /// synced to disk. `into` must exist and hold neither. Whoever holds the copy can verify keys and forge the audit log's
    /// seal: keep it as safe as the data folder.
    #[boxed]
    pub async fn backup(&self, into: &Path) -> Result<()> {
        for name in [DATABASE_FILE, SECRET_FILE] {
            let target = into.join(name);
            if target.exists() {
                return Err(Error::new(
                    Code::Conflict,
                    format!("{} exists; a backup needs a folder without one", target.display()),
                ));
            }
        }
        self.flush().await?;
        let database = into.join(DATABASE_FILE);
        self.inner.store.copy_to(&database).await?;
        // VACUUM INTO leaves syncing to us.
        std::fs::File::open(&database)
            .and_then(|file| file.sync_all())
            .map_err(|error| Error::internal("the copy of control.db could not be synced").caused_by(error))?;
        self.inner.secret.write_into(into)?;
        sync_folder(into)
    }
}
