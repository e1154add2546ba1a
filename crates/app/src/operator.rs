//! The command line's way to the operator API: the same router, in this process or behind the server's socket.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt;

use tributary_core::error::{Error, Result};
use tributary_http::admin::{self, Refusal};
use tributary_service::rate::RateSettings;
use tributary_service::service::{Service, Settings};

use crate::client;
use crate::folder::owned::Owned;
use crate::folder::owner::Owner;
use crate::globals::Globals;
use crate::store::FolderStore;

/// Longest answer read, bytes.
const MAX_ANSWER_BYTES: usize = 1 << 30;

/// Calls the operator API.
pub struct Operator {
    way: Way,
}

enum Way {
    Inside(axum::Router),
    Socket(reqwest::Client),
}

impl Operator {
    /// The router of a folder this process owns.
    pub fn inside(owned: &Owned, globals: &Globals) -> Self {
        Self { way: Way::Inside(router(owned, globals, &globals.base_url())) }
    }

    /// The socket of the server that owns the folder.
    pub fn over(owner: &Owner) -> Result<Self> {
        let socket = owner.socket.as_ref().ok_or_else(|| Error::internal("the folder's owner has no operator socket"))?;
        Ok(Self { way: Way::Socket(client::operator(socket)?) })
    }

    /// `GET`.
    pub async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A> {
        self.call(Method::GET, path, Bytes::new()).await
    }

    /// `DELETE`.
    pub async fn delete<A: DeserializeOwned>(&self, path: &str) -> Result<A> {
        self.call(Method::DELETE, path, Bytes::new()).await
    }

    /// `POST` with a JSON body.
    pub async fn post<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A> {
        self.post_json(path, json(body)?).await
    }

    /// `POST` with a body that is JSON already.
    pub async fn post_json<A: DeserializeOwned>(&self, path: &str, body: Bytes) -> Result<A> {
        self.call(Method::POST, path, body).await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A> {
        self.call(Method::PATCH, path, json(body)?).await
    }

    async fn call<A: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<A> {
        let (status, answer) = match &self.way {
            Way::Inside(router) => inside(router.clone(), method, path, body).await?,
            Way::Socket(client) => over(client, method, path, body).await?,
        };
        let unreadable = |error: serde_json::Error| Error::internal("the operator API's answer is not readable").caused_by(error);
        if status.is_success() {
            return serde_json::from_slice(&answer).map_err(unreadable);
        }
        let refusal: Refusal = serde_json::from_slice(&answer).map_err(unreadable)?;
        Err(refusal.into_error())
    }
}

/// The operator API of a folder this process owns.
pub fn router(owned: &Owned, globals: &Globals, base_url: &str) -> axum::Router {
    // Whoever asks here owns the machine: no rate limits. Exports are the server's.
    let settings = Settings {
        rates: RateSettings { enforce: false, ..RateSettings::default() },
        budget: globals.config.engine.budget(),
        exports_folder: None,
    };
    let service =
        Service::new(owned.control.clone(), owned.events.clone(), owned.pipeline.clone(), globals.clock.clone(), settings);
    admin::router(admin::Operator {
        service: Arc::new(service),
        control: owned.control.clone(),
        store: FolderStore::of(owned, globals),
        clock: globals.clock.clone(),
        base_url: base_url.to_owned(),
    })
}

/// Makes one segment of a path out of any text, so that a name with a slash stays one segment.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

async fn inside(router: axum::Router, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes)> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .map_err(|error| Error::internal("the operator request cannot be built").caused_by(error))?;
    let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    let status = response.status();
    let answer = to_bytes(response.into_body(), MAX_ANSWER_BYTES)
        .await
        .map_err(|error| Error::internal("the operator API's answer is too long").caused_by(error))?;
    Ok((status, answer))
}

async fn over(client: &reqwest::Client, method: Method, path: &str, body: Bytes) -> Result<(StatusCode, Bytes)> {
    let lost = |error: reqwest::Error| {
        Error::internal("the server that owns the data folder did not answer; see its log").caused_by(error.without_url())
    };
    // The host is a formality: every connection is the socket.
    let request = client.request(method, format!("http://operator{path}")).header(header::CONTENT_TYPE, "application/json");
    let response = request.body(body).send().await.map_err(lost)?;
    Ok((response.status(), response.bytes().await.map_err(lost)?))
}

/// A body as JSON.
pub(crate) fn json(body: &impl Serialize) -> Result<Bytes> {
    serde_json::to_vec(body).map(Bytes::from).map_err(|error| Error::internal("the request does not serialize").caused_by(error))
}
