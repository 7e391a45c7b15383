//! A text as TOML with every byte kept, or where it is none. Decides nothing.

use super::EditError;
use crate::input::Source;

pub(super) fn parse(source: &Source) -> Result<toml_edit::Document<&str>, EditError> {
    toml_edit::Document::parse(source.text.as_ref()).map_err(|error| EditError::NotToml {
        place: source.place(error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })
}
