//! Classes: modifiers, members without a body, and parameters that are properties.

use oxc_ast::ast::{
    AccessorProperty, Class, ClassElement, Expression, FormalParameter, Function, MethodDefinition,
    MethodDefinitionKind, MethodDefinitionType, PropertyDefinition, PropertyDefinitionType,
    PropertyKey, Statement,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan;
use oxc_syntax::scope::ScopeFlags;

use crate::erase::Eraser;
use crate::tokens::{find, tokens};

/// Words before a member's or class's name that are TypeScript's alone.
const MODIFIERS: [&str; 7] =
    ["public", "private", "protected", "readonly", "override", "abstract", "declare"];

impl<'a> Eraser<'a> {
    /// What stands between the braces, and before them. `inner` is the name of the class in its own body,
    /// where that is one of ours.
    pub(crate) fn class(&mut self, it: &Class<'a>, inner: Option<&str>) {
        if !it.decorators.is_empty() && inner.is_none() {
            self.decorated_expression(it);
            return;
        }
        let body = it.body.span;
        if inner.is_none() {
            let end = it.id.as_ref().map_or(body.start, |id| id.span.start);
            self.blank_modifiers(it.span.start, end, &["abstract", "declare"]);
        }
        let mut end = it.id.as_ref().map(|id| id.span.end);
        if let Some(parameters) = &it.type_parameters {
            self.edits.blank(parameters.span.start, parameters.span.end);
            end = Some(parameters.span.end);
        }
        if let Some(parent) = &it.super_class {
            self.visit_expression(parent);
            end = Some(parent.span().end);
        }
        if let Some(arguments) = &it.super_type_arguments {
            self.edits.blank(arguments.span.start, arguments.span.end);
            end = Some(arguments.span.end);
        }
        if let (Some(first), Some(last)) = (it.implements.first(), it.implements.last()) {
            let from = end.unwrap_or(it.span.start);
            if let Some(word) = find(self.source, from, first.span.start, "implements") {
                let to = find(self.source, last.span.end, body.start, "}").unwrap_or(last.span);
                self.edits.blank(word.start, to.end.max(last.span.end));
            }
        }
        self.begin_members(it, inner);
        for element in &it.body.body {
            self.element(element, it.super_class.is_some());
        }
        self.end_members();
    }

    fn element(&mut self, element: &ClassElement<'a>, is_derived: bool) {
        match element {
            ClassElement::StaticBlock(block) => walk::walk_static_block(self, block),
            ClassElement::TSIndexSignature(it) => self.remove(it.span),
            ClassElement::MethodDefinition(it) => self.method(it, is_derived),
            ClassElement::PropertyDefinition(it) => self.property(it),
            ClassElement::AccessorProperty(it) => self.accessor(it),
        }
    }

    fn method(&mut self, it: &MethodDefinition<'a>, is_derived: bool) {
        let is_abstract = it.r#type == MethodDefinitionType::TSAbstractMethodDefinition;
        if is_abstract || it.value.body.is_none() {
            self.remove(it.span);
            return;
        }
        self.parameter_decorators(it);
        self.method_decorators(it);
        let start = it.decorators.last().map_or(it.span.start, |last| last.span.end);
        self.blank_modifiers(start, it.key.span().start, &MODIFIERS);
        if it.computed {
            self.visit_property_key(&it.key);
        }
        if it.optional {
            let from = self.end_of_key(&it.key, it.computed);
            self.blank_sign(from, it.value.params.span.start, "?");
        }
        let enumeration = self.enumeration.take();
        if it.kind == MethodDefinitionKind::Constructor {
            self.constructor(&it.value, is_derived);
        } else {
            self.visit_function(&it.value, ScopeFlags::Function);
        }
        self.enumeration = enumeration;
    }

    /// `constructor(private x) {}` has `this.x = x` in its body.
    fn constructor(&mut self, it: &Function<'a>, is_derived: bool) {
        let names: Vec<&str> = it.params.items.iter().filter_map(property_of).collect();
        let assigned: String = names.iter().map(|name| format!("this.{name} = {name};")).collect();
        let Some(body) = it.body.as_ref().filter(|_| !names.is_empty()) else {
            self.visit_function(it, ScopeFlags::Constructor);
            return;
        };
        let call = body.statements.iter().find(|statement| is_derived && is_super(statement));
        if let Some(call) = call {
            self.visit_function(it, ScopeFlags::Constructor);
            self.edits.insert(call.span().end, format!(";{assigned}"));
        } else {
            let start = body.directives.last().map_or(body.span.start + 1, |last| last.span.end);
            let separator = if body.directives.is_empty() { "" } else { ";" };
            self.edits.insert(start, format!("{separator}{assigned}"));
            self.visit_function(it, ScopeFlags::Constructor);
        }
    }

    pub(crate) fn parameter(&mut self, it: &FormalParameter<'a>) {
        let pattern = it.pattern.span();
        let start = it.decorators.last().map_or(it.span.start, |last| last.span.end);
        self.edits.blank(start, pattern.start);
        self.visit_binding_pattern(&it.pattern);
        if let Some(annotation) = &it.type_annotation {
            self.edits.blank(pattern.end, annotation.span.end); // with a "?"
        } else if it.optional {
            self.blank_sign(pattern.end, it.span.end + 1, "?");
        }
        if let Some(initializer) = &it.initializer {
            self.visit_expression(initializer);
        }
    }

    fn property(&mut self, it: &PropertyDefinition<'a>) {
        let is_abstract = it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition;
        if it.declare || is_abstract {
            self.remove(it.span);
            return;
        }
        let hidden = self.field_decorators(it);
        let start = it.decorators.last().map_or(it.span.start, |last| last.span.end);
        self.blank_modifiers(start, it.key.span().start, &MODIFIERS);
        if it.computed && hidden.is_none() {
            self.visit_property_key(&it.key);
        }
        let key_end = self.end_of_key(&it.key, it.computed);
        let mut end = key_end;
        if let Some(annotation) = &it.type_annotation {
            end = annotation.span.end;
            self.edits.blank(key_end, end);
        } else if it.optional || it.definite {
            let sign = if it.optional { "?" } else { "!" };
            let limit = it.value.as_ref().map_or(it.span.end, |value| value.span().start);
            self.blank_sign(key_end, limit, sign);
        }
        self.value(it.value.as_ref(), end, hidden);
        if !self.text(it.span).ends_with(';') {
            self.edits.insert(it.span.end, ";");
        }
    }

    /// `accessor x = 1` is a private field with a getter and a setter.
    fn accessor(&mut self, it: &AccessorProperty<'a>) {
        let key = it.key.span();
        let PropertyKey::StaticIdentifier(name) = &it.key else {
            self.refuse(key, "An accessor must have a plain name here");
            return;
        };
        let decorated = self.accessor_decorators(it);
        let start = it.decorators.last().map_or(it.span.start, |last| last.span.end);
        self.blank_modifiers(start, key.start, &MODIFIERS);
        self.blank_modifiers(start, key.start, &["accessor"]);
        let field = self.hide();
        self.edits.replace(key.start, key.end, field.clone());
        let mut end = key.end;
        if let Some(annotation) = &it.type_annotation {
            end = annotation.span.end;
            self.edits.blank(key.end, end);
        } else if it.definite {
            self.blank_sign(key.end, it.span.end, "!");
        }
        self.value(it.value.as_ref(), end, decorated);
        let (name, kind) = (name.name.as_str(), if it.r#static { "static " } else { "" });
        let methods = format!(
            ";{kind}get {name}() {{ return this.{field}; }} {kind}set {name}(value) {{ this.{field} = value; }}"
        );
        self.edits.insert(it.span.end, methods);
    }

    /// The value of a field whose name or type ends at `end`; `wrapper` is the call that gets it.
    fn value(&mut self, value: Option<&Expression<'a>>, end: u32, wrapper: Option<String>) {
        match (value, wrapper) {
            (Some(value), None) => self.visit_expression(value),
            (Some(value), Some(call)) => {
                self.edits.insert(value.span().start, format!("{call}, true, "));
                self.visit_expression(value);
                self.edits.insert(value.span().end, ")");
            }
            (None, Some(call)) => self.edits.insert(end, format!(" = {call}, false)")),
            (None, None) => {}
        }
    }

    /// A private name that the program does not have.
    pub(crate) fn hide(&mut self) -> String {
        self.hidden += 1;
        format!("#__{}", self.hidden)
    }

    pub(crate) fn end_of_key(&self, key: &PropertyKey<'a>, computed: bool) -> u32 {
        let end = key.span().end;
        if !computed {
            return end;
        }
        find(self.source, end, self.source.len() as u32, "]").map_or(end, |bracket| bracket.end)
    }

    fn blank_modifiers(&mut self, start: u32, end: u32, words: &[&str]) {
        for token in tokens(self.source, start, end) {
            if words.contains(&self.text(token)) {
                self.edits.blank(token.start, token.end);
            }
        }
    }

    fn blank_sign(&mut self, start: u32, end: u32, sign: &str) {
        if let Some(token) = find(self.source, start, end, sign) {
            self.edits.blank(token.start, token.end);
        }
    }
}

/// The name of a parameter that is a property, too.
pub(crate) fn property_of<'b>(it: &'b FormalParameter<'_>) -> Option<&'b str> {
    let is_property = it.accessibility.is_some() || it.readonly || it.r#override;
    let id = it.pattern.get_binding_identifier().filter(|_| is_property)?;
    Some(id.name.as_str())
}

fn is_super(statement: &Statement<'_>) -> bool {
    let Statement::ExpressionStatement(statement) = statement else {
        return false;
    };
    matches!(&statement.expression, Expression::CallExpression(call) if matches!(call.callee, Expression::Super(_)))
}

/// Of a name that is known when the program is read: as JavaScript has it.
pub(crate) fn quoted(key: &PropertyKey<'_>, source: &str) -> Option<String> {
    match key {
        PropertyKey::StaticIdentifier(id) => Some(format!("\"{}\"", id.name)),
        PropertyKey::StringLiteral(text) => {
            Some(String::from(crate::tokens::of(source, text.span)))
        }
        PropertyKey::NumericLiteral(number) => Some(format!("\"{}\"", number.value)),
        _ => None,
    }
}
