//! The interface of every component, and how a template becomes text.

/// A component: a value of this crate that knows its own, already escaped HTML.
/// Strings are deliberately none, so a template cannot pass one through unescaped.
pub trait Part {
    /// The component's HTML.
    fn html(&self) -> String;
}

impl<T: Part + ?Sized> Part for &T {
    fn html(&self) -> String {
        (**self).html()
    }
}

/// Renders a template into memory.
pub(crate) fn render<T: askama::Template>(template: &T) -> String {
    template
        .render()
        .expect("writing a page into memory cannot fail: no filter of this crate returns an error")
}
