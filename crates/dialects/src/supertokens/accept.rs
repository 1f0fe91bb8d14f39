//! The order in which a request is looked at before its endpoint answers (section 3.1).

use http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use http::request::Parts;

use super::{Address, Endpoint, PUBLIC, Refusal, Version, Versions};

const API_KEY: HeaderName = HeaderName::from_static("api-key");
const VERSION: HeaderName = HeaderName::from_static("cdi-version");

/// What holds for all requests to one core.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// What precedes all paths: empty, or `/` and names in lower case without a slash at the end.
    pub base_path: String,
    /// The versions that are spoken.
    pub versions: Versions,
}

/// What an app says to the API key of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass<T> {
    /// There is no such app.
    NoApp,
    /// The key is not one of the app's.
    Refused,
    /// The key is one of the app's, or the app asks for none.
    Granted(T),
}

/// A request that may be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted<T> {
    /// Where it goes.
    pub address: Address,
    /// The version it is answered in.
    pub version: Version,
    /// Who asks; none where anybody may.
    pub caller: Option<T>,
}

impl Rules {
    /// Looks at a request head in the order of section 3.1. `pass` is asked with the name of the app and the key shown;
    /// a public endpoint shows none, and any answer of an app that exists lets it through.
    ///
    /// # Errors
    /// The first thing that stands against the request.
    pub fn admit<T>(
        &self,
        head: &Parts,
        pass: impl FnOnce(&str, Option<&str>) -> Pass<T>,
    ) -> Result<Admitted<T>, Refusal> {
        let address = Address::parse(head.uri.path(), &self.base_path).ok_or(Refusal::NotFound)?;
        let endpoint = address.endpoint;
        let key = shown_key(&head.headers).filter(|_| !endpoint.is_public());
        let caller = match pass(&address.app, key) {
            Pass::NoApp => return Err(Refusal::UnknownApp(address.app)),
            Pass::Refused if !endpoint.is_public() => return Err(Refusal::ApiKey),
            Pass::Refused => None,
            Pass::Granted(caller) => Some(caller).filter(|_| !endpoint.is_public()),
        };
        let sent = head.headers.get(VERSION).map(|sent| sent.to_str().unwrap_or_default());
        let version = self.versions.choose(sent)?;
        if address.tenant != PUBLIC && !version.is_at_least(3, 0) {
            return Err(Refusal::NotFound);
        }
        if endpoint.is_versioned() && !self.versions.lists(&version) {
            return Err(Refusal::VersionUnsupported(sent.unwrap_or_default().to_owned()));
        }
        if !endpoint.answers(&head.method) {
            return Err(Refusal::Method(endpoint));
        }
        Ok(Admitted { address, version, caller })
    }
}

impl<T> Admitted<T> {
    /// Refuses what belongs to the app when it is asked of a tenant, from version 5.0 on (section 3.2).
    ///
    /// # Errors
    /// [`Refusal::Tenant`].
    pub fn ask_of_app(&self) -> Result<(), Refusal> {
        let of_app = match self.address.endpoint {
            Endpoint::CreateJwt | Endpoint::RecipeJwks | Endpoint::ApiVersion => true,
            Endpoint::Jwks | Endpoint::Hello => false,
        };
        let refused = of_app && self.address.tenant != PUBLIC && self.version.is_at_least(5, 0);
        if refused { Err(Refusal::Tenant) } else { Ok(()) }
    }
}

/// The API key that a request shows (section 3.5): `api-key`, and only without that field `Authorization`, with or
/// without `Bearer` before it. A field that is no text counts as an empty key.
pub fn shown_key(headers: &HeaderMap) -> Option<&str> {
    if let Some(key) = headers.get(API_KEY) {
        return Some(key.to_str().unwrap_or_default().trim());
    }
    let sent = headers.get(AUTHORIZATION)?.to_str().unwrap_or_default().trim();
    let (scheme, rest) = sent.split_once(' ').unwrap_or(("", sent));
    Some(if scheme.eq_ignore_ascii_case("bearer") { rest.trim() } else { sent })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn head(method: &str, path: &str, fields: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// The app `public` takes the key `right`; there is no other.
    fn admit(method: &str, path: &str, fields: &[(&str, &str)]) -> Result<Admitted<()>, String> {
        let pass = |app: &str, key: Option<&str>| match (app, key) {
            (PUBLIC, Some("right")) => Pass::Granted(()),
            (PUBLIC, _) => Pass::Refused,
            (_, _) => Pass::NoApp,
        };
        Rules::default().admit(&head(method, path, fields), pass).map_err(|refusal| refusal.text().into_owned())
    }

    fn refused(method: &str, path: &str, fields: &[(&str, &str)]) -> String {
        admit(method, path, fields).unwrap_err()
    }

    #[test]
    fn each_check_comes_before_the_next() {
        let (right, wrong) = (("api-key", "right"), ("api-key", "wrong"));
        assert_eq!(refused("PATCH", "/nowhere", &[wrong, ("cdi-version", "abc")]), "Not found");
        assert!(refused("PATCH", "/appid-x/recipe/jwt", &[wrong]).ends_with("(, x, public)"));
        assert_eq!(refused("PATCH", "/t/recipe/jwt", &[wrong, ("cdi-version", "abc")]), "Invalid API key");
        assert_eq!(
            refused("PATCH", "/t/recipe/jwt", &[right, ("cdi-version", "abc")]),
            "cdi-version header is invalid"
        );
        assert_eq!(refused("PATCH", "/t/recipe/jwt", &[right, ("cdi-version", "1.0")]), "Not found");
        assert_eq!(refused("PATCH", "/recipe/jwt", &[right, ("cdi-version", "1.0")]), "cdi-version 1.0 not supported");
        assert_eq!(refused("PATCH", "/recipe/jwt", &[right]), "Method not supported");
        assert!(admit("POST", "/recipe/jwt", &[right]).is_ok());
    }

    #[test]
    fn what_is_public_asks_for_no_key_but_minds_the_version() {
        for path in ["/.well-known/jwks.json", "/hello", "/"] {
            assert!(admit("GET", path, &[]).unwrap().caller.is_none(), "{path}");
            assert!(admit("GET", path, &[("api-key", "wrong"), ("cdi-version", "1.0")]).is_ok(), "{path}");
            assert_eq!(refused("GET", path, &[("cdi-version", "2.x")]), "cdi-version header is invalid", "{path}");
        }
        assert_eq!(refused("GET", "/apiversion", &[]), "Invalid API key");
        assert!(admit("GET", "/apiversion", &[("api-key", "right"), ("cdi-version", "1.0")]).is_ok());
    }

    #[test]
    fn a_tenant_may_ask_for_what_belongs_to_the_app_in_old_versions_only() {
        let asked = |path, version: &str| {
            let admitted = admit("GET", path, &[("api-key", "right"), ("cdi-version", version)])?;
            admitted.ask_of_app().map_err(|refusal| refusal.text().into_owned())
        };
        for path in ["/t/recipe/jwt/jwks", "/t/apiversion"] {
            assert_eq!(asked(path, "2.21").unwrap_err(), "Not found");
            for served in ["3.0", "3.1", "4.0"] {
                assert_eq!(asked(path, served), Ok(()), "{path} {served}");
            }
            assert_eq!(asked(path, "5.0").unwrap_err(), "Only public tenantId can call this app specific API");
        }
        assert_eq!(asked("/t/.well-known/jwks.json", "5.4"), Ok(()));
    }

    #[test]
    fn a_key_stands_in_either_field_and_the_first_one_counts() {
        let shown = |fields: &[(&str, &str)]| shown_key(&head("GET", "/", fields).headers).map(str::to_owned);
        assert_eq!(shown(&[]), None);
        for fields in [
            [("api-key", " right ")],
            [("authorization", "right")],
            [("authorization", "bEaReR   right ")],
            [("authorization", "Bearer right")],
        ] {
            assert_eq!(shown(&fields).as_deref(), Some("right"), "{fields:?}");
        }
        let both = [("api-key", "wrong"), ("authorization", "Bearer right")];
        assert_eq!(shown(&both).as_deref(), Some("wrong"));
        assert_eq!(shown(&[("api-key", ""), ("authorization", "right")]).as_deref(), Some(""));
        assert_eq!(shown(&[("authorization", "Basic right")]).as_deref(), Some("Basic right"));
    }
}
