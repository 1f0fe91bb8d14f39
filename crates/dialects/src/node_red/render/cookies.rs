//! `Set-Cookie` lines as Express 4 and its `cookie` package write them (section 11).

use http::header;
use plan::ecmascript::{is_truthy, text_of};
use plan::{Date, Fault, Map, Value, write_json};

use super::headers::Headers;
use super::{type_error, unwritable};
use crate::node_red::accept::is_token;
use crate::node_red::accept::percent::encode_component;
use crate::node_red::http_date::http_date;

/// Adds the cookies of a message: text, `{value, maxAge, path, ..}`, or null to clear one.
pub(super) fn add(headers: &mut Headers, cookies: &Value, now_ms: i64) -> Result<(), Fault> {
    for (name, cookie) in cookies.as_map().into_iter().flat_map(Map::iter) {
        let nothing = Map::new();
        let options = cookie.as_map().unwrap_or(&nothing);
        let cleared = *cookie == Value::Null || options.get("value") == Some(&Value::Null);
        let (value, expires) = if cleared {
            (String::new(), Some(Date { epoch_ms: 1.0 }))
        } else {
            let held =
                if cookie.as_map().is_some() { options.get("value").unwrap_or(&Value::Undefined) } else { cookie };
            (value_of(held)?, None)
        };
        headers.append(header::SET_COOKIE, &line(name, &value, options, expires, now_ms)?)?;
    }
    Ok(())
}

/// Objects are written as JSON behind `j:`.
fn value_of(value: &Value) -> Result<String, Fault> {
    if !matches!(value, Value::Map(_) | Value::List(_) | Value::Date(_) | Value::Bytes(_) | Value::Null) {
        return Ok(text_of(value));
    }
    let mut out = b"j:".to_vec();
    write_json(&mut out, value).map_err(unwritable)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn line(name: &str, value: &str, options: &Map, cleared: Option<Date>, now_ms: i64) -> Result<String, Fault> {
    if !is_token(name) {
        return Err(invalid("name"));
    }
    let option = |name: &str| options.get(name).filter(|value| is_truthy(value));
    if option("signed").is_some() {
        return Err(invalid("option signed"));
    }
    let age = Age::of(options, cleared, now_ms)?;
    let mut line = format!("{name}={}", encode_component(value));
    if let Some(seconds) = age.seconds {
        line += &format!("; Max-Age={seconds}");
    }
    if let Some(domain) = option("domain") {
        line += &format!("; Domain={}", attribute(domain, "option domain")?);
    }
    match options.get("path") {
        None | Some(Value::Undefined | Value::Null) => line += "; Path=/",
        Some(path) if is_truthy(path) => line += &format!("; Path={}", attribute(path, "option path")?),
        Some(_) => {}
    }
    if let Some(expires) = age.expires {
        line += &format!("; Expires={}", http_date(expires).ok_or_else(|| invalid("option expires"))?);
    }
    for (name, shown) in [("httpOnly", "; HttpOnly"), ("secure", "; Secure"), ("partitioned", "; Partitioned")] {
        line += option(name).map_or("", |_| shown);
    }
    if let Some(priority) = option("priority") {
        line +=
            choice(priority, "Priority", ["Low", "Medium", "High"]).ok_or_else(|| invalid("option priority"))?.as_str();
    }
    match option("sameSite") {
        None => {}
        Some(Value::Bool(_)) => line += "; SameSite=Strict",
        Some(other) => {
            line += choice(other, "SameSite", ["Lax", "Strict", "None"])
                .ok_or_else(|| invalid("option sameSite"))?
                .as_str();
        }
    }
    Ok(line)
}

/// How long a cookie lives.
struct Age {
    seconds: Option<i64>,
    expires: Option<Date>,
}

impl Age {
    /// `maxAge` in milliseconds wins over `expires`.
    fn of(options: &Map, cleared: Option<Date>, now_ms: i64) -> Result<Self, Fault> {
        let max_age = options.get("maxAge").filter(|value| !matches!(value, Value::Undefined | Value::Null));
        if let Some(max_age) = max_age {
            let milliseconds = number(max_age).ok_or_else(|| invalid("option maxAge"))?;
            let expires = Date { epoch_ms: now_ms as f64 + milliseconds };
            return Ok(Self { seconds: Some((milliseconds / 1000.0).floor() as i64), expires: Some(expires) });
        }
        match options.get("expires").filter(|value| is_truthy(value)) {
            None => Ok(Self { seconds: None, expires: cleared.filter(|_| options.get("expires").is_none()) }),
            Some(Value::Date(date)) => Ok(Self { seconds: None, expires: Some(*date) }),
            Some(_) => Err(invalid("option expires")),
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    let number = value.as_number().map(plan::Number::as_f64).or_else(|| value.as_text()?.trim().parse().ok());
    number.filter(|number: &f64| number.is_finite())
}

/// `; Name=Value` for the choice that is meant, whatever its case.
fn choice<const N: usize>(value: &Value, name: &str, choices: [&str; N]) -> Option<String> {
    let text = value.as_text()?;
    let meant = choices.iter().find(|choice| choice.eq_ignore_ascii_case(text))?;
    Some(format!("; {name}={meant}"))
}

/// The value of an attribute: visible characters without a semicolon (RFC 6265 section 4.1.1).
fn attribute(value: &Value, what: &str) -> Result<String, Fault> {
    let text = text_of(value);
    let plain = text.chars().all(|c| (' '..='~').contains(&c) && c != ';');
    if plain { Ok(text) } else { Err(invalid(what)) }
}

fn invalid(what: &str) -> Fault {
    type_error(&format!("The {what} of a cookie is invalid."), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(cookies: Value) -> Vec<String> {
        let mut headers = Headers::default();
        add(&mut headers, &cookies, 1_000).unwrap();
        let map = headers.into_map();
        map.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    fn with(members: &[(&str, Value)]) -> String {
        let options = Value::map([("value", Value::text("v"))].iter().chain(members).map(|(k, v)| (*k, v.clone())));
        lines(Value::map([("a", options)])).remove(0)
    }

    /// NR-82: what goes out. The expected lines are those that Node-RED 5.0.7 was seen to send.
    #[test]
    fn cookies_are_written_as_express_writes_them() {
        let single = |value: Value| lines(Value::map([("a", value)])).remove(0);
        assert_eq!(single(Value::text("1")), "a=1; Path=/");
        assert_eq!(single(Value::text("x y;=ü")), "a=x%20y%3B%3D%C3%BC; Path=/");
        assert_eq!(single(Value::Bool(true)), "a=true; Path=/");
        assert_eq!(single(Value::Null), "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(single(Value::map([("path", Value::text("/p"))])), "a=undefined; Path=/p");
        let cleared = Value::map([("value", Value::Null), ("path", Value::text("/p"))]);
        assert_eq!(single(cleared), "a=; Path=/p; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        let object = Value::map([("value", Value::map([("b", Value::integer(1))]))]);
        assert_eq!(single(object), "a=j%3A%7B%22b%22%3A1%7D; Path=/");
        let age = |ms: i64| with(&[("maxAge", Value::integer(ms))]);
        assert_eq!(age(60_000), "a=v; Max-Age=60; Path=/; Expires=Thu, 01 Jan 1970 00:01:01 GMT");
        assert_eq!(age(1_500), "a=v; Max-Age=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:02 GMT");
        let all = [
            ("path", Value::text("/p")),
            ("domain", Value::text("x.test")),
            ("httpOnly", Value::Bool(true)),
            ("secure", Value::Bool(true)),
            ("sameSite", Value::text("strict")),
        ];
        assert_eq!(with(&all), "a=v; Domain=x.test; Path=/p; HttpOnly; Secure; SameSite=Strict");
        let marked = [("priority", Value::text("high")), ("partitioned", Value::Bool(true))];
        assert_eq!(with(&marked), "a=v; Path=/; Partitioned; Priority=High");
    }

    #[test]
    fn what_cannot_stand_in_a_cookie_is_refused() {
        let refused = |name: &str, option: &str, value: Value| {
            let cookie = Value::map([("value", Value::text("v")), (option, value)]);
            add(&mut Headers::default(), &Value::map([(name, cookie)]), 0).is_err()
        };
        assert!(refused("a b", "path", Value::text("/")));
        assert!(refused("a", "path", Value::text("/;x")));
        assert!(refused("a", "domain", Value::text("x\r\ny")));
        assert!(refused("a", "expires", Value::text("tomorrow")));
        assert!(refused("a", "sameSite", Value::text("sometimes")));
        assert!(refused("a", "maxAge", Value::text("long")));
        assert!(refused("a", "signed", Value::Bool(true)));
    }
}
