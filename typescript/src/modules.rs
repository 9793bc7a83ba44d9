//! Imports and exports: what names types alone is left out.

use oxc_ast::ast::{
    Declaration, ExportNamedDeclaration, ImportDeclaration, ImportDeclarationSpecifier,
    TSImportEqualsDeclaration, TSModuleReference,
};
use oxc_ast_visit::walk;
use oxc_span::{GetSpan, Span};

use crate::erase::Eraser;
use crate::tokens::{find, tokens};

impl<'a> Eraser<'a> {
    pub(crate) fn import(&mut self, it: &ImportDeclaration<'a>) {
        let Some(specifiers) = &it.specifiers else {
            return;
        };
        let mut left_out = Vec::new();
        for specifier in specifiers {
            let local = specifier.local().name.as_str();
            let is_type = matches!(
                specifier,
                ImportDeclarationSpecifier::ImportSpecifier(named) if named.import_kind.is_type()
            );
            if !is_type && !self.names.used.contains(local) && self.options.keep_imports {
                self.unused.push(String::from(local));
            } else if is_type || !self.names.used.contains(local) {
                left_out.push(specifier);
            }
        }
        if !specifiers.is_empty() && left_out.len() == specifiers.len() {
            self.remove(it.span);
            return;
        }
        for specifier in left_out {
            let span = specifier.span();
            if matches!(specifier, ImportDeclarationSpecifier::ImportNamespaceSpecifier(_)) {
                // The other one is the default, before a comma.
                let before = find(self.source, it.span.start, span.start, ",");
                self.edits.blank(before.map_or(span.start, |comma| comma.start), span.end);
            } else {
                let end = self.with_comma(span, it.source.span.start);
                self.edits.blank(span.start, end);
            }
        }
    }

    /// The end of a list's item with the comma behind it.
    pub(crate) fn with_comma(&self, item: Span, limit: u32) -> u32 {
        match tokens(self.source, item.end, limit).next() {
            Some(token) if self.text(token) == "," => token.end,
            _ => item.end,
        }
    }

    /// `import fs = require("fs")` and `import short = long.name`.
    pub(crate) fn import_equals(
        &mut self,
        it: &TSImportEqualsDeclaration<'a>,
        exported: Option<Span>,
    ) {
        let start = exported.map_or(it.span.start, |span| span.start);
        let used = self.names.used.contains(it.id.name.as_str());
        if !used && exported.is_none() && !self.options.keep_imports {
            self.remove(it.span);
            return;
        }
        let keyword = if exported.is_some() && self.namespaces.is_empty() {
            "export const "
        } else {
            "const "
        };
        self.edits.replace(start, it.id.span.start, keyword);
        if let TSModuleReference::ExternalModuleReference(_) = it.module_reference {
            return; // require("…") is JavaScript
        }
        if let (Some(_), Some(namespace)) = (exported, self.namespaces.last()) {
            let name = it.id.name.as_str();
            self.edits.insert(it.span.end, format!(";{namespace}.{name} = {name};"));
        }
    }

    pub(crate) fn export_named(&mut self, it: &ExportNamedDeclaration<'a>) {
        let Some(declaration) = &it.declaration else {
            self.export_names(it);
            return;
        };
        let namespace = self.namespaces.last().cloned();
        if namespace.is_some() && !matches!(declaration, Declaration::TSImportEqualsDeclaration(_))
        {
            self.edits.blank(it.span.start, declaration.span().start);
        }
        match declaration {
            Declaration::TSEnumDeclaration(inner) => {
                self.enum_declaration(inner, Some((it.span, namespace)));
            }
            Declaration::TSModuleDeclaration(inner) => {
                self.namespace(inner, Some((it.span, namespace)));
            }
            Declaration::TSImportEqualsDeclaration(inner) => {
                self.import_equals(inner, Some(it.span));
            }
            Declaration::ClassDeclaration(inner) => {
                self.class_declaration(inner, Some(it.span));
                if let Some(id) = &inner.id {
                    self.declare(id.name.as_str());
                    self.export_from(namespace, it.span, id.name.as_str());
                }
            }
            Declaration::FunctionDeclaration(inner) => {
                walk::walk_declaration(self, declaration);
                if let Some(id) = &inner.id {
                    self.declare(id.name.as_str());
                    self.export_from(namespace, it.span, id.name.as_str());
                }
            }
            Declaration::VariableDeclaration(inner) => {
                walk::walk_declaration(self, declaration);
                if let Some(namespace) = namespace {
                    self.export_variables(&namespace, it.span, inner);
                }
            }
            _ => walk::walk_declaration(self, declaration),
        }
    }

    fn export_names(&mut self, it: &ExportNamedDeclaration<'a>) {
        for specifier in &it.specifiers {
            let local = specifier.local.name();
            let local = local.as_str();
            let is_local_type = it.source.is_none()
                && self.types.contains(local)
                && !self.names.declared.contains(local);
            if specifier.export_kind.is_type() || is_local_type {
                let end = self.with_comma(specifier.span, it.span.end);
                self.edits.blank(specifier.span.start, end);
            }
        }
    }
}
