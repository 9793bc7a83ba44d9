//! The walk over a program: types become blanks, and what makes code goes to the files beside this one.

use std::collections::HashSet;

use oxc_ast::ast::{
    ArrowFunctionExpression, BlockStatement, Class, Declaration, ExportAllDeclaration,
    ExportDefaultDeclaration, ExportDefaultDeclarationKind, ExportNamedDeclaration,
    FormalParameter, Function, FunctionBody, IdentifierReference, ImportDeclaration, Program,
    Statement, SwitchCase, TSAsExpression, TSEnumDeclaration, TSExportAssignment,
    TSImportEqualsDeclaration, TSInstantiationExpression, TSModuleDeclaration, TSNonNullExpression,
    TSSatisfiesExpression, TSThisParameter, TSTypeAnnotation, TSTypeAssertion,
    TSTypeParameterDeclaration, TSTypeParameterInstantiation, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use crate::decorators::Members;
use crate::edits::Edits;
use crate::enums::EnumScope;
use crate::names::Names;
use crate::namespaces::{self, Opened};
use crate::tokens::of;
use crate::{Decorators, Options, SyntaxError};

/// The state of the walk.
pub(crate) struct Eraser<'a> {
    pub(crate) source: &'a str,
    pub(crate) edits: Edits<'a>,
    pub(crate) options: Options,
    /// Which decorators the program means.
    pub(crate) decorators: Decorators,
    pub(crate) names: Names<'a>,
    /// Types that the program declares at its top.
    pub(crate) types: HashSet<&'a str>,
    /// Imported, and not used as values so far.
    pub(crate) unused: Vec<String>,
    /// The blocks around, innermost last.
    pub(crate) blocks: Vec<Block>,
    /// The namespaces around, innermost last, and what each has exported.
    pub(crate) namespaces: Vec<String>,
    pub(crate) exports: Opened,
    /// The enum whose initializers are walked.
    pub(crate) enumeration: Option<EnumScope>,
    /// How many members have been given names of ours.
    pub(crate) hidden: u32,
    /// What cannot be said in JavaScript.
    pub(crate) refused: Option<SyntaxError>,
    /// The classes around, innermost last.
    pub(crate) members: Vec<Members>,
}

/// A list of statements.
#[derive(Default)]
pub(crate) struct Block {
    /// Enums, namespaces, classes and functions so far: they merge.
    pub(crate) declared: HashSet<String>,
    /// Inside of braces that are no function's: `var` would leave them.
    pub(crate) nested: bool,
}

impl<'a> Eraser<'a> {
    /// Removes what stands where a statement may; the line before it may end without a semicolon.
    pub(crate) fn remove(&mut self, span: Span) {
        self.edits.replace(span.start, span.end, ";");
    }

    pub(crate) fn text(&self, span: Span) -> &'a str {
        of(self.source, span)
    }

    pub(crate) fn has_newline(&self, start: u32, end: u32) -> bool {
        self.text(Span::new(start, end)).contains('\n')
    }

    pub(crate) fn refuse(&mut self, span: Span, message: &str) {
        if self.refused.is_none() {
            self.refused = Some(SyntaxError::at(self.source, span.start, message));
        }
    }

    fn block(&mut self, nested: bool, walk: impl FnOnce(&mut Self)) {
        self.blocks.push(Block { nested, ..Block::default() });
        walk(self);
        self.blocks.pop();
    }

    /// Notes a name that an enum or namespace merges with; false if it was there.
    pub(crate) fn declare(&mut self, name: &str) -> bool {
        self.blocks.last_mut().is_none_or(|block| block.declared.insert(String::from(name)))
    }

    fn erase_tail(&mut self, from: Span, whole: Span) {
        self.edits.blank(from.end, whole.end);
    }

    /// Inserts the semicolon that a statement can do without only as long as its type ends it.
    fn close(&mut self, span: Span) {
        let ended = self.text(span).ends_with(';');
        if !ended && self.edits.ends_blank(span) {
            self.edits.insert(span.end, ";");
        }
    }
}

/// Whether nothing of a statement is left at run time.
pub(crate) fn is_type_only(statement: &Statement<'_>) -> bool {
    match statement {
        Statement::TSInterfaceDeclaration(_)
        | Statement::TSTypeAliasDeclaration(_)
        | Statement::TSGlobalDeclaration(_)
        | Statement::TSNamespaceExportDeclaration(_) => true,
        Statement::VariableDeclaration(it) => it.declare,
        Statement::FunctionDeclaration(it) => it.declare || it.body.is_none(),
        Statement::ClassDeclaration(it) => it.declare,
        Statement::TSEnumDeclaration(it) => it.declare,
        Statement::TSModuleDeclaration(it) => !namespaces::makes_code(it),
        Statement::TSImportEqualsDeclaration(it) => it.import_kind.is_type(),
        Statement::ImportDeclaration(it) => it.import_kind.is_type(),
        Statement::ExportAllDeclaration(it) => it.export_kind.is_type(),
        Statement::ExportDefaultDeclaration(it) => match &it.declaration {
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => true,
            ExportDefaultDeclarationKind::FunctionDeclaration(it) => it.body.is_none(),
            _ => false,
        },
        Statement::ExportNamedDeclaration(it) => {
            it.declaration.as_ref().map_or(it.export_kind.is_type(), is_type_only_declaration)
        }
        _ => false,
    }
}

fn is_type_only_declaration(declaration: &Declaration<'_>) -> bool {
    match declaration {
        Declaration::TSInterfaceDeclaration(_)
        | Declaration::TSTypeAliasDeclaration(_)
        | Declaration::TSGlobalDeclaration(_) => true,
        Declaration::VariableDeclaration(it) => it.declare,
        Declaration::FunctionDeclaration(it) => it.declare || it.body.is_none(),
        Declaration::ClassDeclaration(it) => it.declare,
        Declaration::TSEnumDeclaration(it) => it.declare,
        Declaration::TSModuleDeclaration(it) => !namespaces::makes_code(it),
        Declaration::TSImportEqualsDeclaration(it) => it.import_kind.is_type(),
    }
}

impl<'a> Visit<'a> for Eraser<'a> {
    fn visit_program(&mut self, it: &Program<'a>) {
        self.block(false, |this| walk::walk_program(this, it));
    }

    fn visit_function_body(&mut self, it: &FunctionBody<'a>) {
        let namespaces = std::mem::take(&mut self.namespaces);
        self.block(false, |this| walk::walk_function_body(this, it));
        self.namespaces = namespaces;
    }

    fn visit_block_statement(&mut self, it: &BlockStatement<'a>) {
        self.block(true, |this| walk::walk_block_statement(this, it));
    }

    fn visit_switch_case(&mut self, it: &SwitchCase<'a>) {
        self.block(true, |this| walk::walk_switch_case(this, it));
    }

    fn visit_statement(&mut self, it: &Statement<'a>) {
        let span = it.span();
        if is_type_only(it) {
            self.remove(span);
            return;
        }
        match it {
            Statement::FunctionDeclaration(function) => {
                if let Some(id) = &function.id {
                    self.declare(id.name.as_str());
                }
            }
            Statement::ClassDeclaration(class) => {
                if let Some(id) = &class.id {
                    self.declare(id.name.as_str());
                }
                self.class_declaration(class, None);
                return;
            }
            Statement::TSModuleDeclaration(module) => {
                self.namespace(module, None);
                return;
            }
            _ => {}
        }
        walk::walk_statement(self, it);
        let may_be_open = matches!(
            it,
            Statement::ExpressionStatement(_)
                | Statement::VariableDeclaration(_)
                | Statement::ReturnStatement(_)
                | Statement::ThrowStatement(_)
                | Statement::ExportNamedDeclaration(_)
                | Statement::ExportDefaultDeclaration(_)
                | Statement::TSExportAssignment(_)
        );
        if may_be_open {
            self.close(span);
        }
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        self.import(it);
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        self.import_equals(it, None);
    }

    fn visit_ts_export_assignment(&mut self, it: &TSExportAssignment<'a>) {
        self.edits.replace(it.span.start, it.expression.span().start, "module.exports = ");
        self.visit_expression(&it.expression);
    }

    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'a>) {
        self.export_named(it);
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        match &it.declaration {
            ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                self.class_declaration(class, Some(it.span));
            }
            _ => walk::walk_export_default_declaration(self, it),
        }
    }

    fn visit_export_all_declaration(&mut self, _: &ExportAllDeclaration<'a>) {}

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        self.enum_declaration(it, None);
    }

    fn visit_ts_module_declaration(&mut self, it: &TSModuleDeclaration<'a>) {
        self.namespace(it, None);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        if let Some(scope) = &self.enumeration
            && scope.members.contains(it.name.as_str())
        {
            self.edits.insert(it.span.start, format!("{}.", scope.name));
        }
    }

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.edits.blank(it.span.start, it.span.end);
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.edits.blank(it.span.start, it.span.end);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.edits.blank(it.span.start, it.span.end);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
        self.erase_tail(it.expression.span(), it.span);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
        self.erase_tail(it.expression.span(), it.span);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.visit_expression(&it.expression);
        self.erase_tail(it.expression.span(), it.span);
    }

    fn visit_ts_instantiation_expression(&mut self, it: &TSInstantiationExpression<'a>) {
        self.visit_expression(&it.expression);
        self.erase_tail(it.expression.span(), it.span);
    }

    /// In parentheses: what begins with a brace would be a block, and `return` must not end its line.
    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.edits.replace(it.span.start, it.expression.span().start, "(");
        self.visit_expression(&it.expression);
        self.edits.insert(it.span.end, ")");
    }

    fn visit_ts_this_parameter(&mut self, it: &TSThisParameter<'a>) {
        self.edits.blank(it.span.start, self.with_comma(it.span, u32::MAX));
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        self.visit_binding_pattern(&it.id);
        let end = it.type_annotation.as_ref().map(|annotation| annotation.span.end);
        if let Some(end) = end {
            self.edits.blank(it.id.span().end, end); // with a "!"
        }
        if let Some(init) = &it.init {
            self.visit_expression(init);
        }
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        self.parameter(it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        let enumeration = self.enumeration.take();
        walk::walk_function(self, it, flags);
        self.enumeration = enumeration;
    }

    /// No line may end before the arrow, nor between `async` and its parameters.
    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        let span = it.params.span;
        let generics = it.type_parameters.as_ref().map(|parameters| parameters.span);
        if let Some(generics) = generics {
            if it.r#async && self.has_newline(generics.start, generics.end) {
                self.edits.replace(generics.start, generics.end, "(");
                self.edits.blank(span.start, span.start + 1);
            } else {
                self.edits.blank(generics.start, generics.end);
            }
        }
        self.visit_formal_parameters(&it.params);
        if let Some(returned) = &it.return_type {
            let (start, end) = (returned.span.start, returned.span.end);
            if self.has_newline(span.end, end) {
                self.edits.blank(span.end - 1, end);
                self.edits.insert(end, ")");
            } else {
                self.edits.blank(start, end);
            }
        }
        match it.body.statements.first() {
            // A statement in the tree alone: nothing may end it.
            Some(Statement::ExpressionStatement(body)) if it.expression => {
                self.visit_expression(&body.expression);
            }
            _ => self.visit_function_body(&it.body),
        }
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        self.class(it, None);
    }
}
