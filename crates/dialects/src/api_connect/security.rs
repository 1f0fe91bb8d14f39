//! The security schemes that operations ask for: which of them are checked here, and which are not (section 15).

use plan::{Diagnostic, Severity, Text};

use super::tree::{Cursor, NodeKind};

/// The schemes of a definition, and what it asks for where an operation says nothing itself.
pub(super) struct Security<'t> {
    schemes: Option<Cursor<'t>>,
    usual: Option<Cursor<'t>>,
}

impl<'t> Security<'t> {
    /// Those of the definition with this root.
    pub(super) fn of(root: &Cursor<'t>) -> Self {
        let schemes = root.get("securityDefinitions").or_else(|| root.at(["components", "securitySchemes"]));
        Self { schemes, usual: root.get("security") }
    }

    /// The scheme without which the operation cannot be called and that nobody checks here, if there is one.
    pub(super) fn unchecked(&self, operation: &Cursor<'t>) -> Option<Text> {
        let asked = operation.get("security").or_else(|| self.usual.clone())?;
        let NodeKind::List(_) = asked.node.kind else { return None };
        let of_one =
            |one: &Cursor<'_>| one.members().map(|(name, _)| name).find(|name| !self.is_checked(name)).map(Text::from);
        let of_each: Option<Vec<Text>> = asked.items().iter().map(of_one).collect();
        of_each?.into_iter().next()
    }

    /// An API key is the client's id or secret. A scheme that is not defined asks for nothing.
    fn is_checked(&self, name: &str) -> bool {
        let kind = self.schemes.as_ref().and_then(|schemes| schemes.get(name)?.text("type"));
        kind.is_none_or(|kind| kind == "apiKey")
    }

    /// Tells of the schemes that operations cannot do without.
    pub(super) fn told(&self, names: &[Text]) -> Vec<Diagnostic> {
        let known = |name: &Text| Some((name.clone(), self.schemes.as_ref()?.get(name)?));
        names.iter().filter_map(known).map(|(name, at)| unchecked_told(&name, &at)).collect()
    }
}

fn unchecked_told(name: &str, at: &Cursor<'_>) -> Diagnostic {
    let kind = at.text("type").unwrap_or_default();
    let message = format!(
        "The security scheme `{name}` ({kind}) is not checked here: operations that need it run for every client where any is \
         taken, and for none where clients are registered."
    );
    let hint = "Check the caller in the assembly, such as with `jwt-validate`, and take the scheme out.";
    Diagnostic::new(Severity::Warning, "security_unchecked", at.place(""), message).hint(hint)
}
