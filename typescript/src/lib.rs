//! TypeScript into JavaScript that Node runs, line for line: types become blanks, enums, namespaces, parameter
//! properties and decorators become code on the lines where they stood. Nothing is checked: a program with a type
//! error runs.
//!
//! ```text
//! oxc's parser ──▶ erase   the walk; types
//!                  ├── modules   imports and exports      names   which of them are types alone
//!                  ├── enums, namespaces, classes, decorators
//!                  └── edits     the new text, and what became of its columns
//! ```
//! The parser descends as deep as its source is nested, and ends the process where the stack ends: whoever calls
//! this with a stranger's source does it in a process that may die (see [`serve_if_asked`]).

mod classes;
mod decorators;
mod edits;
mod enums;
mod erase;
mod modules;
mod names;
mod namespaces;
mod serve;
mod tokens;

use std::collections::HashSet;

use oxc_allocator::Allocator;
use oxc_ast::ast::{Declaration, Program, Statement};
use oxc_ast_visit::Visit;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;
use serde::Serialize;

pub use edits::Shift;
pub use serve::serve_if_asked;

use edits::Edits;
use erase::{Block, Eraser};
use names::Names;
use namespaces::Opened;

/// What the parser says where nothing better comes to its mind.
const UNEXPECTED: &str = "Unexpected token";
const LONGEST_TOKEN: u32 = 80;

/// How a program is to be understood.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Imports that this text does not use stay: a later one may.
    pub keep_imports: bool,
}

/// Which decorators a program means.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Decorators {
    /// Told when they are applied, by the parameters that they have.
    #[default]
    Unknown,
    /// Those of TypeScript 5 and ECMAScript.
    Standard,
    /// Those of `experimentalDecorators`.
    Legacy,
}

/// A program in JavaScript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transpiled {
    /// With as many lines as its source.
    pub code: String,
    /// What became of the columns.
    pub shifts: Vec<Shift>,
    /// Names that are imported and not used here: perhaps types.
    pub unused: Vec<String>,
    /// It imports or exports something, if only types.
    pub module: bool,
}

/// What is no TypeScript.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SyntaxError {
    /// In the parser's words.
    pub message: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in UTF-16 units.
    pub column: u32,
}

impl SyntaxError {
    fn at(source: &str, offset: u32, message: &str) -> Self {
        let before = source.get(..offset as usize).unwrap_or(source);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            message: String::from(message),
            line: before.matches('\n').count() as u32 + 1,
            column: line.encode_utf16().count() as u32 + 1,
        }
    }
}

/// Translates `source`.
///
/// # Errors
/// The first place where it is no TypeScript.
pub fn transpile(source: &str, options: Options) -> Result<Transpiled, SyntaxError> {
    let allocator = Allocator::default();
    let parse = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, source, SourceType::ts()).with_options(parse).parse();
    if let Some(error) = parsed.diagnostics.errors().next() {
        let offset = error.labels.first().map_or(0, |label| label.offset());
        let mut message = String::from(&*error.message);
        let limit = offset.saturating_add(LONGEST_TOKEN);
        let found = tokens::tokens(source, offset, limit).next().map(|at| tokens::of(source, at));
        if let (UNEXPECTED, Some(token)) = (&*message, found) {
            message = format!("{UNEXPECTED} '{token}'"); // as V8 says it
        }
        return Err(SyntaxError::at(source, offset, &message));
    }
    let mut eraser = Eraser {
        source,
        edits: Edits::new(source),
        options,
        decorators: decorators_of(source),
        names: Names::of(&parsed.program),
        types: types_of(&parsed.program),
        unused: Vec::new(),
        blocks: vec![Block::default()],
        namespaces: Vec::new(),
        exports: Opened::default(),
        enumeration: None,
        members: Vec::new(),
        hidden: 0,
        refused: None,
    };
    eraser.visit_program(&parsed.program);
    if let Some(error) = eraser.refused {
        return Err(error);
    }
    let module = parsed.program.body.iter().any(|statement| match statement {
        Statement::TSImportEqualsDeclaration(_) | Statement::TSExportAssignment(_) => false,
        statement => statement.as_module_declaration().is_some(),
    });
    let (code, shifts) = eraser.edits.apply();
    Ok(Transpiled { code, shifts, unused: eraser.unused, module })
}

/// Interfaces and aliases at the top of a program.
fn types_of<'a>(program: &Program<'a>) -> HashSet<&'a str> {
    let name = |statement: &Statement<'a>| match statement {
        Statement::TSInterfaceDeclaration(it) => Some(it.id.name.as_str()),
        Statement::TSTypeAliasDeclaration(it) => Some(it.id.name.as_str()),
        Statement::ExportNamedDeclaration(it) => match &it.declaration {
            Some(Declaration::TSInterfaceDeclaration(it)) => Some(it.id.name.as_str()),
            Some(Declaration::TSTypeAliasDeclaration(it)) => Some(it.id.name.as_str()),
            _ => None,
        },
        _ => None,
    };
    program.body.iter().filter_map(name).collect()
}

/// TypeScript has two kinds of decorators, told apart by a file that a program here does not have. What a program
/// calls the parameters and types of its decorators tells which it was written for; the surest words first.
fn decorators_of(source: &str) -> Decorators {
    const WORDS: [(Decorators, &[&str]); 4] = [
        (Decorators::Standard, &["DecoratorContext", "addInitializer"]),
        (
            Decorators::Legacy,
            &[
                "PropertyDescriptor",
                "experimentalDecorators",
                "propertyKey",
                "MethodDecorator",
                "PropertyDecorator",
                "ParameterDecorator",
                "Reflect.metadata",
                "Reflect.getMetadata",
                "Reflect.defineMetadata",
            ],
        ),
        // Those of TypeScript 5 are given one; so may be anything else.
        (Decorators::Unknown, &["context"]),
        (
            Decorators::Legacy,
            &[
                "descriptor",
                "propertyName",
                "target: any, ",
                "target: Object, ",
                "target: object, ",
            ],
        ),
    ];
    let fits = |words: &[&str]| words.iter().any(|word| source.contains(word));
    let found = WORDS.into_iter().find(|(_, words)| fits(words)).filter(|_| source.contains('@'));
    found.map_or(Decorators::Unknown, |(kind, _)| kind)
}
