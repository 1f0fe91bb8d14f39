//! Every refusal in the vendor's own words: a status, and a line of plain text (sections 3.1 to 3.3).

use std::borrow::Cow;

use http::StatusCode;

use super::{Endpoint, PUBLIC};

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing answers this path, or not under this tenant in this version.
    NotFound,
    /// There is no app of this name.
    UnknownApp(String),
    /// The API key is missing or not one of the app's.
    ApiKey,
    /// The version is no version.
    VersionInvalid,
    /// The version is not spoken here; as it was sent.
    VersionUnsupported(String),
    /// The version is below the configured least one.
    VersionTooLow {
        /// As it was sent.
        sent: String,
        /// The least one.
        least: String,
    },
    /// The path does not answer this method.
    Method(Endpoint),
    /// The body is not a JSON object, or not strict JSON.
    Json,
    /// This member is missing or not of its kind.
    Field(&'static str),
    /// `validity` is zero or less.
    Validity,
    /// The endpoint belongs to the app, not to a tenant.
    Tenant,
    /// The body is longer than it may be.
    BodyTooLarge,
    /// Too many signatures are waited for.
    Overload,
    /// Our own fault; the log says more.
    Internal,
    /// The server cannot sign or show keys now; the log says more.
    Away,
}

impl Refusal {
    /// The HTTP status (RFC 9110 section 15).
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::ApiKey => StatusCode::UNAUTHORIZED,
            Refusal::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Tenant => StatusCode::FORBIDDEN,
            Refusal::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Overload => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::Away => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::UnknownApp(_)
            | Refusal::VersionInvalid
            | Refusal::VersionUnsupported(_)
            | Refusal::VersionTooLow { .. }
            | Refusal::Json
            | Refusal::Field(_)
            | Refusal::Validity => StatusCode::BAD_REQUEST,
        }
    }

    /// The text, without the line feed that ends it on the wire.
    pub fn text(&self) -> Cow<'static, str> {
        match self {
            Refusal::NotFound => "Not found".into(),
            Refusal::UnknownApp(app) => format!(
                "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId \
                 combination not found: (, {app}, {PUBLIC})"
            )
            .into(),
            Refusal::ApiKey => "Invalid API key".into(),
            Refusal::VersionInvalid => "cdi-version header is invalid".into(),
            Refusal::VersionUnsupported(sent) => format!("cdi-version {sent} not supported").into(),
            Refusal::VersionTooLow { sent, least } => {
                format!("cdi-version {sent} is lower than the minimum allowed version {least}").into()
            }
            Refusal::Method(_) => "Method not supported".into(),
            Refusal::Json => "Invalid Json Input".into(),
            Refusal::Field(member) => format!("Field name '{member}' is invalid in JSON input").into(),
            Refusal::Validity => "validity must be greater than or equal to 0".into(),
            Refusal::Tenant => "Only public tenantId can call this app specific API".into(),
            Refusal::BodyTooLarge => "Request body too large".into(),
            Refusal::Overload => "Too many requests; try again later".into(),
            Refusal::Internal => "Internal error".into(),
            Refusal::Away => "Not available now; try again later".into(),
        }
    }

    /// The methods that the path answers, if that is the matter.
    pub fn allow(&self) -> Option<&'static str> {
        if let Refusal::Method(endpoint) = self { Some(endpoint.allow()) } else { None }
    }
}
