//! Which names a program means as values: an import that is none is left out, as TypeScript does.

use std::collections::HashSet;

use oxc_ast::ast::{
    BindingIdentifier, Class, Function, IdentifierReference, Program, TSAsExpression,
    TSClassImplements, TSImportEqualsDeclaration, TSInterfaceDeclaration, TSModuleReference,
    TSSatisfiesExpression, TSTypeAliasDeclaration, TSTypeAnnotation, TSTypeAssertion, TSTypeName,
    TSTypeParameterDeclaration, TSTypeParameterInstantiation, VariableDeclaration,
};
use oxc_ast_visit::{Visit, walk};
use oxc_syntax::scope::ScopeFlags;

/// The names of a program, whatever scope they are in.
#[derive(Default)]
pub(crate) struct Names<'a> {
    /// Read or written as values.
    pub(crate) used: HashSet<&'a str>,
    /// Declared as values.
    pub(crate) declared: HashSet<&'a str>,
}

impl<'a> Names<'a> {
    pub(crate) fn of(program: &Program<'a>) -> Self {
        let mut names = Self::default();
        names.visit_program(program);
        names
    }
}

impl<'a> Visit<'a> for Names<'a> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.used.insert(it.name.as_str());
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        self.declared.insert(it.name.as_str());
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if it.body.is_some() {
            walk::walk_function(self, it, flags);
        }
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        if !it.declare {
            walk::walk_class(self, it);
        }
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        if !it.declare {
            walk::walk_variable_declaration(self, it);
        }
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.visit_expression(&it.expression);
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        self.declared.insert(it.id.name.as_str());
        match &it.module_reference {
            TSModuleReference::ExternalModuleReference(_) => {}
            TSModuleReference::IdentifierReference(root) => {
                self.used.insert(root.name.as_str());
            }
            TSModuleReference::QualifiedName(name) => {
                let mut left = &name.left;
                while let TSTypeName::QualifiedName(inner) = left {
                    left = &inner.left;
                }
                if let TSTypeName::IdentifierReference(root) = left {
                    self.used.insert(root.name.as_str());
                }
            }
        }
    }

    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}
    fn visit_ts_type_parameter_declaration(&mut self, _: &TSTypeParameterDeclaration<'a>) {}
    fn visit_ts_type_parameter_instantiation(&mut self, _: &TSTypeParameterInstantiation<'a>) {}
    fn visit_ts_class_implements(&mut self, _: &TSClassImplements<'a>) {}
    fn visit_ts_interface_declaration(&mut self, _: &TSInterfaceDeclaration<'a>) {}
    fn visit_ts_type_alias_declaration(&mut self, _: &TSTypeAliasDeclaration<'a>) {}
}
