//! The only place that makes HTTP clients.

use reqwest::{Client, ClientBuilder, redirect};
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use tributary_core::error::{Error, Result};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one request to a Tributary server may take, its answer included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// How long an operator's request may take: a backup or a forced erasure rewrites files.
const OPERATOR_TIMEOUT: Duration = Duration::from_secs(3_600);

/// A client for a Tributary server's public API, as `import --url` uses it. Follows no redirects, so that a key is never
/// sent to another host.
pub fn server() -> Result<Client> {
    build(builder().timeout(REQUEST_TIMEOUT))
}

/// A client whose every connection is the operator socket of a running server.
pub fn operator(socket: &Path) -> Result<Client> {
    build(builder().timeout(OPERATOR_TIMEOUT).unix_socket(socket))
}

fn builder() -> ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    #[expect(clippy::disallowed_methods, reason = "this is the one module that outgoing HTTP goes through")]
    Client::builder().connect_timeout(CONNECT_TIMEOUT).redirect(redirect::Policy::none()).no_proxy()
}

fn build(builder: ClientBuilder) -> Result<Client> {
    builder.build().map_err(|error| Error::internal("the HTTP client cannot be built").caused_by(error))
}
