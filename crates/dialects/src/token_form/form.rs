//! Reads an author's object strictly: every member by its name and type, what is left over is refused with its pointer.

use std::cell::RefCell;

use jose::json::{Object, Value as Json};
use plan::{Diagnostic, Place, Severity};

/// What the author is told, wherever in the document it is found.
#[derive(Default)]
pub(crate) struct Told(RefCell<Vec<Diagnostic>>);

/// An object of the document that is being read.
pub(crate) struct Form<'d> {
    object: &'d Object,
    spot: Spot,
    told: &'d Told,
    taken: Vec<&'static str>,
}

/// A place in the document: whose it is, and its pointer.
#[derive(Clone, Default)]
pub(crate) struct Spot(Place);

impl Told {
    /// Says something of a place.
    pub(crate) fn tell(
        &self,
        severity: Severity,
        code: &'static str,
        at: &Spot,
        message: impl Into<String>,
        hint: &str,
    ) {
        let told = Diagnostic::new(severity, code, at.0.clone(), message).hint(hint);
        self.0.borrow_mut().push(told);
    }

    /// Refuses the document for what stands at a place.
    pub(crate) fn refuse(&self, code: &'static str, at: &Spot, message: impl Into<String>, hint: &str) {
        self.tell(Severity::Error, code, at, message, hint);
    }

    /// Everything that was said, in order.
    pub(crate) fn into_inner(self) -> Vec<Diagnostic> {
        self.0.into_inner()
    }
}

impl Spot {
    /// The whole document.
    pub(crate) fn root() -> Self {
        Self::default()
    }

    /// The same place as part of a node.
    #[must_use]
    pub(crate) fn of_node(&self, id: &str, kind: &str, section: &str) -> Self {
        let pointer = self.0.pointer.clone();
        Self(Place { node: id.into(), kind: kind.into(), section: section.into(), pointer, line_column: None })
    }

    /// A member or element below it (RFC 6901).
    #[must_use]
    pub(crate) fn below(&self, name: &str) -> Self {
        let mut below = self.clone();
        below.0.pointer.push('/');
        below.0.pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        below
    }

    /// The pointer.
    pub(crate) fn pointer(&self) -> &str {
        &self.0.pointer
    }
}

impl<'d> Form<'d> {
    /// Reads this object.
    pub(crate) fn new(object: &'d Object, spot: Spot, told: &'d Told) -> Self {
        Self { object, spot, told, taken: Vec::new() }
    }

    /// Where it stands.
    pub(crate) fn spot(&self) -> &Spot {
        &self.spot
    }

    /// Where a member stands.
    pub(crate) fn at(&self, name: &str) -> Spot {
        self.spot.below(name)
    }

    /// To whom things are told.
    pub(crate) fn told(&self) -> &'d Told {
        self.told
    }

    /// A member as it is written.
    pub(crate) fn any(&mut self, name: &'static str) -> Option<&'d Json> {
        self.taken.push(name);
        self.object.get(name)
    }

    /// A member that is text.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<&'d str> {
        self.of_type(name, "a text", Json::as_text)
    }

    /// A member that is a boolean.
    pub(crate) fn flag(&mut self, name: &'static str, usual: bool) -> bool {
        self.of_type(name, "true or false", Json::as_bool).unwrap_or(usual)
    }

    /// A member that is a whole number in this range.
    pub(crate) fn integer(&mut self, name: &'static str, range: std::ops::RangeInclusive<i64>, usual: i64) -> i64 {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let read = |value: &Json| value.as_number()?.parse::<i64>().ok().filter(|number| range.contains(number));
        self.of_type(name, &expected, read).unwrap_or(usual)
    }

    /// A member that is one of these texts; the first if it is absent.
    pub(crate) fn choice(&mut self, name: &'static str, choices: &'static [&'static str]) -> &'static str {
        let expected = format!("one of `{}`", choices.join("`, `"));
        let read = |value: &Json| choices.iter().copied().find(|choice| value.as_text() == Some(choice));
        self.of_type(name, &expected, read).unwrap_or(choices[0])
    }

    /// A member that is an object.
    pub(crate) fn object(&mut self, name: &'static str) -> Option<Form<'d>> {
        let object = self.of_type(name, "an object", Json::as_object)?;
        Some(Form::new(object, self.at(name), self.told))
    }

    /// The same, as it is written.
    pub(crate) fn raw(&mut self, name: &'static str) -> Option<&'d Object> {
        self.of_type(name, "an object", Json::as_object)
    }

    /// A member that is a list of at most so many items, each with its place.
    pub(crate) fn list(&mut self, name: &'static str, items_max: usize) -> Vec<(&'d Json, Spot)> {
        let items = self.of_type(name, "a list", Json::as_array).unwrap_or_default();
        let at = self.at(name);
        if items.len() > items_max {
            let message = format!("`{name}` has {} items, and may have {items_max}.", items.len());
            self.told.refuse("list_too_long", &at, message, "Take some out.");
        }
        items.iter().enumerate().take(items_max).map(|(index, item)| (item, at.below(&index.to_string()))).collect()
    }

    /// A member that is a list of objects.
    pub(crate) fn objects(&mut self, name: &'static str, items_max: usize) -> Vec<Form<'d>> {
        let told = self.told;
        let form = |(item, at): (&'d Json, Spot)| match item.as_object() {
            Some(object) => Some(Form::new(object, at, told)),
            None => {
                told.refuse("value_illegal", &at, "An object belongs here.", "");
                None
            }
        };
        self.list(name, items_max).into_iter().filter_map(form).collect()
    }

    /// Whether a member is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some()
    }

    /// Refuses what nobody asked for.
    pub(crate) fn close(self) {
        for (name, _) in self.object.iter().filter(|(name, _)| !self.taken.contains(name)) {
            let message = format!("There is no member `{name}` here.");
            let hint = format!("Known are `{}`.", self.taken.join("`, `"));
            self.told.refuse("member_unknown", &self.spot.below(name), message, &hint);
        }
    }

    fn of_type<T>(&mut self, name: &'static str, expected: &str, read: impl Fn(&'d Json) -> Option<T>) -> Option<T> {
        let value = self.any(name)?;
        let found = read(value);
        if found.is_none() {
            let message = format!("`{name}` must be {expected}.");
            self.told.refuse("value_illegal", &self.at(name), message, "");
        }
        found
    }
}
