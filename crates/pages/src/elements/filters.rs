//! The filters of the templates. `{{ value }}` alone is always safe; these
//! choose how a value is shown.

use std::fmt::Display;

use askama::filters::Safe;
use askama::{Result, Values};

use crate::Part;
use crate::elements::{icons, text};

/// A text of people in running text: hidden characters are marked.
#[askama::filter_fn]
pub fn t<T: Display>(value: T, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(text::mark(&value.to_string())))
}

/// The value of a control, sent back exactly as it was typed.
#[askama::filter_fn]
pub fn raw<T: Display>(value: T, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(text::raw(&value.to_string())))
}

/// A long text, written in Markdown.
#[askama::filter_fn]
pub fn prose<T: Display>(value: T, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(text::markdown(&value.to_string())))
}

/// A component of this crate, rendered in place.
#[askama::filter_fn]
pub fn part<T: Part>(value: T, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(value.html()))
}

/// An icon by its name, with further classes (`""` for none).
#[askama::filter_fn]
pub fn icon<T: Display>(name: T, _: &dyn Values, class: &str) -> Result<Safe<String>> {
    Ok(Safe(icons::icon(&name.to_string(), class)))
}

/// A heading or label that opens its meaning where it is a term of the glossary.
#[askama::filter_fn]
pub fn word<T: Display>(label: T, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(crate::elements::glossary::word(&label.to_string())))
}

/// A small button that opens the meaning of a label that is a link already; nothing where it is no term of the glossary.
#[askama::filter_fn]
pub fn meaning<T: Display>(label: T, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(crate::elements::glossary::help_button(&label.to_string())))
}

/// The round mark with a person's initials; the name is beside it.
#[askama::filter_fn]
pub fn face<T: Display>(name: T, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(crate::elements::avatar::avatar(&name.to_string())))
}
