//! Connections of the public listener, with bounds: how many, how long a request may take to arrive and to be answered.

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::stopped;

/// Longest time a request's head may take to arrive; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after a failed accept, which is nearly always a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The bounds that are configured.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections open at the same time.
    pub most: u32,
    /// Longest time from a request's head to the begin of its answer, its body's arrival included. Questions end by themselves
    /// before.
    pub request_timeout: Duration,
}

/// Accepts connections until told to stop, a bounded number at a time (the next ones wait in the system's queue), and returns
/// when the last one has ended. Dropping the future cuts them off. A client that closes its connection cancels its request.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stopping: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(bounds.most as usize));
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            () = stopped(stopping.clone()) => break,
        };
        let (permit, stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (router, stopping) = (router.clone(), stopping.clone());
        open.spawn(async move {
            connection(stream, peer, router, bounds.request_timeout, stopping).await;
            drop(permit);
        });
        // Ended tasks are forgotten here, so that the set holds open connections only.
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> std::io::Result<(tokio::sync::OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let permit = permits.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Answers are small and written at once; waiting to fill packets only delays them.
    stream.set_nodelay(true)?;
    Ok((permit, stream, peer))
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, timeout: Duration, stopping: watch::Receiver<bool>) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        answer(router.clone(), request, timeout)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(router: Router, request: Request<Incoming>, timeout: Duration) -> Result<Response, Infallible> {
    match tokio::time::timeout(timeout, router.oneshot(request)).await {
        Ok(answered) => answered,
        Err(_) => {
            let text = r#"{"error":"request_timeout","message":"the request took too long to arrive or to be answered"}"#;
            Ok((StatusCode::REQUEST_TIMEOUT, [(header::CONTENT_TYPE, "application/json")], text).into_response())
        }
    }
}
