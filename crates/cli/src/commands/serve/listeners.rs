//! The doors of the server: one listener for each purpose, each with the routes that belong to it.

use std::path::Path;
use std::sync::Arc;

use server::accept::{Bind, Handler, House, Limits, Listener, ListenerKind, Shutdown, serve};
use server::control;
use server::deployment::Deployments;
use server::rings::Rings;
use server::routes::core::Core;
use server::routes::health::Condition;
use server::routes::live::Live;
use server::routes::{
    Control, Health, Router, RuntimeRouter, Studio, documents, health, jwks, keks, metrics, palette, ring_tokens,
    rings, secrets, studio,
};
use server::settings::Settings;
use tokio::task::JoinSet;

use crate::exit::{ExitCode, Failure};

/// Every listener, open and answering.
pub(super) struct Doors {
    addresses: Vec<String>,
    open: JoinSet<()>,
    condition: Arc<Condition>,
}

/// Opens every listener that the settings name, and the control socket of a data folder.
pub(super) fn open(
    settings: &Settings,
    folder: Option<&Path>,
    live: &Arc<Deployments>,
    rings: &Arc<Rings>,
    core: Core,
    house: House,
) -> Result<Doors, Failure> {
    let condition = Condition::with_rings(house.shutdown.clone(), Arc::clone(rings));
    let mut opening = Opening { house, addresses: Vec::new(), open: JoinSet::new() };
    let runtime = opening.door(
        "runtime",
        &settings.runtime.bind,
        RuntimeRouter::new(Live::new(Arc::clone(live))).with(jwks::routes(rings)),
    )?;
    opening.core(&settings.core.bind, core)?;
    let metrics = Arc::clone(&opening.house.metrics);
    let page = studio::routes(&runtime);
    let studio = Router::new(Studio::new(&settings.studio.hosts))
        .with(page)
        .with(palette::routes())
        .with(metrics::routes(Arc::clone(&metrics)));
    opening.door("studio", &settings.studio.bind, studio)?;
    let health = Router::new(Health).with(health::routes(&condition)).with(metrics::routes(metrics));
    opening.door("health", &settings.health.bind, health)?;
    if let Some(folder) = folder {
        let uid = rustix::process::getuid().as_raw();
        let control = Router::new(Control { uid })
            .with(health::routes(&condition))
            .with(documents::routes(live))
            .with(secrets::routes(live))
            .with(rings::routes(rings))
            .with(ring_tokens::routes(rings))
            .with(keks::routes(rings.vault()))
            .with(palette::routes());
        opening.door("control", &[control::bind(folder)], control)?;
    }
    Ok(Doors { addresses: opening.addresses, open: opening.open, condition })
}

struct Opening {
    house: House,
    addresses: Vec<String>,
    open: JoinSet<()>,
}

impl Opening {
    /// Binds a listener and serves it; gives the addresses that people can type.
    fn door<H: Handler>(&mut self, name: &str, places: &[Bind], handler: H) -> Result<Vec<String>, Failure> {
        let Some((listener, urls)) = self.bind(name, places)? else { return Ok(Vec::new()) };
        self.open.spawn(serve(listener, handler, Limits::of(H::KIND), self.house.clone()));
        Ok(urls)
    }

    /// The same for the core, which answers once it has its keys; whoever comes before waits to be accepted.
    fn core(&mut self, places: &[Bind], core: Core) -> Result<(), Failure> {
        let Some((listener, _)) = self.bind("core", places)? else { return Ok(()) };
        let house = self.house.clone();
        self.open.spawn(async move {
            tokio::select! {
                () = core.ready() => serve(listener, core, Limits::of(ListenerKind::Core), house).await,
                () = house.shutdown.begun() => {}
            }
        });
        Ok(())
    }

    fn bind(&mut self, name: &str, places: &[Bind]) -> Result<Option<(Listener, Vec<String>)>, Failure> {
        if places.is_empty() {
            return Ok(None);
        }
        let listener = Listener::bind(places).map_err(|error| {
            Failure::new(ExitCode::Away, "address_taken", format!("the {name} listener cannot open: {error}"))
                .hint(format!("Name another place with --{name}, or stop what holds this one."))
        })?;
        let urls: Vec<_> = listener.addresses().iter().map(|address| format!("http://{address}")).collect();
        if let Some(first) = urls.first() {
            self.addresses.push(format!("{name} {first}"));
        }
        Ok(Some((listener, urls)))
    }
}

impl Doors {
    /// Where each listener answers, one line each.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(String::as_str)
    }

    /// Serves until `stopped` ends, then lets open requests finish.
    pub(super) async fn serve_until(mut self, shutdown: Shutdown, stopped: impl Future<Output = ()>) {
        self.condition.set_serving();
        stopped.await;
        shutdown.begin();
        while self.open.join_next().await.is_some() {}
    }
}
