"""The TypeScript kernel: what makes code, what makes none, and where errors are."""

import unittest

from typescript_driver import TypeScriptCase, skip_without_typescript


def setUpModule():
    skip_without_typescript("test_typescript_kernel")


class Types(TypeScriptCase):
    def test_leave_nothing(self):
        self.prints(
            "interface A<T extends object = {}> { x: T; y?(): void }\n"
            "type B = { [K in keyof A<{}>]?: A<{}>[K] } | `a${string}` | (new () => B) | null;\n"
            "declare const nowhere: number;\ndeclare module 'm' { export const q: number }\ndeclare global { interface Window { z: 1 } }\n"
            "function over(a: string): void;\nfunction over(a: number): void;\nfunction over(this: void, a: any, b?: B): asserts a is string { console.log(a!, arguments.length); }\n"
            "over('x' as unknown as string);\n"
            "const id = <T,>(x: T): T => x, made = new Map<string, Array<Set<number>>>(), f = id<number>;\n"
            "console.log(id<string>('s'), made.size, f(1), ({ a: 1 } satisfies object).a, (<any>'z').length);\n"
            "try { throw 1 } catch (e: unknown) { console.log(e) }\nlabel: for (const n of [1] as number[]) { console.log(n); continue label }\n",
            "x 1\ns 0 1 1 1\n1\n1\n",
        )

    def test_where_a_line_ends_by_a_type(self):
        self.prints("let a = 1 as any\n;[2].forEach((x: number): void => console.log(x))\nlet b: number\n[3].forEach(console.log.bind(null, 'b'))\n",
                    "2\nb 3 0 [ 3 ]\n")
        self.prints("const f = (x: number): {\n  a: number;\n} => ({ a: x });\nconst g = async <\n  T\n>(x: T): Promise<\n  T\n> => x;\nconsole.log(f(1).a, await g(2));\n", "1 2\n")
        self.prints("const f = () => <any>{ a: 1 };\nconst g = () => { return <any>\n { b: 2 } };\nconsole.log(f(), g());\n", "{ a: 1 } { b: 2 }\n")
        self.prints("class A {\n  x: number\n  ['y']: number = 1\n  static z: any\n  *gen(): any { yield 1 }\n  get!: number\n  f() { return [...this.gen()] }\n}\nconsole.log(new A(), new A().f());\n",
                    "A { x: undefined, y: 1, get: undefined } [ 1 ]\n")

    def test_classes(self):
        self.prints(
            "abstract class Shape<T> implements Iterable<T> {\n  protected static readonly kind: string = 's';\n  [key: string]: any;\n  declare ghost: number;\n"
            "  constructor(public readonly name: string, private size = 2, other?: number) { console.log(this.name, this.size, other) }\n"
            "  abstract area(): number;\n  *[Symbol.iterator](): Iterator<T> {}\n  public override toString(): string { return Shape.kind }\n}\n"
            "class Square extends Shape<number> {\n  constructor(private readonly side: number) { super('sq'); this.side++ }\n  area(): number { return this.side! ** 2 }\n}\n"
            "const s = new Square(2);\nconsole.log(s.area(), `${s}`, 'ghost' in s, s);\n",
            "sq 2 undefined\n9 s false Square { name: 'sq', size: 2, side: 3 }\n",
        )

    def test_a_type_error_does_not_stop_a_program(self):
        self.prints("const n: number = 'text';\nconsole.log(n)\n", "text\n")


class Enums(TypeScriptCase):
    def test_numbers_have_names_and_names_numbers(self):
        self.prints("enum Color { Red, Green = 5, Blue }\nconsole.log(Color.Blue, Color[0], Color);\n",
                    "6 Red { '0': 'Red', '5': 'Green', '6': 'Blue', Red: 0, Green: 5, Blue: 6 }\n")

    def test_strings_and_constants(self):
        self.prints("const enum Dir { Up = 'UP', Down = `DOWN`, 'odd name' = 'ODD' }\nconsole.log(Dir.Up, Dir['odd name'], Object.keys(Dir).length);\n", "UP ODD 3\n")

    def test_members_that_are_computed_or_mean_others(self):
        self.prints("enum F { None, Read = 1 << 0, Write = 1 << 1, Both = Read | Write, Len = 'abc'.length, Next, Neg = -2, After }\nconsole.log(Object.values(F).filter((v) => typeof v === 'number').join(), F[3], F.After);\n",
                    "0,1,2,3,3,4,-2,-1 Len -1\n")

    def test_merged_local_and_heterogeneous(self):
        self.prints("enum A { X = 1 }\nenum A { Y = X + 1 }\nfunction f() { enum A { Z = 9 } return A.Z }\nenum Mixed { No = 0, Yes = 'YES' }\nconsole.log(A, f(), Mixed);\n",
                    "{ '1': 'X', '2': 'Y', X: 1, Y: 2 } 9 { '0': 'No', No: 0, Yes: 'YES' }\n")

    def test_a_member_after_text_needs_a_value(self):
        found = self.fails_at(self.fresh().once("let a;\nenum E { A = 'a',\n  B }\n"), "main.ts", 3, 3)
        self.assertEqual(found["message"], "Enum member must have initializer.")


class Namespaces(TypeScriptCase):
    def test_what_is_exported_is_seen(self):
        self.prints("namespace Geo {\n  const hidden = 2;\n  export const scale: number = hidden * 2;\n  export function area(r: number): number { return r * scale }\n  export class P { constructor(public x: number) {} }\n  export enum Unit { M }\n  export interface Only {}\n}\nconsole.log(Geo.area(3), new Geo.P(1), Geo.Unit.M, 'hidden' in Geo);\n",
                    "12 P { x: 1 } 0 false\n")

    def test_nested_dotted_and_merged(self):
        self.prints("namespace A.B.C { export const deep = 1 }\nnamespace A { export namespace D { export let n = 0; export function up() { n++ } } }\nnamespace M { export const a = 1 }\nnamespace M { export const b = a + 1 }\nA.D.up(); A.D.n += 10; A.D.up();\nconsole.log(A.B.C.deep, A.D.n, M);\n",
                    "1 12 { a: 1, b: 2 }\n")

    def test_merged_with_functions_classes_and_enums(self):
        self.prints("function f() { return f.count }\nnamespace f { export let count = 3 }\nclass K {}\nnamespace K { export const of = () => new K() }\nenum E { A = 1 }\nnamespace E { export function parse(s: string): E { return (E as any)[s] } }\nconsole.log(f(), K.of(), E.parse('A'));\n", "3 K {} 1\n")

    def test_types_alone_make_nothing(self):
        self.prints("namespace T { export interface X {} export type Y = 1; namespace U { type Z = 2 } }\ndeclare namespace D { const x: number }\nimport type N = T.X;\nnamespace V { export const v = { w: 7 } }\nimport w = V.v;\nconsole.log(typeof T, typeof D, w.w);\n".replace("import type N = T.X;\n", ""),
                    "undefined undefined 7\n")


class Errors(TypeScriptCase):
    def test_at_run_time_have_the_users_lines(self):
        code = "interface A {\n  a: number;\n}\nenum E { X, Y }\nfunction f<T extends A>(x: T): never {\n  const y: any = x!.a as any; throw new Error('no ' + y);\n}\nf<A>({ a: E.Y });\n"
        kernel = self.fresh()
        found = self.fails_at(kernel.once(code), "main.ts", 6, 37)
        self.assertIn("main.ts:8:1", found["traceback"])
        self.assertIn("main.ts:6\n  const y: any = x!.a as any; throw new Error('no ' + y);\n" + " " * 36 + "^\n", kernel.err)
        self.assertNotIn("runtimes", kernel.err)

    def test_behind_what_makes_code_on_the_same_line(self):
        self.fails_at(self.fresh().once("enum E { A, B = 'b' } null!.x;\n"), "main.ts", 1, 29)
        self.fails_at(self.fresh().once("class C { constructor(private a: number) { a; throw new Error('x') } }\nnew C(1);\n"), "main.ts", 1, 53)
        self.fails_at(self.fresh().once("namespace N { export const a = 1; export function f() { throw new TypeError('y') } }\nN.f();\n"), "main.ts", 1, 63)
        self.fails_at(self.fresh().once("/* 😀 */ const s = '😀' as string; (undefined as any).x;\n"), "main.ts", 1, 55)

    def test_whatever_ends_a_line(self):
        self.fails_at(self.fresh().once("let a: number = 1;\r\ninterface X {\r\n  a: 1\r\n}\r\nthrow new Error('x' as string);\r\n"), "main.ts", 5, 7)
        self.fails_at(self.fresh().once("#!/usr/bin/env ts-node\nlet s = `a${1 as number}\n${(() => {\n  throw new Error('in' as string) })()}`;"), "main.ts", 4, 9)
        self.fails_at(self.fresh().once("\ufefflet a: number = 1; throw new Error('x')"), "main.ts", 1)

    def test_of_syntax_have_the_users_lines(self):
        for code, line, column in (("let a: number = 1;\na = = 2;\n", 2, 5), ("interface A {\n  x: ;\n}\n", 2, 6),
                                   ("enum E {\n  A = \n}\n", 3, 1), ("function f(a: number {\n", 1, 22), ("class A {\n  x = 1;\n", 3, 1)):
            with self.subTest(code):
                found = self.fails_at(self.fresh().once(code), "main.ts", line)
                self.assertEqual((found["kind"], found["name"]), ("syntax", "SyntaxError"))
        self.assertEqual(self.fresh().once("let a: number = 1;\na = = 2;\n").diagnostic["message"], "Unexpected token '='")
        self.fails_at(self.fresh().once("let a: number = 1;\nlet a: string = '';\n"), "main.ts", 2, 5)

    def test_what_is_nested_too_deeply_ends_nothing_else(self):
        for name, code in (("parentheses", "(" * 200_000 + "1" + ")" * 200_000), ("types", "type A = " + "[" * 200_000 + "]" * 200_000),
                           ("generics", "let a: " + "A<" * 200_000 + "B" + ">" * 200_000), ("conditions", "type A = " + "a extends b ? c : " * 200_000 + "d"),
                           ("members", "a" + ".a" * 300_000), ("statements", "if (1) " * 200_000), ("operators", "!" * 500_000 + "1"),
                           ("sums", "1" + "+1" * 500_000), ("namespaces", "namespace A { " * 100_000)):
            with self.subTest(name):
                found = self.kernel.run(code).diagnostic
                self.assertEqual(found["kind"], "syntax", found)
        self.assertEqual(self.value("(6 as number) * 7"), "42")

    def test_what_is_huge_is_taken(self):
        self.kernel.run("enum Huge { " + ", ".join("M%d" % n for n in range(20_000)) + " }")
        self.assertEqual(self.value("Huge.M19999"), "19999")
        self.kernel.run("type Wide = " + " | ".join("'%d'" % n for n in range(200_000)) + ";\nconst wide: Wide = '7'")
        self.assertEqual(self.value("wide"), "'7'")
        self.assertEqual(self.kernel.run("let s: string = '%s';\ns.y.z" % ("x" * 4_000_000)).diagnostic["line"], 2)


class Process(TypeScriptCase):
    def test_exit_arguments_and_input(self):
        kernel = self.fresh()
        answer = kernel.once("import { readFileSync } from 'node:fs';\nconst text: string = readFileSync(0, 'utf8');\nconsole.log(text.trim(), process.argv[2]!);\nprocess.exit(3 as number);\n",
                             stdin=b"in\n", args=["it's"])
        self.assertEqual((kernel.out, answer.exit_code), ("in it's\n", 3))

    def test_a_fence_has_its_hint(self):
        self.assertIn("fences", self.fresh().once("```ts\nlet a: number = 1;\n```\n").diagnostic["hint"])


if __name__ == "__main__":
    unittest.main()
