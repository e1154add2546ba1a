//! Serving a data folder: public listener, operator socket, timers, graceful shutdown.

mod connections;
mod socket;

use std::future::IntoFuture;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tributary_control::{Control, normalise_origin};
use tributary_core::error::{Code, Error, Result};
use tributary_core::time::SECOND_US;
use tributary_http::router::{AppState, router};
use tributary_http::settings::Settings;
use tributary_service::service::{Service, Settings as ServiceSettings};

use crate::config::Config;
use crate::config::check::listen_address;
use crate::folder::owned::{EXPORTS_FOLDER, Owned};
use crate::folder::owner::Owner;
use crate::globals::Globals;
use crate::operator;
use socket::OperatorSocket;

/// How often usage counters and keys' last use are written.
const FLUSH_EVERY: Duration = Duration::from_secs(5);

/// How often retention is applied, by the clock.
const RETAIN_EVERY_US: i64 = 3_600 * SECOND_US;
/// How often the clock is looked at for that: a machine that slept catches up at once.
const CLOCK_LOOK: Duration = Duration::from_secs(60);
/// What a request may take beside its question's wait and its question: its body's arrival, its answer's making.
const REQUEST_ALLOWANCE: Duration = Duration::from_secs(60);

/// A server that has begun to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The address clients use, without a slash at the end.
    pub url: String,
    /// The address listened on.
    pub address: SocketAddr,
}

/// Serves `owned` until SIGINT or SIGTERM, then stops accepting, lets requests under way finish, writes everything out and
/// closes the folder. `announce` is called once the server answers.
pub async fn serve(owned: Owned, globals: &Globals, announce: impl FnOnce(&Ready) -> Result<()>) -> Result<()> {
    let served = run(&owned, globals, announce).await;
    Owner::this_process().write(&owned.root)?;
    let closed = owned.close().await;
    tracing::info!("stopped");
    served.and(closed)
}

async fn run(owned: &Owned, globals: &Globals, announce: impl FnOnce(&Ready) -> Result<()>) -> Result<()> {
    let config = &globals.config;
    let listener = bind(&config.server.listen).await?;
    let address = listener.local_addr().map_err(|error| Error::internal("the listener has no address").caused_by(error))?;
    let url = config.server.public_url.clone().unwrap_or_else(|| format!("http://{}", reachable(address)));
    let service = Arc::new(service(owned, globals));
    let state = AppState::open(service.clone(), settings(config)?)?;
    let socket = OperatorSocket::bind(&owned.root)?;
    let stopping = stop_signal()?;

    Owner { pid: std::process::id(), socket: Some(socket.path.clone()), url: Some(url.clone()) }.write(&owned.root)?;
    let pipeline = owned.pipeline.clone();
    // The first visitor should not wait for the tables; nobody waits for this.
    let _warming = tokio::task::spawn_blocking(move || pipeline.warm());
    let flushing = tokio::spawn(flush_regularly(owned.control.clone()));
    let retaining = tokio::spawn(retain_regularly(service.clone()));
    let exporting = tokio::spawn(service.run_exports());

    let bounds = connections::Bounds {
        most: config.server.max_connections,
        request_timeout: REQUEST_ALLOWANCE + 2 * Duration::from_secs(config.engine.question_max_seconds),
    };
    let public = connections::serve(listener, router(state.clone()), bounds, stopping.clone());
    let operators = operator::router(owned, globals, &url);
    let operators = axum::serve(socket.listener, operators).with_graceful_shutdown(stopped(stopping.clone()));
    tracing::info!(%address, url, "serving {}", owned.root.display());
    announce(&Ready { url, address })?;

    let grace = Duration::from_secs(config.server.shutdown_grace_seconds);
    let deadline = async {
        stopped(stopping).await;
        state.draining.store(true, Ordering::Relaxed);
        tracing::info!("stopping: no new connections, up to {} s for requests under way", grace.as_secs());
        tokio::time::sleep(grace).await;
    };
    let finished = tokio::select! {
        ((), finished) = async { tokio::join!(public, operators.into_future()) } => finished,
        () = deadline => {
            tracing::warn!("requests still under way after {} s are cut off", grace.as_secs());
            Ok(())
        }
    };
    flushing.abort();
    retaining.abort();
    exporting.abort();
    finished.map_err(|error| Error::internal("the operator socket failed").caused_by(error))
}

fn service(owned: &Owned, globals: &Globals) -> Service {
    let config = &globals.config;
    let settings = ServiceSettings {
        rates: config.limits.rates(),
        budget: config.engine.budget(),
        exports_folder: Some(owned.root.join(EXPORTS_FOLDER)),
    };
    Service::new(owned.control.clone(), owned.events.clone(), owned.pipeline.clone(), globals.clock.clone(), settings)
}

fn settings(config: &Config) -> Result<Settings> {
    let server = &config.server;
    Ok(Settings {
        public_url: server.public_url.clone(),
        trusted_proxies: server.trusted_proxies.iter().map(|network| network.parse()).collect::<Result<_>>()?,
        mcp_origins: server.allowed_origins.iter().map(|origin| normalise_origin(origin)).collect::<Result<_>>()?,
        secret_keys_read: server.secret_keys_read,
    })
}

async fn bind(listen: &str) -> Result<TcpListener> {
    let address = listen_address(listen)?;
    TcpListener::bind(address).await.map_err(|error| {
        Error::new(
            Code::Conflict,
            format!("cannot listen on {address}; name another address with --listen, port 0 takes a free one"),
        )
        .caused_by(error)
    })
}

/// Where a local client reaches a listener on every interface.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Turns true with the first SIGINT or SIGTERM.
fn stop_signal() -> Result<watch::Receiver<bool>> {
    let failed = |error: std::io::Error| Error::internal("signals cannot be received").caused_by(error);
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?);
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // Nobody listens only when the server has ended already.
        let _ = sender.send(true);
    });
    Ok(receiver)
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means the signal task is gone, which happens only at the end of the process.
    let _ = stopping.wait_for(|stop| *stop).await;
}

async fn flush_regularly(control: Control) {
    let mut ticks = tokio::time::interval(FLUSH_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = control.flush().await {
            tracing::error!(error = %error.chain(), "usage counters could not be written; they are kept and tried again");
        }
    }
}

async fn retain_regularly(service: Arc<Service>) {
    let mut ticks = tokio::time::interval(CLOCK_LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last_us = None;
    loop {
        ticks.tick().await;
        let now_us = service.clock.now_us();
        // A clock that was set back is no reason to wait longer.
        if last_us.is_some_and(|last_us: i64| (last_us..last_us.saturating_add(RETAIN_EVERY_US)).contains(&now_us)) {
            continue;
        }
        last_us = Some(now_us);
        match service.apply_retention().await {
            Ok(round) => tracing::debug!(round.applied, round.failed, "retention applied"),
            Err(error) => tracing::error!(error = %error.chain(), "retention could not be applied; it is tried again"),
        }
    }
}
