//! TTL and claims of a `JWT - Generator` (contract section 2): read, and lowered to claims and to the steps before them.

use jose::json::Value as Json;
use plan::{
    AbsentClaim, ClaimPlan, Expr, Fault, FaultKind, Function, Lifetime, Number, Path, Segment, Severity, Text, Value,
};

use super::form::{Form, Spot};
use super::literal::Literal;
use super::template::Template;
use super::typed;
use super::who::{Who, fault_of};
use super::{WORK, template_at};

/// The longest life of a token that the configuration may ask for, in seconds: 366 days.
const TTL_SECS_MAX: i64 = 31_622_400;
const TTL_SECS_USUAL: i64 = 300;
const ROWS_MAX: usize = 200;
const KEY_CHARS_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 64 * 1_024;
/// The claims that stand in each token unless a flag takes them out.
const DEFAULTS: [&str; 4] = ["iat", "iss", "sub", "exp"];
/// The first argument, if it is a TTL; the second says whose it is.
pub(super) const TTL: Function = Function { name: "ttl", run: ttl };
/// The first argument, converted to text, if it is a text that is not empty.
pub(super) const NAMED: Function = Function { name: "named_claim", run: named };

/// What a token shall say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claims {
    ttl: Ttl,
    /// Which of the default claims are included.
    includes: [bool; 4],
    iss: Template,
    sub: Template,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq)]
enum Ttl {
    Seconds(i64),
    Template(Template),
}

/// A row of custom claims, or of variables.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The name.
    pub(crate) key: String,
    /// Its type.
    pub(crate) kind: &'static str,
    pub(crate) value: RowValue,
}

/// What a row holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RowValue {
    /// A value that refers to nothing, converted already.
    Plain(Value),
    /// A text with references.
    Text(Template),
    /// A JSON literal with references.
    Json(Literal),
}

/// Reads TTL and claims of a configuration.
pub(crate) fn read(config: &mut Form<'_>) -> Option<Claims> {
    let ttl = read_ttl(config);
    let mut claims = config.object("claims");
    let mut includes = [true; 4];
    if let Some(mut flags) = claims.as_mut().and_then(|claims| claims.object("include")) {
        includes = DEFAULTS.map(|name| flags.flag(name, true));
        flags.close();
    }
    let iss = template(claims.as_mut(), "iss", "claims/iss", "{{flow.issuer}}");
    let sub = template(claims.as_mut(), "sub", "claims/sub", "{{user.id}}");
    let mut rows = Vec::new();
    if let Some(claims) = claims.as_mut() {
        rows = read_rows(claims.objects("custom", ROWS_MAX), "claims/custom", check_claim);
        for (name, is_included) in DEFAULTS.iter().zip(includes) {
            if is_included && let Some(at) = rows.iter().position(|row| row.key == *name) {
                let at = claims.at("custom").below(&at.to_string()).below("key");
                let message = format!("The claim `{name}` is included already, so no row may name it.");
                claims.told().refuse("claim.value", &at, message, "Take the flag out, or the row.");
            }
        }
    }
    if let Some(claims) = claims {
        claims.close();
    }
    if !includes[3] {
        let message = "The token has no `exp`: it never expires, and the TTL is ignored.";
        let at = config.at("claims").below("include").below("exp");
        config.told().tell(Severity::Warning, "claims.no_exp", &at, message, "Include `exp`.");
    }
    Some(Claims { ttl: ttl?, includes, iss: iss?, sub: sub?, rows })
}

/// Reads rows of Key, Value and Type.
pub(crate) fn read_rows(forms: Vec<Form<'_>>, field: &str, check: fn(&Form<'_>, &Row)) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (index, mut form) in forms.into_iter().enumerate() {
        let row = read_row(&mut form, &format!("{field}[{index}]/value"));
        if let Some(row) = row {
            if rows.iter().any(|known| known.key == row.key) {
                let message = format!("Two rows have the key `{}`.", row.key);
                form.told().refuse("key_repeated", &form.at("key"), message, "Rename or remove one of them.");
            }
            check(&form, &row);
            rows.push(row);
        }
        form.close();
    }
    rows
}

impl Claims {
    /// Whether the token ends.
    pub(crate) fn expires(&self) -> bool {
        self.includes[3]
    }

    /// What is worked out before the token is made, in the order in which faults are told.
    pub(crate) fn prepared(&self, who: &Who) -> Expr {
        let mut members: Vec<(Text, Expr)> = Vec::new();
        if let (Ttl::Template(template), true) = (&self.ttl, self.expires()) {
            let to = vec![template.expr(who), Expr::Literal(who.value("ttl"))];
            members.push(("ttl".into(), Expr::Applied { function: TTL, to }));
        }
        for (name, template, is_included) in
            [("iss", &self.iss, self.includes[1]), ("sub", &self.sub, self.includes[2])]
        {
            if is_included && template.as_plain().is_none() {
                let field = Expr::Literal(who.value(&format!("claims/{name}")));
                let to = vec![template.expr(who), Expr::Literal(Value::text(name)), field];
                members.push((name.into(), Expr::Applied { function: NAMED, to }));
            }
        }
        let rows = self.rows.iter().enumerate();
        members.extend(rows.filter_map(|(index, row)| {
            Some((index.to_string().into(), row.claim(who, &format!("claims/custom[{index}]/value"))?))
        }));
        Expr::Map(members)
    }

    /// The claims, in their order.
    pub(crate) fn plans(&self) -> Vec<ClaimPlan> {
        let prepared = |name: &str, member: &str| {
            let path = Path([WORK, "claims", member].map(|name| Segment::Key(name.into())).into());
            ClaimPlan::From { name: name.into(), value: Expr::Message(path), absent: AbsentClaim::LeaveOut }
        };
        let text = |name: &str, template: &Template| match template.as_plain() {
            Some(text) => ClaimPlan::Constant(name.into(), Value::text(text)),
            None => prepared(name, name),
        };
        let all = [ClaimPlan::IssuedAt, text("iss", &self.iss), text("sub", &self.sub), ClaimPlan::Expires];
        let defaults = all.into_iter().zip(self.includes).filter(|(_, included)| *included).map(|(claim, _)| claim);
        let rows = self.rows.iter().enumerate().map(|(index, row)| match &row.value {
            RowValue::Plain(value) => ClaimPlan::Constant(row.key.as_str().into(), value.clone()),
            RowValue::Text(_) | RowValue::Json(_) => prepared(&row.key, &index.to_string()),
        });
        defaults.chain(rows).collect()
    }

    /// The span from `iat` to `exp`.
    pub(crate) fn lifetime(&self) -> Lifetime {
        match &self.ttl {
            _ if !self.expires() => Lifetime::Unbounded,
            Ttl::Seconds(seconds) => Lifetime::Seconds(*seconds),
            Ttl::Template(_) => {
                let by = Expr::Message(Path::keys([WORK, "claims", "ttl"]));
                Lifetime::Asked { by, otherwise_secs: TTL_SECS_USUAL }
            }
        }
    }
}

impl Row {
    /// The value, converted to its type for each message.
    pub(crate) fn typed(&self, who: &Who, field: &str) -> Expr {
        let value = match &self.value {
            RowValue::Plain(value) => return Expr::Literal(value.clone()),
            RowValue::Text(template) => template.expr(who),
            RowValue::Json(literal) => literal.expr(who),
        };
        typed::typed_of(value, self.kind, &self.key, who.value(field))
    }

    /// The same as a claim; none if it is known already.
    fn claim(&self, who: &Who, field: &str) -> Option<Expr> {
        if matches!(self.value, RowValue::Plain(_)) {
            return None;
        }
        Some(typed::registered_of(self.typed(who, field), &self.key, who.value(field)))
    }
}

fn read_ttl(config: &mut Form<'_>) -> Option<Ttl> {
    let at = config.at("ttl");
    let told = config.told();
    let illegal = || {
        let message = format!("JWT TTL: whole seconds from 1 to {TTL_SECS_MAX} needed.");
        told.refuse("ttl.invalid", &at, message, "Write a whole number of seconds, or a reference.");
        None
    };
    let seconds = |text: &str| text.parse::<i64>().ok().filter(|seconds| (1..=TTL_SECS_MAX).contains(seconds));
    match config.any("ttl") {
        None => Some(Ttl::Seconds(TTL_SECS_USUAL)),
        Some(Json::Number(text)) => seconds(text).map_or_else(illegal, |seconds| Some(Ttl::Seconds(seconds))),
        Some(Json::Text(text)) => {
            let template = template_at(told, &at, text, "ttl")?;
            match template.as_plain() {
                Some(text) => seconds(text.trim()).map_or_else(illegal, |seconds| Some(Ttl::Seconds(seconds))),
                None => Some(Ttl::Template(template)),
            }
        }
        Some(Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_)) => illegal(),
    }
}

fn template(claims: Option<&mut Form<'_>>, name: &'static str, field: &str, usual: &str) -> Option<Template> {
    let Some(claims) = claims else { return Template::new(usual, field).ok() };
    let text = claims.text(name).unwrap_or(usual);
    let template = template_at(claims.told(), &claims.at(name), text, field)?;
    if template.as_plain().is_some_and(str::is_empty) {
        claims.told().refuse(
            "claim.value",
            &claims.at(name),
            format!("`{name}` is empty."),
            "Write a value or a reference.",
        );
    }
    Some(template)
}

fn read_row(form: &mut Form<'_>, field: &str) -> Option<Row> {
    let key = form.text("key");
    let at = form.at("key");
    let key = key.filter(|key| (1..=KEY_CHARS_MAX).contains(&key.chars().count()));
    if key.is_none() {
        let message = format!("The key of a row is a text of 1 to {KEY_CHARS_MAX} characters.");
        form.told().refuse("value_illegal", &at, message, "Name it.");
    }
    let value = form.text("value").unwrap_or_default();
    let kind = form.choice("type", typed::TYPES);
    let at = form.at("value");
    if value.len() > VALUE_BYTES_MAX {
        let message = format!("The value is longer than {VALUE_BYTES_MAX} octets.");
        form.told().refuse("value_illegal", &at, message, "Write a shorter one.");
        return None;
    }
    let value = read_value(form, &at, value, (kind, field, key.unwrap_or_default()))?;
    Some(Row { key: key?.to_owned(), kind, value })
}

fn read_value(form: &Form<'_>, at: &Spot, text: &str, (kind, field, key): (&str, &str, &str)) -> Option<RowValue> {
    let told = form.told();
    if matches!(kind, "Array" | "Object") {
        // A reference alone is no literal: a `null` that it leads to is missing, as in every other field.
        let alone = Template::new(text.trim(), field).ok().filter(|template| template.as_reference().is_some());
        if let Some(template) = alone {
            return Some(RowValue::Text(template));
        }
        let literal = Literal::new(text, field).map_err(|why| told.refuse("claim.type", at, why, "Mend the JSON."));
        let literal = literal.ok()?;
        return match literal.as_plain() {
            Some(value) => converted(form, at, &value, (kind, key)),
            None => Some(RowValue::Json(literal)),
        };
    }
    let template = template_at(told, at, text, field)?;
    match template.as_plain() {
        Some(plain) => converted(form, at, &Value::text(plain), (kind, key)),
        None => Some(RowValue::Text(template)),
    }
}

fn converted(form: &Form<'_>, at: &Spot, value: &Value, (kind, key): (&str, &str)) -> Option<RowValue> {
    match typed::convert(value, kind) {
        Ok(value) => Some(RowValue::Plain(value)),
        Err(found) => {
            let message = format!("claim \"{key}\": cannot convert {found} to {kind}.");
            form.told().refuse("claim.type", at, message, "Change the value or its type.");
            None
        }
    }
}

/// What RFC 7519 says of a claim of this name.
fn check_claim(form: &Form<'_>, row: &Row) {
    let types = typed::types_of(&row.key);
    if !types.contains(&row.kind) {
        let message = format!("claim \"{}\": the type must be {}, not {}.", row.key, types.join(" or "), row.kind);
        form.told().refuse("claim.value", &form.at("type"), message, "Change the type.");
    } else if let RowValue::Plain(value) = &row.value
        && let Err(rule) = typed::check_registered(&row.key, value)
    {
        form.told().refuse("claim.value", &form.at("value"), format!("claim \"{}\": {rule}.", row.key), "");
    }
}

fn ttl(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, who] = arguments else { return Ok(Value::Undefined) };
    let seconds = if let Value::Number(Number::Integer(seconds)) = value {
        Some(*seconds)
    } else {
        let text = value.as_text().map(str::trim).filter(|text| !text.starts_with('+'));
        text.and_then(|text| text.parse::<i64>().ok())
    };
    match seconds.filter(|seconds| (1..=TTL_SECS_MAX).contains(seconds)) {
        Some(seconds) => Ok(Value::integer(seconds)),
        None => {
            let message = format!("JWT TTL: whole seconds from 1 to {TTL_SECS_MAX} needed");
            Err(fault_of(who, FaultKind::ExpiryInvalid, "ttl.invalid", &message))
        }
    }
}

fn named(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, key, who] = arguments else { return Ok(Value::Undefined) };
    let key = key.as_text().unwrap_or_default();
    let fault =
        |code: &str, why: String| fault_of(who, FaultKind::ClaimsInvalid, code, &format!("claim \"{key}\": {why}"));
    let text = typed::convert(value, "String")
        .map_err(|found| fault("claim.type", format!("cannot convert {found} to String")))?;
    typed::check_registered(key, &text).map_err(|rule| fault("claim.value", rule.to_owned()))?;
    Ok(text)
}
