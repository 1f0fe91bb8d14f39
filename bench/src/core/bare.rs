//! What servers are held against: signatures in a loop on every core, and a handler of hyper that gives one answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::time::{ClockId, clock_gettime};
use tokio::net::{TcpListener, TcpStream};

use super::Rate;

/// Octets that a signature covers: about what a token's header and claims have.
const SIGNED_BYTES: usize = 260;

/// Bare signatures with an RSA key of 2048 bits.
pub(super) fn rs256(length: Duration) -> Result<Rate, String> {
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_| failed())?;
    on_every_core(length, || {
        let mut signature = vec![0; key.public_modulus_len()];
        let octets = [b'x'; SIGNED_BYTES];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &octets, &mut signature).map_err(|_| failed())
    })
}

/// Bare signatures with a key on P-256.
pub(super) fn es256(length: Duration) -> Result<Rate, String> {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| failed())?;
    on_every_core(length, || key.sign(&SystemRandom::new(), &[b'x'; SIGNED_BYTES]).map(drop).map_err(|_| failed()))
}

/// How often every core together does this, for so long. All of them at once: cores that share their parts are slower
/// than one alone, for a server as well.
fn on_every_core(length: Duration, once: impl Fn() -> Result<(), String> + Sync) -> Result<Rate, String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let repeat = || {
        let (begun, cpu) = (Instant::now(), own_time());
        let mut done = 0_u32;
        while begun.elapsed() < length {
            once()?;
            done += 1;
        }
        Ok((f64::from(done), own_time() - cpu, begun.elapsed().as_secs_f64()))
    };
    let turns = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(repeat)).collect();
        let ended = threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(failed())));
        ended.collect::<Result<Vec<(f64, f64, f64)>, String>>()
    })?;
    let done: f64 = turns.iter().map(|turn| turn.0).sum();
    let cpu: f64 = turns.iter().map(|turn| turn.1).sum();
    let per_second = turns.iter().map(|turn| turn.0 / turn.2).sum();
    Ok(Rate { per_cpu_second: done / cpu, per_second })
}

fn failed() -> String {
    "a bare signature failed".to_owned()
}

fn own_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Answers everything with this body, until the process is ended.
///
/// # Errors
/// An address that cannot be listened to.
pub(crate) fn serve(address: &str, body: &str) -> Result<(), String> {
    let address: SocketAddr = address.parse().map_err(|_| format!("{address} is no address"))?;
    let body = Bytes::copy_from_slice(body.as_bytes());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no threads: {error}"))?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(|error| format!("{address}: {error}"))?;
        loop {
            let accepted = listener.accept().await;
            let (stream, _) = accepted.map_err(|error| format!("{address} accepts nobody: {error}"))?;
            tokio::spawn(converse(stream, body.clone()));
        }
    })
}

async fn converse(stream: TcpStream, body: Bytes) {
    let service = service_fn(move |_request| {
        let mut response = http::Response::new(Full::new(body.clone()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    // A client that goes away ends its connection as it likes.
    drop(served);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_signatures_are_counted() {
        for of in [rs256, es256] {
            let rate = of(Duration::from_millis(5)).unwrap();
            assert!(rate.per_second > 1.0 && rate.per_cpu_second > 1.0);
        }
    }
}
