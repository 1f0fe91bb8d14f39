//! How XML and objects stand for each other.

use plan::ecmascript::is_truthy;
use plan::{Map, Text, Value};

/// The options of the node's library, as far as they are known here.
pub(super) struct Rules {
    /// The member that holds the attributes.
    pub(super) attributes: Text,
    /// The member that holds the text.
    pub(super) text: Text,
    /// Whether every element is a list.
    pub(super) explicit_array: bool,
    /// Whether the outermost element's name is kept.
    pub(super) explicit_root: bool,
    /// Whether text alone stands under its member, too.
    pub(super) explicit_text: bool,
    /// Whether attributes are left out.
    pub(super) ignore_attributes: bool,
    /// Whether attributes stand among the elements.
    pub(super) merge_attributes: bool,
    /// Whether white space around texts is cut off.
    pub(super) trim: bool,
    /// Whether white space within texts is one blank.
    pub(super) normalize: bool,
    /// Whether names of elements are written small.
    pub(super) normalize_tags: bool,
    /// What an empty element is.
    pub(super) empty: Text,
    /// The name of the outermost element where the object has none.
    pub(super) root: Text,
    /// Whether the declaration is left out.
    pub(super) headless: bool,
    /// What begins each line of a level; none for one line.
    pub(super) indent: Option<Text>,
}

impl Rules {
    /// The rules of these options.
    pub(super) fn of(options: &Value) -> Self {
        let options = options.as_map();
        let flag = |name: &str, usual| options.and_then(|all| all.get(name)).map_or(usual, is_truthy);
        let text = |name: &str, usual: &str| named(options, name).unwrap_or_else(|| usual.into());
        let rendering = options.and_then(|all| all.get("renderOpts")?.as_map());
        let is_pretty = match rendering {
            Some(rendering) => rendering.get("pretty").is_some_and(is_truthy),
            None => options.is_some(),
        };
        Self {
            attributes: text("attrkey", "$"),
            text: text("charkey", "_"),
            explicit_array: flag("explicitArray", true),
            explicit_root: flag("explicitRoot", true),
            explicit_text: flag("explicitCharkey", false),
            ignore_attributes: flag("ignoreAttrs", false),
            merge_attributes: flag("mergeAttrs", false),
            trim: flag("trim", false),
            normalize: flag("normalize", false),
            normalize_tags: flag("normalizeTags", false),
            empty: text("emptyTag", ""),
            root: text("rootName", "root"),
            headless: flag("headless", false),
            indent: is_pretty.then(|| named(rendering, "indent").unwrap_or_else(|| "  ".into())),
        }
    }

    /// The same rules with the node's own names, where it has any.
    pub(super) fn named(self, attributes: &Value, text: &Value) -> Self {
        let own = |own: &Value, usual| own.as_text().filter(|own| !own.is_empty()).map_or(usual, Text::from);
        Self { attributes: own(attributes, self.attributes), text: own(text, self.text), ..self }
    }
}

fn named(options: Option<&Map>, name: &str) -> Option<Text> {
    options.and_then(|all| all.get(name)?.as_text()).filter(|text| !text.is_empty()).map(Text::from)
}
