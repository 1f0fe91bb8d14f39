//! A request lowered to a token plan in which everything is literal (section 4).

use jose::jwa::{SignatureAlgorithm, Switches};
use plan::{ClaimPlan, HeaderMember, KeySource, Lifetime, Map, Number, Text, TokenPlan, Value};

use super::CreateJwt;

/// The members of the JOSE header, in their order.
pub fn header() -> Vec<HeaderMember> {
    vec![HeaderMember::KeyId, HeaderMember::Type("JWT".into()), HeaderMember::Algorithm]
}

/// What the token shall hold. The key is that of the request's kind for this algorithm, by the prefix of its `kid`.
///
/// Nothing is reserved: a claim of the payload takes the place of `iat`, `exp` and `iss`, whatever it holds.
pub fn lower(request: &CreateJwt, algorithm: &'static SignatureAlgorithm) -> TokenPlan {
    let payload = &*request.payload;
    let mut claims = vec![
        own(payload, "iat").unwrap_or(ClaimPlan::IssuedAt),
        own(payload, "exp").unwrap_or(ClaimPlan::Expires),
        own(payload, "iss").unwrap_or_else(|| ClaimPlan::Constant("iss".into(), Value::Text(request.issuer.clone()))),
    ];
    let others = payload.iter().filter(|(name, _)| !matches!(&***name, "iat" | "exp" | "iss"));
    claims.extend(others.filter_map(|(name, value)| claim(name, value)));
    TokenPlan {
        algorithm,
        switches: Switches::NONE,
        header: header(),
        claims,
        lifetime: lifetime(request),
        key: KeySource::Given(request.key.kid_prefix().into()),
    }
}

/// The `exp` of a token that is issued then, both in seconds since 1970, a fraction rounded up; none if the payload has
/// one that is no NumericDate.
pub fn end_secs(request: &CreateJwt, issued_at_secs: i64) -> Option<i64> {
    match request.payload.get("exp") {
        None => issued_at_secs.checked_add(request.validity_secs),
        Some(Value::Number(number)) => Some(number.as_f64().ceil()).filter(|end| end.is_finite()).map(|end| end as i64),
        Some(_) => None,
    }
}

/// Lets a token end then, whatever was asked.
pub fn cut(plan: &mut TokenPlan, end_secs: i64) {
    plan.lifetime = Lifetime::Until(end_secs);
    for claim in &mut plan.claims {
        if claim.name() == Some("exp") {
            *claim = ClaimPlan::Expires;
        }
    }
}

/// The caller's claim of this name, as it stands.
fn own(payload: &Map, name: &str) -> Option<ClaimPlan> {
    let value = payload.get(name)?;
    // A whole `exp` is the plan's own, so that all that can be is written in one place.
    let is_plans = name == "exp" && whole(value).is_some();
    Some(if is_plans { ClaimPlan::Expires } else { ClaimPlan::Constant(name.into(), value.clone()) })
}

fn lifetime(request: &CreateJwt) -> Lifetime {
    let given = request.payload.get("exp").and_then(whole);
    given.map_or(Lifetime::Seconds(request.validity_secs), Lifetime::Until)
}

/// A whole number of seconds that is a NumericDate.
fn whole(value: &Value) -> Option<i64> {
    const MAX: i64 = (1 << 53) - 1;
    let Value::Number(Number::Integer(secs)) = value else { return None };
    (-MAX..=MAX).contains(secs).then_some(*secs)
}

/// A claim of the payload; none if it is an audience that names nobody.
fn claim(name: &Text, value: &Value) -> Option<ClaimPlan> {
    let value = if &**name == "aud" { audience(value)? } else { value.clone() };
    Some(ClaimPlan::Constant(name.clone(), value))
}

/// A text stays; of a list its texts, one alone without the list; anything else is dropped.
fn audience(value: &Value) -> Option<Value> {
    if value.as_text().is_some() {
        return Some(value.clone());
    }
    let Value::List(items) = value else { return None };
    let mut names: Vec<Value> = items.iter().filter(|item| item.as_text().is_some()).cloned().collect();
    if names.len() < 2 { names.pop() } else { Some(Value::list(names)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supertokens::Version;

    const VALIDITY_SECS: i64 = 3_153_600_000;

    /// The claims of a token for this payload, with `now` for the instant of minting and `end` for its end.
    fn claims(payload: &str) -> String {
        let body = format!(
            r#"{{"payload":{payload},"validity":{VALIDITY_SECS},"algorithm":"RS256","jwksDomain":"https://a.example"}}"#
        );
        let request = CreateJwt::read(body.as_bytes(), &Version::parse("5.4").unwrap()).unwrap();
        let plan = lower(&request, SignatureAlgorithm::by_name("RS256").unwrap());
        let written = plan.claims.iter().map(|claim| match (claim, &plan.lifetime) {
            (ClaimPlan::Constant(name, value), _) => {
                let mut text = Vec::new();
                assert!(plan::write_json(&mut text, value).unwrap());
                format!("{name}={}", String::from_utf8(text).unwrap())
            }
            (ClaimPlan::IssuedAt, _) => "iat=now".to_owned(),
            (ClaimPlan::Expires, Lifetime::Seconds(VALIDITY_SECS)) => "exp=end".to_owned(),
            (ClaimPlan::Expires, Lifetime::Until(at)) => format!("exp={at}"),
            other => panic!("{other:?}"),
        });
        written.collect::<Vec<_>>().join(" ")
    }

    /// ST-22 (part): what the core writes comes first, then the payload in its order.
    #[test]
    fn claims_stand_in_the_order_of_the_vendor() {
        assert_eq!(claims("{}"), r#"iat=now exp=end iss="https://a.example""#);
        assert_eq!(
            claims(r#"{"z":1,"sub":"u","a":null}"#),
            r#"iat=now exp=end iss="https://a.example" z=1 sub="u" a=null"#
        );
    }

    /// ST-23 (part), ST-24 (part): nothing is reserved, and what is given stands in the place of what it replaces.
    #[test]
    fn a_claim_of_the_payload_wins_over_the_cores_own() {
        assert_eq!(
            claims(r#"{"nbf":4,"jti":"j","exp":2,"sub":"s","aud":"a","iss":"me","iat":1}"#),
            r#"iat=1 exp=2 iss="me" nbf=4 jti="j" sub="s" aud="a""#
        );
        assert_eq!(claims(r#"{"iss":null,"iat":null,"exp":null}"#), "iat=null exp=null iss=null");
        assert_eq!(claims(r#"{"exp":"later"}"#), r#"iat=now exp="later" iss="https://a.example""#);
        assert_eq!(claims(r#"{"exp":9007199254740992}"#), r#"iat=now exp=9007199254740992 iss="https://a.example""#);
    }

    /// ST-27: numbers keep their literal.
    #[test]
    fn numbers_keep_their_literal() {
        let numbers = "[1e21,0.10,-0,123456789012345678901234567890,9007199254740991]";
        assert!(claims(&format!(r#"{{"n":{numbers}}}"#)).ends_with(&format!("n={numbers}")));
    }

    /// ST-28: what becomes of an audience.
    #[test]
    fn an_audience_names_somebody_or_is_left_out() {
        for (given, expected) in [
            (r#""x""#, Some(r#""x""#)),
            (r#"["x"]"#, Some(r#""x""#)),
            (r#"["x","y"]"#, Some(r#"["x","y"]"#)),
            (r#"[1,"x",null]"#, Some(r#""x""#)),
            (r#"[1,"x",["z"],"y"]"#, Some(r#"["x","y"]"#)),
            ("[]", None),
            ("[1]", None),
            ("1", None),
            ("null", None),
            ("{}", None),
        ] {
            let tail = expected.map_or(String::new(), |text| format!(" aud={text}"));
            let whole = format!(r#"iat=now exp=end iss="https://a.example"{tail}"#);
            assert_eq!(claims(&format!(r#"{{"aud":{given}}}"#)), whole, "{given}");
        }
    }

    #[test]
    fn the_end_of_a_token_is_known_before_it_is_minted() {
        let request = |payload: &str| {
            let body = format!(r#"{{"payload":{payload},"validity":10,"algorithm":"RS256","jwksDomain":"d"}}"#);
            CreateJwt::read(body.as_bytes(), &Version::parse("5.4").unwrap()).unwrap()
        };
        for (payload, expected) in
            [("{}", Some(110)), (r#"{"exp":7}"#, Some(7)), (r#"{"exp":7.5}"#, Some(8)), (r#"{"exp":"7"}"#, None)]
        {
            assert_eq!(end_secs(&request(payload), 100), expected, "{payload}");
        }
        let mut plan = lower(&request(r#"{"exp":7.5,"a":1}"#), SignatureAlgorithm::by_name("RS256").unwrap());
        cut(&mut plan, 5);
        assert_eq!((&plan.claims[1], &plan.lifetime), (&ClaimPlan::Expires, &Lifetime::Until(5)));
    }

    #[test]
    fn the_header_has_its_members_in_the_order_of_the_vendor() {
        assert_eq!(header(), [HeaderMember::KeyId, HeaderMember::Type("JWT".into()), HeaderMember::Algorithm]);
    }
}
