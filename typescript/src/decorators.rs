//! Decorators. No V8 has them: they are collected while the class is made, by methods without a name that stand
//! where they stood, and applied by the functions of `runtimes/typescript/decorators.cjs`.
//!
//! ```text
//! @log save(x: T) {}      [__decorators__.add("method", "save", false, [log])](){} save(x   ) {}
//! @id name = "a";         [__decorators__.add("field", "name", false, [id])](){} #__1 = __decorators__.field(…, "a");
//! @sealed class C {       let C; { C = __decorators__.class("C", [sealed], class __C {
//! ```

use oxc_ast::ast::{
    AccessorProperty, Class, ClassElement, Decorator, FormalParameter, MethodDefinition,
    MethodDefinitionKind, PropertyDefinition, PropertyKey,
};
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

use crate::classes::{property_of, quoted};
use crate::erase::Eraser;
use crate::tokens::tokens;

/// A class whose members are walked.
pub(crate) struct Members {
    /// What the class is called in its own body, and the private name of what is collected.
    plan: String,
    /// Decorated so far.
    count: u32,
}

impl<'a> Eraser<'a> {
    /// A class statement. `exported` is the statement around it.
    pub(crate) fn class_declaration(&mut self, it: &Class<'a>, exported: Option<Span>) {
        let (Some(first), Some(last)) = (it.decorators.first(), it.decorators.last()) else {
            self.class(it, None);
            return;
        };
        let name = it.id.as_ref().map_or("default_1", |id| id.name.as_str());
        let start = exported.map_or(it.span.start, |span| span.start);
        self.edits.blank(start.min(first.span.start), first.span.start);
        let head = format!("let {name}; {{ {name} = __decorators__.class(\"{name}\", [");
        self.list(&it.decorators, &head);
        let id = it.id.as_ref().map(|id| id.span.end);
        let end = id.unwrap_or_else(|| self.end_of_word(last.span.end, it.body.span.start));
        let inner = format!("__{name}");
        self.edits.replace(last.span.end, end, format!("], class {inner} "));
        self.class(it, Some(&inner));
        let header = exported.map(|span| Span::new(span.start.min(first.span.start), end));
        let is_default =
            it.id.is_none() || header.is_some_and(|span| self.has_word(span, "default"));
        let export = match exported {
            Some(_) if self.namespaces.is_empty() && is_default => {
                format!(" export {{ {name} as default }};")
            }
            Some(_) if self.namespaces.is_empty() => format!(" export {{ {name} }};"),
            _ => String::new(),
        };
        self.edits.insert(it.span.end, format!("); }}{export}"));
    }

    pub(crate) fn decorated_expression(&mut self, it: &Class<'a>) {
        let Some(last) = it.decorators.last() else {
            return;
        };
        let name = it.id.as_ref().map_or("", |id| id.name.as_str());
        self.list(&it.decorators, &format!("__decorators__.class(\"{name}\", ["));
        let inner = if name.is_empty() { "__class" } else { name };
        let id = it.id.as_ref().map(|id| id.span.end);
        let end = id.unwrap_or_else(|| self.end_of_word(last.span.end, it.body.span.start));
        self.edits.replace(last.span.end, end, format!("], class {inner} "));
        self.class(it, Some(inner));
        self.edits.insert(it.span.end, ")");
    }

    /// `@a @b(1)` becomes `HEADa, b(1)`.
    fn list(&mut self, decorators: &[Decorator<'a>], head: &str) {
        let mut before: Option<Span> = None;
        for decorator in decorators {
            let start = decorator.expression.span().start;
            match before {
                None => self.edits.replace(decorator.span.start, start, head),
                Some(before) => self.edits.replace(before.end, start, ","),
            }
            self.visit_expression(&decorator.expression);
            before = Some(decorator.span);
        }
    }

    /// The end of the word `class`.
    fn end_of_word(&self, from: u32, to: u32) -> u32 {
        crate::tokens::find(self.source, from, to, "class").map_or(from, |word| word.end)
    }

    fn has_word(&self, span: Span, word: &str) -> bool {
        crate::tokens::find(self.source, span.start, span.end, word).is_some()
    }

    /// Opens the body of a class.
    pub(crate) fn begin_members(&mut self, it: &Class<'a>, inner: Option<&str>) {
        let is_decorated = inner.is_some() || it.body.body.iter().any(has_decorators);
        let properties =
            it.body.body.iter().filter_map(constructor_of).flat_map(|constructor| {
                constructor.value.params.items.iter().filter_map(property_of)
            });
        let mut head: String = properties.map(|name| format!(" {name};")).collect();
        let mut plan = String::new();
        if is_decorated {
            let id = it.id.as_ref().map(|id| id.name.as_str());
            let name = inner.or(id).unwrap_or("__class");
            if inner.is_none() && id.is_none() {
                let end = self.end_of_word(it.span.start, it.body.span.start);
                self.edits.insert(end, " __class ");
            }
            let hidden = self.hide();
            plan = format!("{name}.{hidden}");
            let outer = match (inner, id) {
                (Some(inner), Some(id)) if inner != id => {
                    format!(", \"{id}\", (value) => {{ {id} = value; }}")
                }
                (Some("__default_1"), None) => {
                    String::from(", \"default\", (value) => { default_1 = value; }")
                }
                _ => String::new(),
            };
            let init = self.hide();
            head = format!(
                " [__decorators__.begin(\"{:?}\")](){{}} static {hidden} = __decorators__.end(this{outer}); \
                 {init} = __decorators__.init(this, {plan});{head}",
                self.decorators
            );
        }
        if !head.is_empty() {
            self.edits.insert(it.body.span.start + 1, head);
        }
        self.members.push(Members { plan, count: 0 });
    }

    pub(crate) fn end_members(&mut self) {
        self.members.pop();
    }

    /// Decorators of a constructor's or method's parameters.
    pub(crate) fn parameter_decorators(&mut self, it: &MethodDefinition<'a>) {
        let name = match it.kind {
            MethodDefinitionKind::Constructor => Some(String::from("undefined")),
            _ => quoted(&it.key, self.source),
        };
        let mut text = String::new();
        for (index, parameter) in it.value.params.items.iter().enumerate() {
            for decorator in &parameter.decorators {
                let Some(name) = &name else {
                    self.refuse(
                        decorator.span,
                        "A decorated parameter needs a method with a plain name",
                    );
                    return;
                };
                let expression = decorator.expression.span();
                let mark = self.edits.mark();
                self.visit_expression(&decorator.expression);
                let moved = self.edits.take(expression, mark);
                self.edits.blank(decorator.span.start, expression.start);
                self.edits.blank(expression.end, decorator.span.end);
                text.push_str(&format!(
                    "[__decorators__.parameter({name}, {}, {index}, {moved})](){{}} ",
                    it.r#static
                ));
            }
        }
        if !text.is_empty() {
            self.edits.insert(it.span.start, text);
        }
    }

    pub(crate) fn method_decorators(&mut self, it: &MethodDefinition<'a>) {
        let kind = match it.kind {
            MethodDefinitionKind::Get => "getter",
            MethodDefinitionKind::Set => "setter",
            _ => "method",
        };
        let Some(named) = self.collect(&it.decorators, kind, &it.key, it.r#static) else {
            return;
        };
        if !named {
            let key = it.key.span();
            self.edits.insert(key.start, "__decorators__.key(");
            self.edits.insert(key.end, ")");
        }
    }

    /// The call that gets a decorated field's value; the field itself is a private one from here on.
    pub(crate) fn field_decorators(&mut self, it: &PropertyDefinition<'a>) -> Option<String> {
        let named = self.collect(&it.decorators, "field", &it.key, it.r#static)?;
        let key = it.key.span();
        let hidden = self.hide();
        let last = it.decorators.last()?.span;
        let bracket = tokens(self.source, last.end, key.start).last();
        match bracket.filter(|_| it.computed) {
            None => self.edits.replace(key.start, key.end, hidden),
            Some(bracket) if named => {
                let end = self.end_of_key(&it.key, true);
                self.edits.replace(bracket.start, end, hidden);
            }
            Some(bracket) => {
                self.edits.replace(bracket.start, key.start, "[__decorators__.named(");
                self.visit_property_key(&it.key);
                let keyword = if it.r#static { "static " } else { "" };
                let end = self.end_of_key(&it.key, true);
                self.edits.replace(key.end, end, format!(")](){{}} {keyword}{hidden}"));
            }
        }
        Some(self.call())
    }

    pub(crate) fn accessor_decorators(&mut self, it: &AccessorProperty<'a>) -> Option<String> {
        self.collect(&it.decorators, "accessor", &it.key, it.r#static)?;
        Some(self.call())
    }

    fn call(&self) -> String {
        let members = self.members.last();
        let (plan, index) = members.map_or(("", 0), |members| (&*members.plan, members.count - 1));
        format!("__decorators__.field(this, {plan}, {index}")
    }

    /// Has the decorators of one member collected, if there are any; true if its name is known by now.
    fn collect(
        &mut self,
        decorators: &[Decorator<'a>],
        kind: &str,
        key: &PropertyKey<'a>,
        is_static: bool,
    ) -> Option<bool> {
        let last = decorators.last()?;
        if let PropertyKey::PrivateIdentifier(_) = key {
            self.refuse(last.span, "Private members cannot be decorated here");
        }
        let name = quoted(key, self.source);
        let known = name.as_deref().unwrap_or("null");
        self.list(decorators, &format!("[__decorators__.add(\"{kind}\", {known}, {is_static}, ["));
        self.edits.insert(last.span.end, "])](){}");
        if let Some(members) = self.members.last_mut() {
            members.count += 1;
        }
        Some(name.is_some())
    }
}

fn constructor_of<'b, 'a>(element: &'b ClassElement<'a>) -> Option<&'b MethodDefinition<'a>> {
    match element {
        ClassElement::MethodDefinition(it)
            if it.kind == MethodDefinitionKind::Constructor && it.value.body.is_some() =>
        {
            Some(it)
        }
        _ => None,
    }
}

fn has_decorators(element: &ClassElement<'_>) -> bool {
    match element {
        ClassElement::MethodDefinition(it) => {
            let of = |parameter: &FormalParameter<'_>| !parameter.decorators.is_empty();
            it.value.body.is_some()
                && (!it.decorators.is_empty() || it.value.params.items.iter().any(of))
        }
        ClassElement::PropertyDefinition(it) => !it.decorators.is_empty() && !it.declare,
        ClassElement::AccessorProperty(it) => !it.decorators.is_empty(),
        ClassElement::StaticBlock(_) | ClassElement::TSIndexSignature(_) => false,
    }
}
