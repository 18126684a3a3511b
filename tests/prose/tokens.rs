//! The tokens of a source: identifiers and string literals. Comments are none.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Lit;

use crate::Text;

/// The fewest words of a literal that is a message.
const WORDS_OF_A_MESSAGE: usize = 3;

/// Returns the lines of the messages among the string literals, each with its line number.
pub(crate) fn messages(source: &Text) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    for token in tokens(source) {
        if let TokenTree::Literal(literal) = token
            && let Lit::Str(text) = Lit::new(literal.clone())
            && text.value().split_whitespace().count() >= WORDS_OF_A_MESSAGE
        {
            let first = literal.span().start().line;
            lines.extend(text.value().lines().map(|line| (first, line.to_owned())));
        }
    }
    lines
}

/// Returns the identifiers, each with its line number.
pub(crate) fn identifiers(source: &Text) -> Vec<(usize, String)> {
    let identifiers = tokens(source).into_iter().filter_map(|token| match token {
        TokenTree::Ident(ident) => Some((ident.span().start().line, ident.to_string())),
        _ => None,
    });
    identifiers.collect()
}

/// Returns all tokens, those in groups too; doc comments, which the lexer makes attributes, are
/// left out.
fn tokens(source: &Text) -> Vec<TokenTree> {
    let stream = source.text.parse().unwrap_or_else(|error| panic!("{}: {error}", source.path));
    let mut found = Vec::new();
    flatten(stream, &mut found);
    found
}

fn flatten(stream: TokenStream, found: &mut Vec<TokenTree>) {
    for token in stream {
        match token {
            TokenTree::Group(group) if is_doc(group.delimiter(), &group.stream()) => {}
            TokenTree::Group(group) => flatten(group.stream(), found),
            other => found.push(other),
        }
    }
}

/// True for the brackets of `#[doc = "…"]`.
fn is_doc(delimiter: Delimiter, stream: &TokenStream) -> bool {
    let first = stream.clone().into_iter().next();
    delimiter == Delimiter::Bracket
        && matches!(first, Some(TokenTree::Ident(ident)) if ident == "doc")
}
