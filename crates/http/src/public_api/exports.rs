//! `/public-api/v1/{events,contacts,companies}/exports`: begun, asked after; and the file behind a signed link.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tributary_control::ExportKind;
use tributary_core::error::{Code, Error, Result};
use tributary_service::exports::MAX_EXPORT_BODY;
use tributary_service::rate::Route;

use super::{PublicRefusal, base_url, enter, id_in};
use crate::auth::Entry;
use crate::body::{self, Media};
use crate::params::Params;
use crate::router::AppState;

/// Bytes of a file sent at once.
const CHUNK_BYTES: usize = 64 * 1024;

macro_rules! doors {
    ($($kind:ident $create:ident $state_of:ident;)*) => {$(
        pub(crate) async fn $create(State(state): State<AppState>, request: Request) -> Result<Response, PublicRefusal> {
            create(&state, request, ExportKind::$kind).await
        }

        pub(crate) async fn $state_of(
            State(state): State<AppState>,
            Path(id): Path<String>,
            request: Request,
        ) -> Result<Response, PublicRefusal> {
            state_of(&state, &id, request, ExportKind::$kind).await
        }
    )*};
}

doors! {
    Events events state_of_events;
    Contacts contacts state_of_contacts;
    Companies companies state_of_companies;
}

async fn create(state: &AppState, request: Request, kind: ExportKind) -> Result<Response, PublicRefusal> {
    let (parts, body) = request.into_parts();
    let entered = enter(state, &parts, Entry::Lookup, Route::CreateExport).await?;
    let body = body::read(&parts, body, Media::Json, MAX_EXPORT_BODY).await?;
    let queued = state.service.create_export(entered.access()?, kind, &body).await?;
    Ok(entered.answer(StatusCode::ACCEPTED, queued))
}

async fn state_of(state: &AppState, id: &str, request: Request, kind: ExportKind) -> Result<Response, PublicRefusal> {
    let (mut parts, _) = request.into_parts();
    let entered = enter(state, &parts, Entry::Lookup, Route::GetExport).await?;
    Params::read(&parts.uri, &[])?.finish()?;
    let base_url = base_url(state, &mut parts).await;
    let export = state.service.export_state(entered.access()?, kind, id_in(id, "export")?, &base_url).await?;
    Ok(entered.answer(StatusCode::OK, export))
}

/// The file. No key: whoever has the link has been given it within the last quarter of an hour.
pub(crate) async fn file(
    State(state): State<AppState>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, PublicRefusal> {
    let (parts, _) = request.into_parts();
    let mut params = Params::read(&parts.uri, &["expires", "signature"])?;
    let expires = params.required("expires", "the link as it was given");
    let signature = params.required("signature", "the link as it was given");
    params.finish()?;
    let no_link = || Error::new(Code::NotFound, "the link is not good; use it as it was given");
    let expires_s = expires.parse().map_err(|_| no_link())?;
    let (path, name) = state.service.export_file(id_in(&id, "export")?, expires_s, &signature).await?;
    let gone = |error: std::io::Error| Error::new(Code::NotFound, "the file is gone; ask for the export again").caused_by(error);
    let file = File::open(path).await.map_err(gone)?;
    let length = file.metadata().await.map_err(gone)?.len();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/gzip"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    Ok((headers, Body::from_stream(stream::try_unfold(file, next_chunk))).into_response())
}

async fn next_chunk(mut file: File) -> std::io::Result<Option<(Bytes, File)>> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let read = file.read(&mut chunk).await?;
    chunk.truncate(read);
    Ok((read > 0).then(|| (Bytes::from(chunk), file)))
}
