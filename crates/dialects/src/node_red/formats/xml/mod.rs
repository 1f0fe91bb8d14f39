//! XML, as the `xml` node's library reads it into objects and writes them. Only the entities of XML itself are known.

mod read;
mod rules;
mod write;

use plan::{Fault, FaultKind, Function, Value};

use rules::Rules;

/// Texts (first argument) are read; lists and maps are written; anything else is a fault. The second argument holds the
/// message's options, the third and fourth the node's own names for attributes and text.
pub(in crate::node_red) const TOGGLE: Function = Function { name: "xml", run: toggle };

fn toggle(arguments: &[Value]) -> Result<Value, Fault> {
    let [value, options, attributes, text] = arguments else { return Ok(Value::Undefined) };
    let unfit = |why: String| Fault::new(FaultKind::ValueUnfit, why);
    match value {
        Value::Undefined => Ok(Value::Undefined),
        Value::Text(xml) => {
            let rules = Rules::of(options).named(attributes, text);
            read::value_of(xml, &rules).map_err(|why| unfit(format!("The text is not XML: {why}.")))
        }
        Value::Null | Value::Date(_) | Value::List(_) | Value::Map(_) => {
            let text = write::text_of(value, &Rules::of(options));
            text.map(|text| Value::Text(text.into()))
                .map_err(|why| unfit(format!("The value is not written as XML: {why}.")))
        }
        Value::Bool(_) | Value::Number(_) | Value::Bytes(_) | Value::Handle(_) | Value::Unencodable(_) => {
            Err(unfit("Only texts, lists and objects become XML, or come of it.".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Result<Value, Fault> {
        toggle(&[Value::text(xml), Value::Undefined, Value::Undefined, Value::Undefined])
    }

    #[test]
    fn entities_of_a_document_are_not_known() {
        let bomb = r#"<!DOCTYPE a [<!ENTITY x "xxxx"><!ENTITY y "&x;&x;">]><a>&y;</a>"#;
        assert!(read(bomb).is_err());
        assert!(read(r#"<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a b="&f;"/>"#).is_err());
        assert!(read("<a>&lt;&#65;&#x42;&amp;</a>").is_ok());
    }

    #[test]
    fn what_is_deep_or_broken_is_refused() {
        for xml in [
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "text",
            "<a b/>",
            "<a b='1' b='2'/>",
            "<a>&nope;</a>",
            "<a>&#0;</a>",
            "<",
        ] {
            assert!(read(xml).is_err(), "{xml}");
        }
        assert!(read(&("<a>".repeat(500) + &"</a>".repeat(500))).is_err());
        assert!(read(&format!("<a>{}</a>", "<b/>".repeat(50_000))).is_err());
    }
}
