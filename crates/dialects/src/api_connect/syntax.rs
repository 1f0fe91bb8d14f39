//! An API definition as it is written: what serves it, which operations it has, and where its assembly stands.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use plan::{Diagnostic, Severity, Text, Value};

use super::sealed::{self, Sealed};
use super::security::Security;
use super::tree::{Cursor, Node, NodeKind};

/// Where a definition may hold another.
pub(super) const WRAPPED: [&str; 2] = ["native_provider", "api"];
/// The vendor's extension of OpenAPI.
pub(super) const EXTENSION: &str = "x-ibm-configuration";
/// The methods that a path may have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/// Policies whose version tells the gateway kind (section 1).
const TELLING: [&str; 2] = ["jwt-generate", "jwt-validate"];

/// Which of the two gateways the definition was written for (section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// DataPower Gateway, v5 compatible.
    V5,
    /// DataPower API Gateway.
    Api,
}

/// A definition, read.
pub(super) struct Definition<'t> {
    pub(super) gateway: Gateway,
    pub(super) is_openapi_3: bool,
    pub(super) is_soap: bool,
    pub(super) id: Text,
    pub(super) name: Text,
    pub(super) version: Text,
    /// Begins with `/` and does not end with one; empty for the root.
    pub(super) base_path: String,
    pub(super) operations: Vec<Operation>,
    pub(super) properties: BTreeMap<Text, Value>,
    /// Those whose values are secrets.
    pub(super) sealed: Vec<Sealed>,
    pub(super) cors: bool,
    /// The vendor's own part of it.
    pub(super) extension: Option<Cursor<'t>>,
    pub(super) assembly: Option<Cursor<'t>>,
    pub(super) told: Vec<Diagnostic>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// The path as the author writes it, `{name}` for a parameter.
    pub(super) template: Text,
    pub(super) id: Text,
    /// The first media type that it produces; empty if it names none.
    pub(super) produces: Text,
    pub(super) parameters: Vec<Parameter>,
    /// The security scheme that it cannot do without and that nobody checks here.
    pub(super) unchecked: Option<Text>,
    /// The JSON pointer to it.
    pub(super) pointer: Text,
}

/// A parameter that an operation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: Text,
    /// `query`, `header`, `path`, `formData`, `body`, `cookie`.
    pub(super) location: Text,
    pub(super) required: bool,
}

/// What the choice of properties depends on.
pub(super) struct Choice<'s> {
    /// The name of the document, to which its secrets belong.
    pub(super) document: &'s str,
    pub(super) catalog: &'s str,
    pub(super) properties: &'s BTreeMap<String, String>,
}

/// Reads the definition in this tree.
///
/// # Errors
/// Why the tree is none.
pub(super) fn read<'t>(tree: &'t Node, choice: &Choice<'_>) -> Result<Definition<'t>, Box<Diagnostic>> {
    let root = Cursor::root(tree);
    let root = root.at(WRAPPED).unwrap_or(root);
    let is_openapi_3 = root.text("openapi").is_some_and(|version| version.starts_with('3'));
    if !is_openapi_3 && root.text("swagger").is_none_or(|version| !version.starts_with('2')) {
        return Err(Box::new(no_definition(&root)));
    }
    let extension = root.get(EXTENSION);
    let assembly = extension.as_ref().and_then(|extension| extension.get("assembly"));
    let (gateway, mut told) = gateway(extension.as_ref(), assembly.as_ref(), is_openapi_3);
    let produces = first_text(root.get("produces"));
    let (properties, sealed) = extension.as_ref().map(|extension| properties(extension, choice)).unwrap_or_default();
    let security = Security::of(&root);
    let operations = root.get("paths").map(|paths| operations(&paths, &produces, &security)).unwrap_or_default();
    let unchecked: BTreeSet<Text> = operations.iter().filter_map(|one| one.unchecked.clone()).collect();
    told.extend(security.told(&Vec::from_iter(unchecked)));
    Ok(Definition {
        gateway,
        is_openapi_3,
        is_soap: is_soap(extension.as_ref()),
        id: root.at(["info", "x-ibm-name"]).and_then(|name| name.node.scalar_text()).unwrap_or_default().into(),
        name: root.at(["info", "title"]).and_then(|title| title.node.scalar_text()).unwrap_or_default().into(),
        version: root.at(["info", "version"]).and_then(|title| title.node.scalar_text()).unwrap_or_default().into(),
        base_path: base_path(&root, is_openapi_3),
        operations,
        properties,
        sealed,
        cors: extension.as_ref().and_then(|extension| extension.get("cors")?.flag("enabled")).unwrap_or(false),
        extension,
        assembly,
        told,
    })
}

fn no_definition(root: &Cursor<'_>) -> Diagnostic {
    let message = "The document is no API definition: it has neither `swagger: \"2.0\"` nor `openapi: 3.x` at its top.";
    Diagnostic::new(Severity::Error, "no_definition", root.place(""), message)
        .hint("Export the API itself, not its product or its catalog.")
}

/// The kind by `gateway`, else by a policy's version, else by the version of OpenAPI (section 1).
fn gateway(
    extension: Option<&Cursor<'_>>,
    assembly: Option<&Cursor<'_>>,
    is_openapi_3: bool,
) -> (Gateway, Vec<Diagnostic>) {
    let mut versions = Vec::new();
    if let Some(assembly) = assembly {
        policy_versions(assembly, &mut versions);
    }
    let by_version = |version: &str| if version.starts_with('1') { Gateway::V5 } else { Gateway::Api };
    let written = extension.and_then(|extension| extension.get("gateway"));
    let named = written.as_ref().and_then(|gateway| match gateway.node.scalar_text()?.as_str() {
        "datapower-gateway" => Some(Gateway::V5),
        "datapower-api-gateway" => Some(Gateway::Api),
        _ => None,
    });
    let guessed = versions.first().map(|(_, version)| by_version(version));
    let kind = named.or(guessed).unwrap_or(if is_openapi_3 { Gateway::Api } else { Gateway::V5 });
    let clash = |(at, version): &(Cursor<'_>, String)| {
        let message = format!("The version {version} of the policy belongs to the other gateway; `gateway` counts.");
        Diagnostic::new(Severity::Warning, "version_clash", at.place(""), message)
            .hint("Correct `version`, or leave it out.")
    };
    let told = versions.iter().filter(|(_, version)| by_version(version) != kind).map(clash).collect();
    (kind, told)
}

/// The versions of the policies that tell the kind, wherever they stand.
fn policy_versions<'t>(at: &Cursor<'t>, found: &mut Vec<(Cursor<'t>, String)>) {
    for (name, value) in at.members() {
        if let Some(version) = TELLING.contains(&name).then(|| value.text("version")).flatten() {
            found.push((value.clone(), version));
        }
        policy_versions(&value, found);
    }
    for item in at.items() {
        policy_versions(&item, found);
    }
}

fn is_soap(extension: Option<&Cursor<'_>>) -> bool {
    let Some(extension) = extension else { return false };
    let typed = extension.text("type").is_some_and(|kind| kind == "wsdl" || kind == "soap");
    typed || extension.get("wsdl-definition").is_some()
}

fn base_path(root: &Cursor<'_>, is_openapi_3: bool) -> String {
    let written = if is_openapi_3 {
        let url = root.get("servers").and_then(|servers| servers.items().first()?.text("url")).unwrap_or_default();
        match url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or_else(String::new, |at| rest[at..].to_owned()),
            None => url,
        }
    } else {
        root.text("basePath").unwrap_or_default()
    };
    let bare = written.trim_matches('/');
    if bare.is_empty() { String::new() } else { format!("/{bare}") }
}

fn operations<'t>(paths: &Cursor<'t>, produces: &Text, security: &Security<'t>) -> Vec<Operation> {
    let mut found = Vec::new();
    for (template, path) in paths.members().filter(|(template, _)| template.starts_with('/')) {
        let shared = parameters(&path);
        for (method, operation) in path.members().filter(|(method, _)| METHODS.contains(method)) {
            let own = first_text(operation.get("produces"));
            let mut all = parameters(&operation);
            let is_new = |one: &Parameter, all: &[Parameter]| {
                all.iter().all(|other| (&other.name, &other.location) != (&one.name, &one.location))
            };
            all.extend(shared.iter().filter(|one| is_new(one, &all.clone())).cloned().collect::<Vec<_>>());
            found.push(Operation {
                method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap_or_default(),
                template: template.into(),
                id: operation.text("operationId").unwrap_or_default().into(),
                produces: if own.is_empty() { produces.clone() } else { own },
                parameters: all,
                unchecked: security.unchecked(&operation),
                pointer: operation.pointer.as_str().into(),
            });
        }
    }
    found
}

fn parameters(of: &Cursor<'_>) -> Vec<Parameter> {
    let items = of.get("parameters").map(|list| list.items()).unwrap_or_default();
    let read = |item: &Cursor<'_>| {
        Some(Parameter {
            name: item.text("name")?.into(),
            location: item.text("in")?.into(),
            required: item.flag("required") == Some(true),
        })
    };
    items.iter().filter_map(read).collect()
}

fn first_text(list: Option<Cursor<'_>>) -> Text {
    let first = list.and_then(|list| list.items().first().and_then(|item| item.node.scalar_text()));
    first.unwrap_or_default().into()
}

/// The properties of the API, those of the catalog over them, and what was set for this run over both (section 13); those
/// that are secrets apart.
fn properties(extension: &Cursor<'_>, choice: &Choice<'_>) -> (BTreeMap<Text, Value>, Vec<Sealed>) {
    let mut found = Properties { document: choice.document, ..Properties::default() };
    let own = extension.get("properties");
    let is_encoded = |name: &str| own.as_ref().and_then(|own| own.get(name)?.flag("encoded")) == Some(true);
    for (name, property) in own.iter().flat_map(Cursor::members) {
        let value = property.get("value").map_or(Value::Undefined, |value| value.node.value());
        found.put(name, None, value, is_encoded(name));
    }
    let overrides = extension.at(["catalogs", choice.catalog, "properties"]);
    for (name, value) in overrides.iter().flat_map(Cursor::members) {
        let value = value.get("value").unwrap_or(value).node.value();
        found.put(name, Some(choice.catalog), value, is_encoded(name));
    }
    for (name, value) in choice.properties {
        found.replace(name, sealed::given(name, value).ok_or_else(|| Value::text(value)));
    }
    (found.plain, found.sealed)
}

#[derive(Default)]
struct Properties<'c> {
    document: &'c str,
    plain: BTreeMap<Text, Value>,
    sealed: Vec<Sealed>,
}

impl Properties<'_> {
    fn put(&mut self, name: &str, catalog: Option<&str>, value: Value, is_encoded: bool) {
        let sealed = sealed::of(self.document, name, catalog, &value);
        self.replace(name, sealed.ok_or_else(|| if is_encoded { decoded(value) } else { value }));
    }

    /// A property is what was said of it last.
    fn replace(&mut self, name: &str, property: Result<Sealed, Value>) {
        self.plain.remove(name);
        self.sealed.retain(|sealed| &*sealed.name != name);
        match property {
            Ok(sealed) => self.sealed.push(sealed),
            Err(value) => drop(self.plain.insert(name.into(), value)),
        }
    }
}

/// A value that is kept as base64; one that is none stays as it is.
fn decoded(value: Value) -> Value {
    let octets = value.as_text().and_then(|text| base64_simd::forgiving_decode_to_vec(text.as_bytes()).ok());
    octets.and_then(|octets| String::from_utf8(octets).ok()).map_or(value, |text| Value::Text(text.into()))
}

/// Whether a text says at its top, or anywhere a definition may stand, that it is one.
pub(super) fn looks_like_one(octets: &[u8]) -> bool {
    let holds = |word: &str| memchr::memmem::find(octets, word.as_bytes()).is_some();
    let first = octets.iter().find(|octet| !octet.is_ascii_whitespace());
    first != Some(&b'[') && ["swagger", "openapi", "x-ibm-configuration", "native_provider"].into_iter().any(holds)
}

impl Definition<'_> {
    /// The names of the parameters that its operations have, in their paths or elsewhere.
    pub(super) fn parameter_names(&self) -> Vec<&str> {
        let declared = self.operations.iter().flat_map(|one| one.parameters.iter().map(|parameter| &*parameter.name));
        let steps = self.operations.iter().flat_map(|one| one.template.split('{').skip(1));
        let in_paths = steps.filter_map(|step| step.split_once('}'));
        let in_paths = in_paths.map(|(name, _)| name.trim_start_matches('+').trim_end_matches('*'));
        in_paths.chain(declared).collect()
    }

    /// The list of steps under a member of the assembly.
    pub(super) fn steps(&self, name: &str) -> Option<Cursor<'_>> {
        let steps = self.assembly.as_ref()?.get(name)?;
        matches!(steps.node.kind, NodeKind::List(_)).then_some(steps)
    }
}
