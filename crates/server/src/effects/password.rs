//! Passwords: compared in constant time, and hashed on threads that have time for it.

use std::num::NonZero;
use std::sync::LazyLock;

use base64_simd::STANDARD;
use plan::{Answer, Fault, FaultKind, PasswordAsk, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use super::Begun;
use crate::deployment::LiveDocument;
use crate::limits::QUEUE_MAX;

/// The highest cost of a hash that is made or checked here: about two seconds of a processor.
const COST_MAX: u32 = 15;

/// Hashes under way or waiting; as many at a time as there are cores.
static PLACES: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(QUEUE_MAX));
static CORES: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get)));

/// Answers what is asked of a password.
pub(crate) fn answer(live: &LiveDocument, ask: PasswordAsk) -> Begun {
    match ask {
        PasswordAsk::SignIn { shown, user, password } => {
            let password = live.vault().password(&password);
            let signs_in = password.map(|password| Value::Bool(is_shown(&shown, &user, &password)));
            Begun::Done(Answer::Password(signs_in.unwrap_or_default()))
        }
        PasswordAsk::Hash { of, cost } => later(move || hash(&of, cost)),
        PasswordAsk::Check { of, hash } => later(move || check(&of, &hash)),
    }
}

/// Whether somebody shows exactly this name and password. The time that takes depends on what is shown alone.
fn is_shown(shown: &str, user: &str, password: &str) -> bool {
    let expected = format!("Basic {}", STANDARD.encode_to_string(format!("{user}:{password}")));
    Sha256::digest(shown).as_slice().ct_eq(Sha256::digest(expected).as_slice()).into()
}

fn later(work: impl FnOnce() -> Result<Value, Fault> + Send + 'static) -> Begun {
    let Ok(place) = PLACES.try_acquire() else {
        let text = format!("{QUEUE_MAX} passwords wait to be hashed already");
        return Begun::Done(Answer::Failed(Fault::new(FaultKind::Busy, text)));
    };
    Begun::Later(Box::pin(async move {
        let core = CORES.acquire().await.expect("this semaphore is never closed");
        let hashed = tokio::task::spawn_blocking(work).await;
        drop((core, place));
        match hashed {
            Ok(Ok(value)) => Answer::Password(value),
            Ok(Err(fault)) => Answer::Failed(fault),
            Err(_) => Answer::Failed(unfit("the hash failed; the log says how")),
        }
    }))
}

fn hash(password: &str, cost: u32) -> Result<Value, Fault> {
    permitted(cost)?;
    let parts = bcrypt::hash_with_result(password, cost).map_err(|error| unfit(&error.to_string()))?;
    Ok(Value::text(parts.format_for_version(bcrypt::Version::TwoA)))
}

fn check(password: &str, hash: &str) -> Result<Value, Fault> {
    // A bcrypt hash has 60 characters; whatever else stands there matches nothing.
    if hash.len() != 60 {
        return Ok(Value::Bool(false));
    }
    permitted(hash.get(4..6).and_then(|cost| cost.parse().ok()).unwrap_or(0))?;
    bcrypt::verify(password, hash).map(Value::Bool).map_err(|error| unfit(&error.to_string()))
}

fn permitted(cost: u32) -> Result<(), Fault> {
    if cost <= COST_MAX { Ok(()) } else { Err(unfit(&format!("a cost of {cost} takes too long; at most {COST_MAX}"))) }
}

fn unfit(why: &str) -> Fault {
    Fault::new(FaultKind::ValueUnfit, format!("Error: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NR-45: only the exact header signs in, compared in constant time.
    #[test]
    fn only_the_exact_header_signs_in() {
        let header = format!("Basic {}", STANDARD.encode_to_string("ann:p:w ü"));
        assert!(is_shown(&header, "ann", "p:w ü"));
        for other in [header.to_lowercase(), format!("{header} "), header.replacen(' ', "  ", 1), String::new()] {
            assert!(!is_shown(&other, "ann", "p:w ü"), "{other}");
        }
        assert!(!is_shown(&header, "ann:p", "w ü x"));
    }

    #[test]
    fn hashes_are_those_of_other_programs() {
        // From the test vectors of crypt_blowfish.
        let known = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        assert_eq!(check("U*U", known).unwrap(), Value::Bool(true));
        assert_eq!(check("U*U", &known[..59]).unwrap(), Value::Bool(false));
        let Value::Text(made) = hash("pass", 4).unwrap() else { panic!("a text") };
        assert!(made.starts_with("$2a$04$") && made.len() == 60, "{made}");
        assert_eq!(check("pass", &made).unwrap(), Value::Bool(true));
        assert_eq!(check("past", &made).unwrap(), Value::Bool(false));
    }

    #[test]
    fn what_would_take_for_ever_is_refused() {
        assert!(hash("pass", 16).is_err());
        assert!(check("pass", "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").is_err());
        assert!(check("pass", &"x".repeat(60)).is_err());
    }
}
