//! `#[derive(Described)]` and `#[derive(Noun)]`: the fields of a struct as data, for the cards of `model::core::card`.
//!
//! The macros emit constants and no behaviour: parsing, OpenAPI, the command line and the pages read the
//! constants at run time. The documentation of a field is also its text in the API, in `--help` and in forms.

mod field;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as TokenStream2;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, FieldsNamed, LitStr, Path, Result, parse_macro_input};

/// Emits the name, the documentation and the fields of a struct.
///
/// A field is classified by its type: `String` and ids are texts, `Option` is optional, `Vec` and `BTreeSet` are lists,
/// `Timestamp`, `bool` and `i64` are themselves. The attribute `card` adds what a type does not say:
/// `most = N` (the longest text, in characters, or the largest number), `words` (the type is a closed enum), `words = NAME` (the
/// values of a constant), `object` (a part that is described in prose), `part = "…"` (a part with the named shape, which code
/// reads), `text` (free text: sealed in the log), `column` or `column = "…"` (a derived column of the same or another
/// name), `refers = "service"`, `example = "…"`, `label = "…"`, `optional` or `needed`, `positional` and `option = "…"` (the command
/// line), `usual = "…"` (given when nothing is said). `card(constants)` on the struct adds a constant for each field, so that code
/// names a field without a text: `NewChange::TITLE.name`.
#[proc_macro_derive(Described, attributes(card))]
pub fn described(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    finish(emit_described(&input))
}

/// Ties a record to the constant `CARD` of its module. The record has the fields `id` and `version`, and derives `Described` as
/// well.
///
/// A record whose verbs are written by hand has no such constant: `#[noun(table = "comment")]` makes a card of its fields alone.
/// `derived = NAME` names a constant with derived columns that no field holds.
#[proc_macro_derive(Noun, attributes(noun))]
pub fn noun(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    finish(emit_noun(&input))
}

fn finish(result: Result<TokenStream2>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}

fn emit_described(input: &DeriveInput) -> Result<TokenStream2> {
    let name = &input.ident;
    let text = name.to_string();
    let doc = field::documentation(&input.attrs);
    let kept: Vec<_> = named(input)?.named.iter().filter(|it| !field::is_own(it)).collect();
    let mut fields = kept.iter().map(|it| field::emit(it)).collect::<Result<Vec<_>>>()?;
    let mut constants = TokenStream2::new();
    if has_constants(input)? {
        let names: Vec<_> = kept.iter().filter_map(|it| field::constant(it)).collect();
        let docs: Vec<_> = kept.iter().map(|it| field::documentation(&it.attrs)).collect();
        constants = quote! {
            impl #name {
                #(#[doc = #docs] pub const #names: crate::core::card::Field = #fields;)*
            }
        };
        fields = names.iter().map(|it| quote!(Self::#it)).collect();
    }
    Ok(quote! {
        #constants
        impl crate::core::card::Described for #name {
            const NAME: &'static str = #text;
            const DOC: &'static str = #doc;
            const FIELDS: &'static [crate::core::card::Field] = &[#(#fields),*];
        }
    })
}

/// Whether the struct has `card(constants)`.
fn has_constants(input: &DeriveInput) -> Result<bool> {
    let mut has = false;
    for attribute in input.attrs.iter().filter(|it| it.path().is_ident("card")) {
        attribute.parse_nested_meta(|meta| {
            has = meta.path.is_ident("constants");
            if has {
                Ok(())
            } else {
                Err(meta.error("`card` does not know this"))
            }
        })?;
    }
    Ok(has)
}

fn emit_noun(input: &DeriveInput) -> Result<TokenStream2> {
    let name = &input.ident;
    if named(input)?.named.iter().filter(|it| field::is_own(it)).count() != 2 {
        return Err(Error::new_spanned(name, "a noun has the fields `id` and `version`"));
    }
    let card = match own_card(input)? {
        None => quote!(CARD),
        Some((table, derived)) => quote! {
            crate::core::card::Card {
                derived: #derived,
                ..crate::core::card::Card::of::<#name, crate::core::card::NoInput>(#table, #table)
            }
        },
    };
    Ok(quote! {
        impl crate::core::card::Noun for #name {
            const CARD: &'static crate::core::card::Card = &#card;
        }
    })
}

/// The table of a record whose card describes its fields alone, and its derived columns; `None` without the attribute `noun`.
fn own_card(input: &DeriveInput) -> Result<Option<(LitStr, TokenStream2)>> {
    let (mut table, mut derived) = (None, quote!(&[]));
    for attribute in input.attrs.iter().filter(|it| it.path().is_ident("noun")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("table") {
                table = Some(meta.value()?.parse::<LitStr>()?);
            } else if meta.path.is_ident("derived") {
                let name: Path = meta.value()?.parse()?;
                derived = quote!(#name);
            } else {
                return Err(meta.error("`noun` does not know this"));
            }
            Ok(())
        })?;
    }
    Ok(table.map(|table| (table, derived)))
}

fn named(input: &DeriveInput) -> Result<&FieldsNamed> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields),
            _ => Err(Error::new_spanned(&input.ident, "a card describes named fields")),
        },
        _ => Err(Error::new_spanned(&input.ident, "a card describes a struct")),
    }
}
