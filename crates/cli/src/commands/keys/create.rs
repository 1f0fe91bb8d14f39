//! `keys create`: a ring and its first generation.

use std::path::Path;

use http::Method;
use serde_json::json;
use server::routes::rings::{self, RingWish};

use super::super::rings::Ask;
use super::said;
use crate::args::rings::CreateArguments;
use crate::exit::{ExitCode, Failure};
use crate::voice::Voice;

pub(super) fn run(arguments: &CreateArguments, folder: &Path, voice: Voice) -> Result<ExitCode, Failure> {
    let (tenant, name) = arguments.ring.parts();
    let wish = RingWish {
        name: name.to_owned(),
        tenant: tenant.to_owned(),
        alg: arguments.alg.clone(),
        rotation_period_secs: (!arguments.is_static).then_some(arguments.rotation_period.secs),
        rsa_2048: arguments.rsa_2048,
        strict_revocation: arguments.strict_revocation,
        in_hsm: arguments.in_hsm,
    };
    let body = json!({
        "name": wish.name,
        "tenant": wish.tenant,
        "alg": wish.alg,
        "rotation_period_secs": wish.rotation_period_secs,
        "rsa_2048": wish.rsa_2048,
        "strict_revocation": wish.strict_revocation,
        "in_hsm": wish.in_hsm,
    });
    let (method, path) = (Method::POST, "/rings".to_owned());
    let done =
        Ask { method, path, body, offline: |rings: &_, by: &_| rings::make(rings, wish, by), folder }.answer()?;
    said(&done, voice)
}
