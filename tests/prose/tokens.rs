//! The tokens of a source: identifiers and string literals. Comments are none.

use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};
use syn::Lit;

/// The fewest words of a literal that is a message.
const WORDS_OF_A_MESSAGE: usize = 3;

/// A Rust source and the parts of it that carry words.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    /// All identifiers with their lines.
    pub(crate) identifiers: Vec<(usize, String)>,
    /// The lines of string literals that are messages, each with the line where its literal begins.
    pub(crate) messages: Vec<(usize, String)>,
}

impl Source {
    pub(crate) fn new(path: String, text: String) -> Self {
        let stream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut source = Self { path, text, identifiers: Vec::new(), messages: Vec::new() };
        source.collect(stream);
        source
    }

    /// Collects from a stream and the groups in it.
    fn collect(&mut self, stream: TokenStream) {
        for token in stream {
            match token {
                TokenTree::Group(group) if is_doc(&group) => {}
                TokenTree::Group(group) => self.collect(group.stream()),
                TokenTree::Ident(ident) => {
                    self.identifiers.push((ident.span().start().line, ident.to_string()));
                }
                TokenTree::Literal(literal) => self.add_message(literal),
                TokenTree::Punct(_) => {}
            }
        }
    }

    fn add_message(&mut self, literal: Literal) {
        let first = literal.span().start().line;
        if let Lit::Str(text) = Lit::new(literal)
            && text.value().split_whitespace().count() >= WORDS_OF_A_MESSAGE
        {
            self.messages.extend(text.value().lines().map(|line| (first, line.to_owned())));
        }
    }
}

/// True for the brackets of `#[doc = "…"]`: the lexer makes it of a doc comment.
fn is_doc(group: &Group) -> bool {
    let first = group.stream().into_iter().next();
    group.delimiter() == Delimiter::Bracket
        && matches!(first, Some(TokenTree::Ident(ident)) if ident == "doc")
}
