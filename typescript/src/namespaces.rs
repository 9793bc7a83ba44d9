//! Namespaces: an object that a function fills.

use std::collections::{HashMap, HashSet};

use oxc_ast::ast::{
    BindingPattern, TSModuleBlock, TSModuleDeclaration, TSModuleDeclarationBody,
    TSModuleDeclarationName, VariableDeclaration, VariableDeclarationKind,
};
use oxc_ast_visit::Visit;
use oxc_span::Span;

use crate::enums::Exported;
use crate::erase::{Eraser, is_type_only};
use crate::names::Names;

/// What the enums and namespaces so far have, by name: one that is opened again means those, too.
#[derive(Default)]
pub(crate) struct Opened(HashMap<String, HashSet<String>>);

impl Opened {
    pub(crate) fn members(&self, name: &str) -> HashSet<String> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn remember_members(&mut self, name: &str, members: HashSet<String>) {
        self.0.entry(String::from(name)).or_default().extend(members);
    }

    fn remember(&mut self, name: &str, member: &str) {
        self.0.entry(String::from(name)).or_default().insert(String::from(member));
    }
}

/// Whether a namespace has anything but types in it.
pub(crate) fn makes_code(it: &TSModuleDeclaration<'_>) -> bool {
    if it.declare {
        return false;
    }
    match &it.body {
        None => false,
        Some(TSModuleDeclarationBody::TSModuleDeclaration(inner)) => makes_code(inner),
        Some(TSModuleDeclarationBody::TSModuleBlock(block)) => {
            block.body.iter().any(|statement| !is_type_only(statement))
        }
    }
}

impl<'a> Eraser<'a> {
    /// `namespace N { … }` becomes `var N; (function (N) { … })(N = {});`, on the same lines.
    pub(crate) fn namespace(&mut self, it: &TSModuleDeclaration<'a>, exported: Exported) {
        let TSModuleDeclarationName::Identifier(id) = &it.id else {
            self.remove(it.span);
            return;
        };
        let name = id.name.as_str();
        let (start, head, object) = self.opening(name, it.span, exported);
        let mut head = format!("{head}(function ({name}) {{");
        let mut end = format!("}})({object});");
        let mut names = vec![String::from(name)];
        let mut body = it.body.as_ref();
        // namespace A.B.C
        while let Some(TSModuleDeclarationBody::TSModuleDeclaration(inner)) = body {
            if let TSModuleDeclarationName::Identifier(id) = &inner.id {
                let (outer, name) = (names.last().map_or("", String::as_str), id.name.as_str());
                head.push_str(&format!(" var {name}; (function ({name}) {{"));
                end.insert_str(
                    0,
                    &format!("}})({name} = {outer}.{name} || ({outer}.{name} = {{}}));"),
                );
                names.push(String::from(name));
            }
            body = inner.body.as_ref();
        }
        let Some(TSModuleDeclarationBody::TSModuleBlock(block)) = body else {
            return;
        };
        head.push_str(&self.earlier_members(&names, block));
        self.edits.replace(start, block.span.start + 1, head);
        let depth = self.namespaces.len();
        self.namespaces.append(&mut names);
        self.blocks.push(crate::erase::Block::default());
        self.visit_statements(&block.body);
        self.blocks.pop();
        self.namespaces.truncate(depth);
        self.edits.replace(block.span.end - 1, block.span.end, end);
    }

    /// Where the declaration of an enum or namespace begins, how, and the object that its function fills.
    pub(crate) fn opening(
        &mut self,
        name: &str,
        span: Span,
        exported: Exported,
    ) -> (u32, String, String) {
        let is_first = self.declare(name);
        let is_nested = self.blocks.last().is_some_and(|block| block.nested);
        let keyword = if is_nested { "let" } else { "var" };
        match exported {
            Some((_, Some(namespace))) => {
                self.exports.remember(&namespace, name);
                let head = if is_first { format!("{keyword} {name}; ") } else { String::new() };
                let object = format!("{name} = {namespace}.{name} || ({namespace}.{name} = {{}})");
                (span.start, head, object)
            }
            Some((export, None)) if is_first => {
                (export.start, format!("export {keyword} {name}; "), format!("{name} = {{}}"))
            }
            Some((export, None)) => (export.start, String::new(), merged(name)),
            None if is_first => {
                (span.start, format!("{keyword} {name}; "), format!("{name} = {{}}"))
            }
            None => (span.start, String::from(";"), merged(name)),
        }
    }

    /// A namespace that is opened again sees what it exported before.
    fn earlier_members(&self, names: &[String], block: &TSModuleBlock<'a>) -> String {
        let Some(innermost) = names.last() else {
            return String::new();
        };
        let mut found = Names::default();
        found.visit_ts_module_block(block);
        let mut wanted: Vec<String> = self.exports.members(innermost).into_iter().collect();
        wanted.retain(|name| {
            found.used.contains(name.as_str()) && !found.declared.contains(name.as_str())
        });
        wanted.sort();
        let reads = wanted.into_iter().map(|name| format!(" var {name} = {innermost}.{name};"));
        reads.collect()
    }

    /// Makes `name`, declared in `span`, a property of `namespace`.
    pub(crate) fn export_from(&mut self, namespace: Option<String>, span: Span, name: &str) {
        if let Some(namespace) = namespace {
            self.exports.remember(&namespace, name);
            self.edits.insert(span.end, format!(";{namespace}.{name} = {name};"));
        }
    }

    /// The same for variables; one that can change is read and written through its namespace.
    pub(crate) fn export_variables(
        &mut self,
        namespace: &str,
        span: Span,
        it: &VariableDeclaration<'a>,
    ) {
        let mut names = Vec::new();
        for declarator in &it.declarations {
            bound(&declarator.id, &mut names);
        }
        let mut text = String::from(";");
        for name in names {
            self.exports.remember(namespace, name);
            text.push_str(&match it.kind {
                VariableDeclarationKind::Const => format!("{namespace}.{name} = {name};"),
                _ => format!(
                    "Object.defineProperty({namespace}, \"{name}\", {{ enumerable: true, \
                     configurable: true, get: () => {name}, set: (value) => {{ {name} = value; }} }});"
                ),
            });
        }
        self.edits.insert(span.end, text);
    }
}

fn merged(name: &str) -> String {
    format!("{name} || ({name} = {{}})")
}

fn bound<'b>(pattern: &'b BindingPattern<'_>, names: &mut Vec<&'b str>) {
    match pattern {
        BindingPattern::BindingIdentifier(id) => names.push(id.name.as_str()),
        BindingPattern::ObjectPattern(object) => {
            for property in &object.properties {
                bound(&property.value, names);
            }
            if let Some(rest) = &object.rest {
                bound(&rest.argument, names);
            }
        }
        BindingPattern::ArrayPattern(array) => {
            for element in array.elements.iter().flatten() {
                bound(element, names);
            }
            if let Some(rest) = &array.rest {
                bound(&rest.argument, names);
            }
        }
        BindingPattern::AssignmentPattern(inner) => bound(&inner.left, names),
    }
}
