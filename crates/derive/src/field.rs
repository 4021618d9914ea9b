//! One field of a struct as an expression of `model::core::card::Field`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{
    Attribute, Error, Expr, ExprLit, Field, GenericArgument, Ident, Lit, LitStr, Meta, Path, PathArguments, Result,
    Token, Type,
};

/// The content of the attribute `card` of a field.
#[derive(Default)]
struct CardAttribute {
    most: Option<Expr>,
    example: Option<LitStr>,
    label: Option<LitStr>,
    refers: Option<LitStr>,
    option: Option<LitStr>,
    usual: Option<LitStr>,
    words: bool,
    some_words: Option<Path>,
    object: bool,
    part: Option<LitStr>,
    text: bool,
    column: Option<String>,
    optional: bool,
    needed: bool,
    positional: bool,
}

/// Whether a field is the record's own id or version, which every noun has.
pub(crate) fn is_own(field: &Field) -> bool {
    field
        .ident
        .as_ref()
        .is_some_and(|name| name == "id" || name == "version")
}

/// The documentation of an item in one line.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|it| match &it.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The name of the field's constant: `planned_start` has `PLANNED_START`.
pub(crate) fn constant(field: &Field) -> Option<Ident> {
    let name = field.ident.as_ref()?;
    Some(Ident::new(&name.to_string().to_uppercase(), name.span()))
}

/// The field as an expression.
///
/// # Errors
/// An attribute that is unknown, or a type without a kind.
pub(crate) fn emit(field: &Field) -> Result<TokenStream> {
    let Some(name) = &field.ident else {
        return Err(Error::new_spanned(field, "a card describes named fields"));
    };
    let said = read(field)?;
    let text = name.to_string();
    let doc = documentation(&field.attrs);
    let (is_option, inner) = inside(&field.ty, &["Option"]);
    let (is_list, inner) = inside(inner, &["Vec", "BTreeSet"]);
    let kind = kind(&said, inner, is_list)?;
    let is_flag = last(inner).is_some_and(|it| it == "bool");
    let is_needed = said.needed || !(is_option || is_list || is_flag || said.optional);
    let label = said.label.map_or_else(|| label(&text), |it| it.value());
    let [example, refers, option, usual] =
        [said.example, said.refers, said.option, said.usual].map(|it| it.map(|it| it.value()).unwrap_or_default());
    let option = if option.is_empty() {
        text.replace('_', "-")
    } else {
        option
    };
    let (is_free_text, is_positional) = (said.text, said.positional);
    let column = said.column.unwrap_or_default();
    Ok(quote! {
        crate::core::card::Field {
            name: #text,
            label: #label,
            doc: #doc,
            kind: #kind,
            is_needed: #is_needed,
            is_free_text: #is_free_text,
            column: #column,
            refers: #refers,
            example: #example,
            is_positional: #is_positional,
            option: #option,
            usual: #usual,
        }
    })
}

fn read(field: &Field) -> Result<CardAttribute> {
    let mut said = CardAttribute::default();
    for attribute in field.attrs.iter().filter(|it| it.path().is_ident("card")) {
        attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            match name.as_str() {
                "words" if meta.input.peek(Token![=]) => said.some_words = Some(meta.value()?.parse()?),
                "words" => said.words = true,
                "object" => said.object = true,
                "part" => said.part = Some(meta.value()?.parse()?),
                "text" => said.text = true,
                "column" => said.column = Some(column(&meta, name_of(field))?),
                "optional" => said.optional = true,
                "needed" => said.needed = true,
                "positional" => said.positional = true,
                "most" => said.most = Some(meta.value()?.parse()?),
                "example" => said.example = Some(meta.value()?.parse()?),
                "label" => said.label = Some(meta.value()?.parse()?),
                "refers" => said.refers = Some(meta.value()?.parse()?),
                "option" => said.option = Some(meta.value()?.parse()?),
                "usual" => said.usual = Some(meta.value()?.parse()?),
                _ => return Err(meta.error("`card` does not know this")),
            }
            Ok(())
        })?;
    }
    Ok(said)
}

/// `column` is a column of the field's name, `column = "people_group"` one of another.
fn column(meta: &ParseNestedMeta<'_>, name: String) -> Result<String> {
    if meta.input.peek(Token![=]) {
        return Ok(meta.value()?.parse::<LitStr>()?.value());
    }
    Ok(name)
}

fn name_of(field: &Field) -> String {
    field.ident.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn kind(said: &CardAttribute, inner: &Type, is_list: bool) -> Result<TokenStream> {
    let card = quote!(crate::core::card);
    if said.object {
        return Ok(quote!(#card::Kind::Object));
    }
    if let Some(part) = &said.part {
        return Ok(if is_list {
            quote!(#card::Kind::Parts(#part))
        } else {
            quote!(#card::Kind::Part(#part))
        });
    }
    let words = said.some_words.as_ref().map(|path| quote!(#path));
    if said.words || words.is_some() {
        let words = words.unwrap_or_else(|| {
            quote! {
                #card::Words {
                    all: || <#inner>::ALL.iter().map(|it| it.as_str()).collect(),
                    why_not: |text| text.parse::<#inner>().err(),
                }
            }
        });
        return Ok(if is_list {
            quote!(#card::Kind::Words(#words))
        } else {
            quote!(#card::Kind::Word(#words))
        });
    }
    let most = said
        .most
        .as_ref()
        .map_or_else(|| quote!(crate::core::parse::LINE), |it| quote!(#it));
    // A number is no text: without a limit it is as large as JSON carries it.
    let largest = said
        .most
        .as_ref()
        .map_or_else(|| quote!(crate::core::parse::WHOLE), |it| quote!(#it as i64));
    let name = last(inner).unwrap_or_default();
    match (name.as_str(), is_list) {
        ("Timestamp", false) => Ok(quote!(#card::Kind::Time)),
        ("bool", false) => Ok(quote!(#card::Kind::Boolean)),
        ("i64", false) => Ok(quote!(#card::Kind::Integer(0, #largest))),
        ("String" | "ServiceKey" | "EnvironmentKey" | "GroupKey" | "PersonId" | "RecordId" | "ChangeId", true) => {
            Ok(quote!(#card::Kind::Texts(#most)))
        }
        ("String" | "ServiceKey" | "EnvironmentKey" | "GroupKey" | "PersonId" | "RecordId" | "ChangeId", false) => {
            Ok(quote!(#card::Kind::Text(#most)))
        }
        _ => Err(Error::new_spanned(
            inner,
            "no kind of a card stands for this type; a closed enum needs `card(words)`, a part with fields of its own `card(object)`",
        )),
    }
}

/// The type inside of one of these wrappers, and whether there is one.
fn inside<'t>(kind: &'t Type, wrappers: &[&str]) -> (bool, &'t Type) {
    if let Type::Path(path) = kind
        && let Some(part) = path.path.segments.last()
        && wrappers.iter().any(|it| part.ident == it)
        && let PathArguments::AngleBracketed(arguments) = &part.arguments
        && let Some(GenericArgument::Type(inner)) = arguments.args.first()
    {
        return (true, inner);
    }
    (false, kind)
}

fn last(kind: &Type) -> Option<String> {
    match kind {
        Type::Path(path) => path.path.segments.last().map(|part| part.ident.to_string()),
        _ => None,
    }
}

/// `starts_at` becomes `Starts at`.
fn label(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
