//! What becomes of a source, without a Node to run it.

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::SourceType;
use proptest::prelude::*;
use typescript::{Options, SyntaxError, transpile};

fn code(source: &str) -> String {
    transpile(source, Options::default()).unwrap_or_else(|error| panic!("{error:?}: {source}")).code
}

#[test]
fn types_become_blanks_of_their_own_width() {
    for (source, expected) in [
        ("let a: number = 1 as any;", "let a         = 1       ;"),
        ("let é: string = '😀' as T, b!: U;", "let é         = '😀'     , b    ;"),
        ("f<T>(x!, <T>y)", "f   (x , (  y))"),
        ("interface A {\n  b: c\n}\nd", ";            \n      \n \nd"),
        ("import { type A, b } from 'c'; b", "import {         b } from 'c'; b"),
        ("import { A } from 'c';\nlet a: A", ";                     \nlet a   ;"),
        ("export type { A } from 'b'; export { c };", ";                           export { c };"),
        ("class A { private readonly b?: c = 1 }", "class A {                  b     = 1; }"),
        ("function f(this: A, b?: c): d {}", "function f(         b    )    {}"),
        ("(a as b)\n(c)", "(a     )\n(c)"),
        ("let a = b as c\n(d)", "let a = b     ;\n(d)"),
        ("const f = (): {\n} => 1", "const f = (    \n ) => 1"),
    ] {
        let code = code(source);
        assert_eq!(code, expected, "{source}");
    }
}

#[test]
fn imports_stay_where_a_later_text_may_use_them() {
    let options = Options { keep_imports: true };
    let kept = transpile("import A, { b, type C } from 'd'; b", options).expect("a program");
    assert!(kept.code.starts_with("import A, { b,"), "{}", kept.code);
    assert_eq!(kept.unused, ["A"]);
    assert!(kept.module && !transpile("let a: b", options).expect("a program").module);
}

#[test]
fn errors_have_lines_and_columns_of_utf_16() {
    let error = |source| transpile(source, Options::default()).expect_err("no program");
    let at =
        |message: &str, line, column| SyntaxError { message: String::from(message), line, column };
    assert_eq!(error("let a: number;\n/* 😀 */ a = = 2"), at("Unexpected token '='", 2, 14));
    assert_eq!(error("enum A { B = 'c', D }"), at("Enum member must have initializer.", 1, 19));
}

/// Words that a program is made of, in no order.
fn words() -> impl Strategy<Value = String> {
    const WORDS: [&str; 60] = [
        "a",
        "b",
        "1",
        "'s'",
        "`t`",
        ":",
        "?",
        "!",
        "=",
        "=>",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        ",",
        ";",
        ".",
        "\n",
        "\n",
        "class",
        "enum",
        "namespace",
        "interface",
        "type",
        "declare",
        "abstract",
        "private",
        "readonly",
        "static",
        "get",
        "accessor",
        "@",
        "as",
        "satisfies",
        "import",
        "export",
        "from",
        "default",
        "function",
        "async",
        "const",
        "let",
        "new",
        "return",
        "extends",
        "implements",
        "constructor",
        "super",
        "this",
        "number",
        "any",
        "//",
        "/*",
        "*/",
        "😀",
        "#p",
    ];
    let word = (0..WORDS.len()).prop_map(|index| WORDS[index]);
    proptest::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
}

/// Parts of a program, each once, in any order.
fn programs() -> impl Strategy<Value = String> {
    const PARTS: [&str; 14] = [
        "enum A { B, C = 's', D = 1 << 2, 'e f' }\n",
        "export namespace N.M { export let a = 1; export const { b, c: [d] } = e; export function f(): void {} }\n",
        "@d('x') @e export class K<T> extends L<T> implements I { @f a: T = 1; @g m(@h p: T) {} accessor z = 1 }\n",
        "class P extends Q { constructor(private a: number, readonly b = 2) { super(); } static { } }\n",
        "const f = async <T,>(\n  x: T,\n): Promise<{\n a: T }> => <any>{ x } as T;\n",
        "import type A from 'a'; import B, { type C, D } from 'b'; import E = require('e'); D;\n",
        "abstract class R { abstract a(): void; abstract b: number; [k: string]: any; declare c: d; e?(): void {} }\n",
        "for (const x of y as z[]) { if (x!) continue; enum In { A } }\n",
        "let s = `${a as b}${<c>d}`\n",
        "function g(this: A, b?: B): asserts b is C; function g(b) { return b! satisfies D }\n",
        "export default abstract class { @d x!: number }\n",
        "type X = { [K in keyof Y]?: Z } | (new () => `a${string}`)\n",
        "label: while (0) break label\n",
        "@(d) class { @e ['k']: f; @g get h() { return 1 } }\n",
    ];
    let some = proptest::sample::subsequence(PARTS.to_vec(), 0..=PARTS.len());
    some.prop_shuffle().prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn whatever_it_is_its_lines_stay(source in prop_oneof![words(), programs(), any::<String>()]) {
        if let Ok(translated) = transpile(&source, Options::default()) {
            prop_assert_eq!(translated.code.matches('\n').count(), source.matches('\n').count());
        }
    }

    #[test]
    fn what_is_made_of_a_program_is_javascript(source in programs()) {
        let made = code(&source);
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, &made, SourceType::mjs()).parse();
        prop_assert!(parsed.diagnostics.is_empty(), "{:?}: {made}", parsed.diagnostics);
        prop_assert!(!made.contains('@'), "{made}");
    }
}
