//! Where imported rows go: a store of this process, or a server elsewhere.

use tributary_service::import::Importer;

use crate::import::remote::Remote;
use crate::import::served::Served;

/// Where imported rows go.
#[derive(Clone)]
pub enum Destination {
    /// A workspace of a store this process holds.
    Store(Importer),
    /// A workspace of the server that owns the data folder.
    Owner(Served),
    /// A workspace of a running server elsewhere.
    Server(Remote),
}
