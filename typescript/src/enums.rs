//! Enums: an object that knows its members by name, and those that are numbers by number.

use std::collections::HashSet;

use oxc_ast::ast::{Expression, TSEnumDeclaration, TSEnumMember, TSEnumMemberName, UnaryOperator};
use oxc_ast_visit::Visit;
use oxc_span::{GetSpan, Span};

use crate::erase::Eraser;
use crate::tokens::find;

/// What an initializer of an enum may call by its bare name.
pub(crate) struct EnumScope {
    pub(crate) name: String,
    pub(crate) members: HashSet<String>,
}

/// What is known of a member before the program runs.
enum Known {
    Number(f64),
    Text,
    Nothing,
}

/// Of an exported declaration: where `export` begins, and the namespace that it belongs to, if any.
pub(crate) type Exported = Option<(Span, Option<String>)>;

impl<'a> Eraser<'a> {
    /// `enum E { … }` becomes `var E; (function (E) { … })(E = {});`, on the same lines.
    pub(crate) fn enum_declaration(&mut self, it: &TSEnumDeclaration<'a>, exported: Exported) {
        let name = String::from(it.id.name.as_str());
        let (start, head, object) = self.opening(&name, it.span, exported);
        self.edits.replace(start, it.body.span.start + 1, format!("{head}(function ({name}) {{"));
        let before = self.exports.members(&name);
        let mut scope = EnumScope { name: name.clone(), members: before };
        let mut previous: Option<(String, Known)> = None;
        for (index, member) in it.body.members.iter().enumerate() {
            let key = self.key_of(member);
            let own = match &member.id {
                TSEnumMemberName::Identifier(id) => String::from(id.name.as_str()),
                TSEnumMemberName::String(text) | TSEnumMemberName::ComputedString(text) => {
                    String::from(text.value.as_str())
                }
                TSEnumMemberName::ComputedTemplateString(_) => String::new(),
            };
            let outer = self.enumeration.replace(scope);
            let known = self.member(&name, &key, member, previous.as_ref());
            scope = self
                .enumeration
                .take()
                .unwrap_or_else(|| EnumScope { name: name.clone(), members: HashSet::new() });
            self.enumeration = outer;
            scope.members.insert(own);
            let next = it.body.members.get(index + 1).map_or(it.body.span.end, |m| m.span.start);
            if let Some(comma) = find(self.source, member.span.end, next, ",") {
                self.edits.blank(comma.start, comma.end);
            }
            previous = Some((key, known));
        }
        self.exports.remember_members(&name, scope.members);
        self.edits.replace(it.span.end - 1, it.span.end, format!("}})({object});"));
    }

    fn key_of(&self, member: &TSEnumMember<'a>) -> String {
        match &member.id {
            TSEnumMemberName::Identifier(id) => format!("\"{}\"", id.name),
            TSEnumMemberName::String(text) | TSEnumMemberName::ComputedString(text) => {
                String::from(self.text(text.span))
            }
            TSEnumMemberName::ComputedTemplateString(text) => String::from(self.text(text.span)),
        }
    }

    fn member(
        &mut self,
        name: &str,
        key: &str,
        member: &TSEnumMember<'a>,
        previous: Option<&(String, Known)>,
    ) -> Known {
        let span = member.span;
        let Some(initializer) = &member.initializer else {
            let (value, known) = match previous {
                None => (String::from("0"), Known::Number(0.0)),
                Some((_, Known::Number(n))) => (format!("{}", n + 1.0), Known::Number(n + 1.0)),
                Some((before, Known::Nothing)) => (format!("{name}[{before}] + 1"), Known::Nothing),
                Some((_, Known::Text)) => {
                    self.refuse(span, "Enum member must have initializer.");
                    return Known::Text;
                }
            };
            let text = format!("{name}[{name}[{key}] = {value}] = {key};");
            self.edits.replace(span.start, span.end, text);
            return known;
        };
        let known = known(initializer);
        let at = initializer.span();
        let (head, tail) = match known {
            Known::Number(_) => (format!("{name}[{name}[{key}] = "), format!("] = {key};")),
            Known::Text => (format!("{name}[{key}] = "), String::from(";")),
            Known::Nothing => (
                format!("typeof ({name}[{key}] = "),
                format!(") === \"string\" || ({name}[{name}[{key}]] = {key});"),
            ),
        };
        self.edits.replace(span.start, at.start, head);
        self.visit_expression(initializer);
        self.edits.insert(span.end, tail);
        known
    }
}

fn known(expression: &Expression<'_>) -> Known {
    match expression {
        Expression::NumericLiteral(literal) => Known::Number(literal.value),
        Expression::StringLiteral(_) => Known::Text,
        Expression::TemplateLiteral(_) => Known::Text,
        Expression::ParenthesizedExpression(inner) => known(&inner.expression),
        Expression::UnaryExpression(unary) => match (unary.operator, known(&unary.argument)) {
            (UnaryOperator::UnaryNegation, Known::Number(n)) => Known::Number(-n),
            (UnaryOperator::UnaryPlus, Known::Number(n)) => Known::Number(n),
            _ => Known::Nothing,
        },
        _ => Known::Nothing,
    }
}
