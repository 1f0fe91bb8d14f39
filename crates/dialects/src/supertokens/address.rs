//! Where a request goes: `[/appid-<app>][/<tenant>]<path>[/]`, as section 3.2 has it.

use http::Method;

/// The name of the app and of the tenant that a path without prefixes means.
pub const PUBLIC: &str = "public";

/// Words that begin paths of the core and are no tenants.
const NEVER_TENANTS: [&str; 4] = ["recipe", "config", "users", "hello"];

/// What stands before the name of an app.
const APP_PREFIX: &str = "appid-";

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The app; [`PUBLIC`] if the path names none.
    pub app: String,
    /// The tenant; [`PUBLIC`] if the path names none.
    pub tenant: String,
    /// What is asked there.
    pub endpoint: Endpoint,
}

/// What the core answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/recipe/jwt`: a token.
    CreateJwt,
    /// `/recipe/jwt/jwks`: the key set, for old SDKs.
    RecipeJwks,
    /// `/.well-known/jwks.json`: the key set.
    Jwks,
    /// `/apiversion`: the versions of the interface.
    ApiVersion,
    /// `/hello` and `/`: that somebody is there.
    Hello,
}

impl Address {
    /// Reads a path as it was received, without decoding anything; none if nothing answers there.
    ///
    /// `base` precedes all paths: empty, or `/` and names in lower case without a slash at the end.
    pub fn parse(path: &str, base: &str) -> Option<Address> {
        let path = path.to_ascii_lowercase();
        let path = path.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let (app, path) = match path.strip_prefix('/').and_then(|rest| rest.strip_prefix(APP_PREFIX)) {
            Some(rest) => first_segment(rest),
            None => (PUBLIC, path),
        };
        let (tenant, endpoint) = tenant_and_endpoint(path)?;
        is_name(app).then(|| Address { app: app.to_owned(), tenant: tenant.to_owned(), endpoint })
    }
}

impl Endpoint {
    /// Whether anybody may ask, without an API key.
    pub fn is_public(self) -> bool {
        matches!(self, Endpoint::Jwks | Endpoint::Hello)
    }

    /// Whether the version of the interface must be one that is advertised.
    pub fn is_versioned(self) -> bool {
        matches!(self, Endpoint::CreateJwt | Endpoint::RecipeJwks)
    }

    /// The methods that are answered, as the `Allow` field lists them (RFC 9110 section 10.2.1).
    pub fn allow(self) -> &'static str {
        match self {
            Endpoint::CreateJwt => "POST",
            Endpoint::RecipeJwks | Endpoint::ApiVersion => "GET",
            Endpoint::Jwks => "GET, HEAD",
            Endpoint::Hello => "GET, POST, PUT, DELETE",
        }
    }

    /// Whether this method is answered.
    pub fn answers(self, method: &Method) -> bool {
        self.allow().split(", ").any(|known| known == method.as_str())
    }

    fn at(path: &str) -> Option<Endpoint> {
        Some(match path {
            "" | "/hello" => Endpoint::Hello,
            "/recipe/jwt" => Endpoint::CreateJwt,
            "/recipe/jwt/jwks" => Endpoint::RecipeJwks,
            "/.well-known/jwks.json" => Endpoint::Jwks,
            "/apiversion" => Endpoint::ApiVersion,
            _ => return None,
        })
    }
}

/// Whether an app can have this name: lower-case letters, digits and hyphens.
pub fn is_app_name(name: &str) -> bool {
    is_name(name)
}

fn tenant_and_endpoint(path: &str) -> Option<(&str, Endpoint)> {
    if let Some(endpoint) = Endpoint::at(path) {
        return Some((PUBLIC, endpoint));
    }
    let (tenant, rest) = first_segment(path.strip_prefix('/')?);
    let is_tenant = is_name(tenant) && !NEVER_TENANTS.contains(&tenant) && !tenant.starts_with(APP_PREFIX);
    // A word alone is a typing error more often than a tenant that is greeted.
    let is_greeting = rest.is_empty() && tenant != PUBLIC;
    (is_tenant && !is_greeting).then(|| Endpoint::at(rest)).flatten().map(|endpoint| (tenant, endpoint))
}

/// The text up to the next slash, and the rest with it.
fn first_segment(path: &str) -> (&str, &str) {
    path.split_at(path.find('/').unwrap_or(path.len()))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(path: &str) -> Option<(String, String, Endpoint)> {
        Address::parse(path, "").map(|address| (address.app, address.tenant, address.endpoint))
    }

    fn at(app: &str, tenant: &str, endpoint: Endpoint) -> Option<(String, String, Endpoint)> {
        Some((app.to_owned(), tenant.to_owned(), endpoint))
    }

    #[test]
    fn prefixes_name_an_app_and_a_tenant() {
        for (path, app, tenant, endpoint) in [
            ("/recipe/jwt", PUBLIC, PUBLIC, Endpoint::CreateJwt),
            ("/appid-a1/recipe/jwt", "a1", PUBLIC, Endpoint::CreateJwt),
            ("/t-1/recipe/jwt", PUBLIC, "t-1", Endpoint::CreateJwt),
            ("/appid-a1/t-1/recipe/jwt/jwks", "a1", "t-1", Endpoint::RecipeJwks),
            ("/appid-public/public/.well-known/jwks.json", PUBLIC, PUBLIC, Endpoint::Jwks),
            ("/appid-a1", "a1", PUBLIC, Endpoint::Hello),
            ("/appid-a1/", "a1", PUBLIC, Endpoint::Hello),
            ("/public", PUBLIC, PUBLIC, Endpoint::Hello),
            ("/t-1/hello", PUBLIC, "t-1", Endpoint::Hello),
            ("/apiversion/apiversion", PUBLIC, "apiversion", Endpoint::ApiVersion),
        ] {
            assert_eq!(parsed(path), at(app, tenant, endpoint), "{path}");
        }
    }

    #[test]
    fn a_slash_at_the_end_and_capitals_change_nothing() {
        for path in ["/Recipe/JWT", "/recipe/jwt/", "/AppId-Public/RECIPE/jwt/"] {
            assert_eq!(parsed(path), at(PUBLIC, PUBLIC, Endpoint::CreateJwt), "{path}");
        }
        assert_eq!(parsed("/"), at(PUBLIC, PUBLIC, Endpoint::Hello));
    }

    #[test]
    fn no_other_spelling_leads_anywhere() {
        for path in [
            "//recipe/jwt",
            "/recipe//jwt",
            "/recipe/jwt//",
            "/recipe/jwt;x",
            "/recipe/%6awt",
            "/./recipe/jwt",
            "/x/../recipe/jwt",
            "/recipe/jwt/x",
            "/recipe/recipe/jwt",
            "/users/recipe/jwt",
            "/appid-/recipe/jwt",
            "/appid-a_1/recipe/jwt",
            "/appid-a/appid-b/recipe/jwt",
            "/t/u/recipe/jwt",
            "/metrics",
            "//",
            "",
            "*",
        ] {
            let found = parsed(path).filter(|(_, _, endpoint)| *endpoint != Endpoint::Hello || path.len() > 1);
            assert_eq!(found, None, "{path}");
        }
    }

    #[test]
    fn a_base_path_precedes_everything() {
        let found = |path| Address::parse(path, "/auth/core").map(|address| address.endpoint);
        assert_eq!(found("/auth/core/recipe/jwt"), Some(Endpoint::CreateJwt));
        assert_eq!(found("/Auth/Core/appid-a/recipe/jwt"), Some(Endpoint::CreateJwt));
        assert_eq!(found("/auth/core"), Some(Endpoint::Hello));
        assert_eq!(found("/recipe/jwt"), None);
        assert_eq!(found("/auth/corerecipe/jwt"), None);
    }
}
