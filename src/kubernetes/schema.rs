//! The types that the API server decodes into, and what does not fit them.
//!
//! Decides unknown fields (strict decoding, kubectl's default) and values of the wrong type, in the words
//! of Go's decoder. Facts: the API of Kubernetes 1.36 in `assets/kubernetes/schema-1.36.txt`.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use super::quantity::Quantity;
use crate::input::manifest::node::{Data, Entry, Node, Shape};

/// A field's type.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Type {
    Text,
    Bool,
    Int32,
    Int64,
    Float,
    Quantity,
    Quantities,
    Texts,
    IntOrText,
    Time,
    Anything,
    List(Box<Type>),
    /// By its place in the file.
    Object(usize),
}

/// A type of the file: its name, and its fields.
struct Struct {
    name: &'static str,
    fields: Vec<(&'static str, Type)>,
}

/// In which order the fields of an object are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The server's: byte order of the keys. It decides which mismatch is told.
    Keys,
    /// The text's, which is at hand; where nothing is wrong both give the same.
    Text,
}

impl Type {
    fn parse(text: &'static str, names: &HashMap<&'static str, usize>) -> Self {
        match text {
            "s" => Self::Text,
            "b" => Self::Bool,
            "i" => Self::Int32,
            "I" => Self::Int64,
            "f" => Self::Float,
            "q" => Self::Quantity,
            "Q" => Self::Quantities,
            "m" => Self::Texts,
            "o" => Self::IntOrText,
            "t" => Self::Time,
            "*" => Self::Anything,
            _ => match text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
                Some(inner) => Self::List(Box::new(Self::parse(inner, names))),
                // A type that the file does not have has no fields.
                None => Self::Object(names.get(text).copied().unwrap_or(usize::MAX)),
            },
        }
    }

    /// Go's name of the type.
    fn go(&self) -> String {
        match self {
            Self::Text => "string".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Int32 => "int32".to_owned(),
            Self::Int64 => "int64".to_owned(),
            Self::Float => "float64".to_owned(),
            Self::Texts => "map[string]string".to_owned(),
            Self::Quantity => "resource.Quantity".to_owned(),
            Self::Quantities => "v1.ResourceList".to_owned(),
            Self::IntOrText => "intstr.IntOrString".to_owned(),
            Self::Time => "v1.Time".to_owned(),
            Self::Anything => "interface {}".to_owned(),
            Self::List(inner) => format!("[]{}", inner.go()),
            Self::Object(index) => {
                format!("v1.{}", schema().structs.get(*index).map_or("", |found| found.name))
            }
        }
    }
}

/// The file.
struct Schema {
    structs: Vec<Struct>,
    /// Where each is.
    names: HashMap<&'static str, usize>,
}

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let text = include_str!("../../assets/kubernetes/schema-1.36.txt");
        let lines = text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(": "));
        let names = lines.clone().enumerate().map(|(index, (name, _))| (name, index)).collect();
        let fields = |list: &'static str| {
            let fields = list.split(", ").filter_map(|f| f.split_once(' '));
            fields.map(|(name, t)| (name, Type::parse(t, &names))).collect()
        };
        let structs = lines.map(|(name, list)| Struct { name, fields: fields(list) }).collect();
        Schema { structs, names }
    })
}

/// Where a value stands; written out only where something is wrong with it.
#[derive(Clone, Copy)]
struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Field(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    fn then(&'p self, step: Step<'p>) -> Self {
        Path { parent: Some(self), step }
    }

    fn is_empty(&self) -> bool {
        matches!(self.step, Step::Field("")) && self.parent.is_none_or(Self::is_empty)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}")?;
        }
        match self.step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Field(name) => {
                let dot = if self.parent.is_none_or(Self::is_empty) { "" } else { "." };
                write!(f, "{dot}{name}")
            }
        }
    }
}

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Go's words.
    pub message: String,
    /// The field, dotted.
    pub path: String,
    /// The annotation or label key, where it is one.
    pub key: Option<String>,
    /// What stands there.
    pub shape: Shape,
    /// Byte offset of the value.
    pub at: usize,
}

/// A field that the type does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The field, dotted.
    pub path: String,
    /// The type that does not have it.
    pub within: &'static str,
    /// A field of that name but for its case, or one letter off.
    pub nearest: Option<&'static str>,
    /// Byte offset of the key.
    pub at: usize,
}

/// What does not fit a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoding {
    /// The first value of a wrong type, in the order in which the server reads (byte order of the keys).
    pub mismatch: Option<Mismatch>,
    /// Every unknown field.
    pub unknown: Vec<Unknown>,
}

/// Decodes `node` as `name`, a type of the file, at `path`.
pub fn decode(node: &Node<'_>, name: &'static str, path: &str) -> Decoding {
    let Some(index) = schema().names.get(name) else { return Decoding::default() };
    let path = Path { parent: None, step: Step::Field(path) };
    let read = |order| {
        let mut decoding = Decoding::default();
        object(node, *index, order, path, &mut decoding);
        decoding
    };
    let decoding = read(Order::Text);
    if decoding == Decoding::default() { decoding } else { read(Order::Keys) }
}

/// Whether `name` is a type of the file.
pub fn knows(name: &str) -> Option<&'static str> {
    schema().names.get_key_value(name).map(|(name, _)| *name)
}

fn in_order<'n, 'a>(node: &'n Node<'a>, order: Order, mut visit: impl FnMut(&'n Entry<'a>)) {
    let entries = node.entries();
    if order == Order::Text {
        return entries.iter().for_each(visit);
    }
    let mut entries: Vec<&Entry<'_>> = entries.iter().collect();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    entries.into_iter().for_each(&mut visit);
}

fn object(node: &Node<'_>, index: usize, order: Order, path: Path<'_>, decoding: &mut Decoding) {
    let Some(Struct { name, fields }) = schema().structs.get(index) else { return };
    in_order(node, order, |entry| {
        if decoding.mismatch.is_some() {
            return;
        }
        let path = path.then(Step::Field(&entry.key));
        match fields.iter().find(|(field, _)| *field == entry.key) {
            Some((_, kind)) => value(&entry.value, kind, name, order, path, None, decoding),
            None => decoding.unknown.push(Unknown {
                path: path.to_string(),
                within: name,
                nearest: nearest(&entry.key, fields),
                at: entry.at,
            }),
        }
    });
}

fn nearest(key: &str, fields: &[(&'static str, Type)]) -> Option<&'static str> {
    let same = fields.iter().find(|(f, _)| f.eq_ignore_ascii_case(key));
    let near = |f: &str| {
        let (short, long) = if f.len() < key.len() { (f, key) } else { (key, f) };
        long.starts_with(short) && long.len() - short.len() <= 2 && short.len() > 2
    };
    same.or_else(|| fields.iter().find(|(f, _)| near(f))).map(|(f, _)| *f)
}

fn value(
    node: &Node<'_>,
    kind: &Type,
    within: &'static str,
    order: Order,
    path: Path<'_>,
    key: Option<&str>,
    decoding: &mut Decoding,
) {
    let shape = node.shape();
    if shape == Shape::Null || decoding.mismatch.is_some() {
        return;
    }
    let fits = match kind {
        Type::Anything => true,
        Type::Text | Type::Time => shape == Shape::String,
        Type::Bool => shape == Shape::Bool,
        Type::Int32 | Type::Int64 | Type::Float => shape == Shape::Number,
        Type::Quantity => {
            let quantity = match &node.data {
                Data::String(text) | Data::Number(text) => {
                    Quantity::from_json(text).err().map(|e| e.to_string())
                }
                _ => Quantity::parse("x").err().map(|e| e.to_string()),
            };
            if let Some(message) = quantity {
                let path = path.to_string();
                decoding.mismatch = Some(Mismatch { message, path, key: None, shape, at: node.at });
            }
            true
        }
        Type::IntOrText => matches!(shape, Shape::String | Shape::Number),
        Type::Texts | Type::Quantities | Type::Object(_) => shape == Shape::Object,
        Type::List(_) => shape == Shape::Array,
    };
    // Go's decoder names the fields it went through, not the elements.
    let fields = || without_indices(&path.to_string());
    if !fits {
        let message = format!(
            "json: cannot unmarshal {} into Go struct field {within}.{} of type {}",
            shape.as_str(),
            fields(),
            kind.go()
        );
        let path = path.to_string();
        decoding.mismatch = Some(Mismatch { message, path, key: key.map(str::to_owned), shape, at: node.at });
        return;
    }
    match kind {
        Type::Texts | Type::Quantities => {
            let inner = if matches!(kind, Type::Texts) { Type::Text } else { Type::Quantity };
            in_order(node, order, |entry| {
                value(&entry.value, &inner, within, order, path, Some(&entry.key), decoding);
            });
        }
        Type::List(inner) => {
            for (index, item) in node.items().iter().enumerate() {
                if let Type::Object(name) = &**inner
                    && item.shape() == Shape::Object
                {
                    object(item, *name, order, path.then(Step::Index(index)), decoding);
                    continue;
                }
                value(item, inner, within, order, path, None, decoding);
            }
        }
        Type::Object(index) => object(node, *index, order, path, decoding),
        Type::Int32 | Type::Int64 => {
            if let (Data::Number(text), None) = (&node.data, whole(node, kind)) {
                let message = format!(
                    "json: cannot unmarshal number {text} into Go struct field {within}.{} of type {}",
                    fields(),
                    kind.go()
                );
                let path = path.to_string();
                decoding.mismatch = Some(Mismatch { message, path, key: None, shape, at: node.at });
            }
        }
        _ => {}
    }
}

/// `spec.containers.image` of `spec.containers[0].image`.
fn without_indices(path: &str) -> String {
    path.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect()
}

fn whole(node: &Node<'_>, kind: &Type) -> Option<i64> {
    let number = node.integer()?;
    (*kind == Type::Int64 || i32::try_from(number).is_ok()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::manifest::yaml;

    fn pod(text: &str) -> Decoding {
        decode(&yaml::read(text).unwrap().unwrap().root, "Pod", "")
    }

    #[test]
    fn every_type_of_the_file_is_in_the_file() {
        for Struct { name, fields } in &schema().structs {
            for (field, kind) in fields {
                let mut kind = kind;
                while let Type::List(inner) = kind {
                    kind = inner;
                }
                if let Type::Object(inner) = kind {
                    assert!(schema().structs.get(*inner).is_some(), "{name}.{field}");
                }
            }
        }
    }

    #[test]
    fn mismatches_and_unknown_fields_are_told_as_go_does() {
        let message = |text| pod(text).mismatch.map(|m| m.message);
        assert_eq!(
            message("metadata: {annotations: {b: 1, a: true}}").as_deref(),
            Some(
                "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.annotations of type string"
            )
        );
        assert_eq!(
            message("metadata: {annotations: [a]}").as_deref(),
            Some(
                "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.annotations of type map[string]string"
            )
        );
        assert_eq!(
            message("spec: {containers: [{env: [{value: 5}]}]}").as_deref(),
            Some(
                "json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string"
            )
        );
        assert_eq!(message("spec: {containers: [{name: a, resources: {limits: {cpu: 1, memory: }}}]}"), None);
        let unknown = pod("x: 1\nmetadata: {Annotations: {}}\nspec: {containers: [{imag: i}]}").unknown;
        let paths: Vec<_> = unknown.iter().map(|u| (u.path.as_str(), u.nearest)).collect();
        assert_eq!(
            paths,
            [
                ("metadata.Annotations", Some("annotations")),
                ("spec.containers[0].imag", Some("image")),
                ("x", None)
            ]
        );
    }
}
