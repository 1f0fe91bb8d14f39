//! `inspect`: what is in a token, for people. Nothing is checked, and that is said.

mod read;

use jose::json::{Object, Value, write_value};
use read::Seen;

use crate::args::InspectArguments;
use crate::exit::{ExitCode, Failure};
use crate::input::Inputs;
use crate::time::{in_utc, in_words};
use crate::voice::Voice;

/// Claims that hold an instant (RFC 7519 section 4.1, OpenID Connect Core section 2).
const TIME_CLAIMS: [&str; 5] = ["exp", "nbf", "iat", "auth_time", "updated_at"];
/// Header members that name a key or its address; a reader must never follow them (RFC 8725 section 3.10).
const KEY_MEMBERS: [&str; 4] = ["jku", "x5u", "jwk", "x5c"];
/// A lifetime beyond which a bearer token deserves a word.
const LONG_LIFE_SECS: i64 = 24 * 3_600;

pub(super) fn run(arguments: &InspectArguments, now_secs: i64, voice: Voice) -> Result<ExitCode, Failure> {
    let token = Inputs::default().token(&arguments.token)?;
    let picture = Picture::of(&token)?;
    let warnings = picture.warnings();
    if voice.is_json() {
        voice.result(picture.as_json(&warnings))?;
    } else {
        voice.result(picture.as_text(now_secs))?;
        for warning in &warnings {
            voice.warn(warning);
        }
    }
    voice.say("not verified: this shows what the token says, not whether it is true");
    Ok(ExitCode::Done)
}

/// A token as people are shown it.
struct Picture(Seen);

impl Picture {
    fn of(token: &str) -> Result<Self, Failure> {
        Seen::of(token).map(Self)
    }

    fn as_text(&self, now_secs: i64) -> String {
        let Seen { kind, form, header, each, claims, sizes } = &self.0;
        let sizes: Vec<_> = sizes.iter().map(|(name, size)| format!("{name} {size}")).collect();
        let mut out = format!("{kind}, {form}; characters: {}\n", sizes.join(", "));
        if each.is_empty() || header.iter().len() > 0 {
            out += &format!("\nheader\n{}", members(header, |_, _| None));
        }
        let entry = if *kind == "JWS" { "signature" } else { "recipient" };
        for (number, header) in (1..).zip(each) {
            out += &format!("\nheader of {entry} {number}\n{}", members(header, |_, _| None));
        }
        match claims {
            Some(claims) => {
                out += "\nclaims\n";
                out += &members(claims, |name, value| time_in_words(name, value, now_secs));
            }
            None if *kind == "JWE" => out += "\nclaims are sealed; the key that opens them is needed to read them",
            None => out += "\nthe payload is no JSON object",
        }
        out.trim_end().to_owned()
    }

    fn as_json(&self, warnings: &[String]) -> Vec<u8> {
        let Seen { kind, form, header, each, claims, sizes } = &self.0;
        let mut root = Object::new();
        root.insert("kind".into(), Value::Text((*kind).into()));
        root.insert("form".into(), Value::Text((*form).into()));
        root.insert("verified".into(), Value::Bool(false));
        root.insert("header".into(), Value::Object(header.clone()));
        if !each.is_empty() {
            root.insert("headers".into(), Value::Array(each.iter().cloned().map(Value::Object).collect()));
        }
        root.insert("claims".into(), claims.clone().map_or(Value::Null, Value::Object));
        let mut lengths = Object::new();
        for (name, size) in sizes {
            lengths.insert(name.clone(), Value::Number(size.to_string()));
        }
        root.insert("sizes".into(), Value::Object(lengths));
        root.insert("warnings".into(), Value::Array(warnings.iter().cloned().map(Value::Text).collect()));
        let mut out = Vec::new();
        write_value(&mut out, &Value::Object(root));
        out
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let is_unsigned = |alg: &str| alg.eq_ignore_ascii_case("none");
        if self.0.headers().any(|header| header.get("alg").and_then(Value::as_text).is_some_and(is_unsigned)) {
            warnings.push("`alg` is none: nobody signed this, and no verifier may accept it".to_owned());
        }
        for name in KEY_MEMBERS.into_iter().filter(|name| self.0.headers().any(|header| header.get(name).is_some())) {
            warnings
                .push(format!("`{name}` in the header comes from whoever made the token: never take a key from it"));
        }
        let Some(claims) = &self.0.claims else { return warnings };
        match (seconds(claims.get("exp")), seconds(claims.get("iat"))) {
            (None, _) => warnings.push("no `exp`: as far as it says, this token is valid for ever".to_owned()),
            (Some(exp), Some(iat)) if exp - iat > LONG_LIFE_SECS => {
                warnings.push(format!("the token lives {}", in_words(exp - iat, 0).replace("in ", "")));
            }
            (Some(_), _) => {}
        }
        if claims.get("aud").is_none() {
            warnings.push("no `aud`: a token for one service can be shown to another".to_owned());
        }
        warnings
    }
}

/// One member a line, names aligned, with a remark behind where there is one.
fn members(object: &Object, remark: impl Fn(&str, &Value) -> Option<String>) -> String {
    let width = object.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, value) in object.iter() {
        let mut text = Vec::new();
        write_value(&mut text, value);
        let text = String::from_utf8_lossy(&text);
        let remark = remark(name, value).map(|words| format!("  {words}")).unwrap_or_default();
        out += &format!("  {name:width$}  {text}{remark}\n");
    }
    out
}

fn time_in_words(name: &str, value: &Value, now_secs: i64) -> Option<String> {
    let secs = TIME_CLAIMS.contains(&name).then(|| seconds(Some(value)))??;
    in_utc(secs).map(|utc| format!("{utc}, {}", in_words(secs, now_secs)))
}

/// A NumericDate in whole seconds, fractions cut.
fn seconds(value: Option<&Value>) -> Option<i64> {
    let text = value?.as_number()?;
    text.parse::<i64>()
        .ok()
        .or_else(|| text.parse::<f64>().ok().filter(|secs| secs.abs() < 1e15).map(|secs| secs as i64))
}

#[cfg(test)]
mod tests {
    use jose::base64url;

    use super::*;

    fn token(header: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", base64url::encode(header.as_bytes()), base64url::encode(claims.as_bytes()))
    }

    #[test]
    fn the_picture_shows_times_in_words_and_never_the_signature() {
        let token = token(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"exp":1700086400,"iat":1700000000,"n":1e21}"#);
        let text = Picture::of(&token).unwrap().as_text(1_700_083_880);
        assert!(text.contains("exp  1700086400  2023-11-15T22:13:20Z, in 42 min"), "{text}");
        assert!(text.contains("n    1e21"), "{text}");
        assert!(!text.contains("c2ln"), "{text}");
    }

    #[test]
    fn what_rfc_8725_warns_of_is_warned_of() {
        let token = token(r#"{"alg":"none","jku":"https://evil.example"}"#, r#"{"sub":"a"}"#);
        let warnings = Picture::of(&token).unwrap().warnings().join("\n");
        for word in ["`alg` is none", "`jku`", "no `exp`", "no `aud`"] {
            assert!(warnings.contains(word), "{word}: {warnings}");
        }
    }

    #[test]
    fn a_jwe_shows_its_header_and_sizes() {
        let token = format!("{}.a.b.c.d", base64url::encode(br#"{"alg":"dir","enc":"A128GCM"}"#));
        let text = Picture::of(&token).unwrap().as_text(0);
        assert!(
            text.starts_with("JWE, compact; characters: header 39, encrypted key 1, iv 1, ciphertext 1, tag 1"),
            "{text}"
        );
        assert!(text.contains("sealed"), "{text}");
    }

    #[test]
    fn other_text_is_malformed() {
        for wrong in ["", "a.b", "a.b.c.d", "!.e30.x", "e30"] {
            assert_eq!(Picture::of(wrong).err().map(|failure| failure.code), Some("malformed"), "{wrong}");
        }
    }
}
