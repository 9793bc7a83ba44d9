"""The TypeScript kernel: sessions, modules of the workspace, decorators."""

import unittest

from typescript_driver import TypeScriptCase, skip_without_typescript

HELPER = (
    "import { deep } from './lib/deep';\nexport interface Options { a: number }\nexport enum Kind { One = 1 }\nexport const x: number = 41;\n"
    "export default class Thing<T> { constructor(public v: T) {} }\nexport function fail(m: string): never {\n  const text = m as string; throw new Error(text + deep);\n}\n"
)
FILES = {
    "helper_ts": HELPER,
    "lib__deep_ts": "import data from '../data.json';\nexport const deep: string = 'deep' + data.n;\n",
    "data_json": '{"n": 3}',
    "old_cts": "const secret: number = 5;\nmodule.exports = { secret, two: 2 };\n",
    "plain_mjs": "export const m = 1;\n",
    "plain_cjs": "module.exports = { c: 2 };\n",
    "one_ts": "import { b } from './two';\nexport const a = 1;\nexport function viaTwo(): number { return b() }\n",
    "two_ts": "import { a } from './one';\nexport function b(): number { return a + 1 }\n",
    "late_ts": "export const late: number = await new Promise<number>((done) => setTimeout(() => done(9), 5));\n",
    "bad_ts": "export const a: number = 1;\nconst = 5;\n",
}


def setUpModule():
    skip_without_typescript("test_typescript_session")


class Session(TypeScriptCase):
    def test_names_live_on_and_can_be_declared_again(self):
        self.kernel.run("enum E { A = 1, B }\nclass X<T> { constructor(public v: T) {} }\nlet n: number = 5;\nnamespace N { export const k = 7 }\nfunction f<T>(a: T): T { return a }\ninterface Gone {}")
        self.assertEqual(self.value("E.B + n + N.k + f<number>(1) + new X<number>(10).v"), "25")
        self.kernel.run("enum E { C = 9 }\nconst n: string = 'n';\nnamespace N { export const l = 8 }")
        self.assertEqual(self.value("[Object.keys(E).join(), n, Object.keys(N).join()] as string[]"), "[ '9,C', 'n', 'l' ]")

    def test_awaits_at_the_top(self):
        self.kernel.run("const later: number = await Promise.resolve<number>(6);\nfor await (const q of [Promise.resolve(1)] as Promise<number>[]) console.log(q as any);")
        self.assertEqual((self.value("later"), self.kernel.out), ("6", "1\n"))

    def test_errors_name_the_run_and_its_line(self):
        self.fails_at(self.kernel.run("type A = {\n  a: 1\n};\n(null as any).x;"), "cell_1.ts", 4, 15)
        self.fails_at(self.kernel.run("let z: number = 1;\nlet y: number = = 2;"), "cell_2.ts", 2, 17)
        self.assertIn("cell_2.ts:2\nlet y: number = = 2;\n", self.kernel.err)
        self.kernel.run("function g(): void {\n  throw new Error('from the third')\n}")
        found = self.fails_at(self.kernel.run("\ng()"), "cell_3.ts", 2, 9)
        self.assertIn("cell_4.ts:2:1", found["traceback"])

    def test_exit_keeps_the_state(self):
        self.kernel.run("let kept: number = 1")
        self.assertEqual(self.kernel.run("process.exit(3 as number); kept = 2").exit_code, 3)
        self.assertEqual(self.value("kept"), "1")

    def test_an_import_may_be_of_use_later(self):
        self.kernel.write(**FILES)
        self.kernel.run("import Thing, { x, type Options, Kind } from './helper.ts';\nimport { join } from 'node:path';")
        self.assertEqual(self.value("[new Thing<number>(1).v, x, Kind.One, join('a', 'b')].join()"), "'1,41,1,a/b'")
        # A type, as far as this run can tell; used as a value, it is undefined.
        self.assertEqual(self.kernel.run("import { Options } from './helper';\nconst o: Options = { a: 1 };").exit_code, 0)
        self.assertEqual(self.kernel.run("import { nothing } from './helper';\nnothing();").diagnostic["name"], "SyntaxError")

    def test_a_rewritten_file_is_read_anew(self):
        self.kernel.write(a_ts="import { n } from './b';\nexport const twice: number = 2 * n;\n", b_ts="export const n: number = 1;\n")
        self.assertEqual(self.value("import { twice } from './a';\ntwice"), "2")
        self.kernel.write(b_ts="export const n: number = 21;\n")
        self.assertEqual(self.value("import { twice } from './a';\ntwice"), "42")
        self.assertEqual(self.value("require('./b').n"), "21")

    def test_an_interrupt_ends_a_module_and_keeps_the_state(self):
        self.kernel.write(loop_ts="export const a: number = 1;\nconsole.log('begun');\nfor (;;);\n")
        self.kernel.run("let kept: number = 4")
        self.kernel.start("import { a } from './loop';\na")
        self.wait_for_output("begun")
        self.kernel.interrupt()
        self.assertTrue(self.kernel.finish().done["interrupted"])
        self.assertEqual(self.value("kept"), "4")

    def test_a_broken_file_can_be_mended(self):
        self.kernel.write(a_ts="import { n } from './b';\nexport const m = n;\n", b_ts="export const n: = 1;\n")
        self.fails_at(self.kernel.run("import { m } from './a';\nm"), "b.ts", 1)
        self.kernel.write(b_ts="export const n: number = 4;\n")
        self.assertEqual(self.value("import { m } from './a';\nm"), "4")


class Modules(TypeScriptCase):
    def test_imports_with_and_without_an_ending(self):
        self.prints("import Thing, { x, Kind, type Options } from './helper.ts';\nimport * as H from './helper';\nimport { m } from './plain.mjs';\nimport c from './plain.cjs';\nimport { EventEmitter } from 'node:events';\n"
                    "import { late } from './late.ts';\nimport { viaTwo } from './one.js';\nimport old, { two } from './old.cts';\nconst o: Options = { a: x };\n"
                    "console.log(o, Kind.One, new Thing<number>(5).v, Object.keys(H).join(), m, c, typeof EventEmitter, late, viaTwo(), old.secret, two);\nconsole.log((await import('./lib/deep')).deep);\n",
                    "{ a: 41 } 1 5 Kind,default,fail,x 1 { c: 2 } function 9 2 5 2\ndeep3\n", **FILES)

    def test_what_is_exported_as_a_whole(self):
        self.prints("import f = require('./f');\nimport g from './f';\nimport { v } from './f';\nconsole.log(f.v, g.v, v);\n", "1 1 1\n",
                    f_ts="import os from 'os';\nconst v: number = os.EOL.length;\nexport = { v };\n")

    def test_require(self):
        self.prints("const { x, Kind } = require('./helper.ts');\nimport fs = require('fs');\nconst Thing = require('./helper').default, old = require('./old.cts');\nconsole.log(x, Kind[1], new Thing(1).v, old, typeof fs.readFileSync);\n",
                    "41 One 1 { secret: 5, two: 2 } function\n", **FILES)

    def test_what_is_a_type_alone_is_not_imported(self):
        self.prints("import { Options } from './helper';\nimport Absent from './absent';\nimport { Request } from 'express';\nimport type { Other } from 'nowhere';\nlet o: Options | Absent | Request | Other = { a: 1 };\nconsole.log(o);\n", "{ a: 1 }\n", **FILES)

    def test_errors_have_the_files_own_lines(self):
        for code in ("import { fail } from './helper';\nfail('x');", "require('./helper').fail('x');"):
            with self.subTest(code):
                kernel = self.fresh()
                kernel.write(**FILES)
                found = self.fails_at(kernel.once(code), "helper.ts", 7, 35)
                self.assertEqual(found["message"], "xdeep3")
                self.assertIn("const text = m as string; throw", kernel.err)
        kernel = self.fresh()
        kernel.write(**FILES)
        found = self.fails_at(kernel.once("import { a } from './bad';\nconsole.log(a);"), "bad.ts", 2, 7)
        self.assertEqual(found["name"], "SyntaxError")
        kernel = self.fresh()
        kernel.write(**FILES)
        found = kernel.once("import { nothing } from './helper';\nnothing();").diagnostic
        self.assertEqual(found["message"], "The requested module './helper' does not provide an export named 'nothing'")
        self.assertIn("absent", self.fresh().once("import { a } from './absent';\na();").diagnostic["missing_module"])


class Decorators(TypeScriptCase):
    def test_of_typescript_5(self):
        self.prints(
            "function logged(target: Function, context: ClassMethodDecoratorContext) {\n  const name = String(context.name);\n  return function (this: any, ...args: any[]) { console.log('enter', name); return target.apply(this, args); };\n}\n"
            "function bound(value: Function, { name, addInitializer }: ClassMethodDecoratorContext) { addInitializer(function (this: any) { this[name] = this[name].bind(this); }); }\n"
            "function double(_: undefined, context: ClassFieldDecoratorContext) { return (v: number) => v * 2; }\n"
            "function tagged(tag: string) { return (value: any, context: ClassDecoratorContext) => class extends value { tag = tag + context.name; }; }\n"
            "function watched(value: any, context: ClassAccessorDecoratorContext) { return { set(this: any, v: any) { console.log('set', context.name, v); value.set.call(this, v); }, init: (v: any) => v + 1 }; }\n"
            "@tagged('t')\nclass A<T> {\n  @double n: number = 21;\n  @watched accessor w: number = 1;\n  accessor plain = 7;\n  constructor(readonly z: T) {}\n  @logged\n  greet(): string { return `n ${this.n}`; }\n  @bound own() { return this.z; }\n  @logged static make() { return new A<string>('q'); }\n}\n"
            "const a = A.make() as any;\na.w = 5;\nconst { own } = a;\nconsole.log(a.greet(), a.w, a.plain, a.tag, own(), A.name === '', Object.keys(a).join());\n",
            "enter make\nset w 5\nenter greet\nn 42 5 7 tA q true own,z,n,tag\n",
        )

    def test_of_experimental_decorators(self):
        self.prints(
            "function Log(target: any, propertyKey: string, descriptor: PropertyDescriptor) {\n  const original = descriptor.value;\n  descriptor.value = function (...args: any[]) { console.log('call', propertyKey, args); return original.apply(this, args); };\n}\n"
            "function Min(n: number) {\n  return function (target: any, key: string) {\n    let value: number;\n    Object.defineProperty(target, key, { get: () => value, set: (v: number) => { if (v < n) throw new Error(`${key} < ${n}`); value = v; } });\n  };\n}\n"
            "function Sealed(constructor: Function) { console.log('sealed', constructor.name); }\nfunction Param(target: any, key: string | undefined, index: number) { console.log('param', key, index); }\n"
            "function Component(o: { name: string }) { return function <T extends { new (...a: any[]): {} }>(c: T) { return class extends c { tag = o.name }; }; }\n"
            "@Sealed\nclass Calc {\n  @Min(1) count: number = 5;\n  constructor(@Param private base: number) {}\n  @Log add(@Param a: number, b: number): number { return this.base + a + b; }\n}\n"
            "@Component({ name: 'x' })\nclass Thing { id = 1; static create() { return new Thing(); } }\n"
            "const c = new Calc(1);\nconsole.log(c.add(1, 2), c.count, (Thing.create() as any).tag);\ntry { c.count = 0; } catch (e) { console.log((e as Error).message); }\n",
            "param add 0\nparam undefined 0\nsealed Calc\ncall add [ 1, 2 ]\n4 5 x\ncount < 1\n",
        )

    def test_run_in_the_order_of_the_language(self):
        self.prints("const order: string[] = [];\nconst d = (n: string) => { order.push('eval ' + n); return (v: any, c: any) => { order.push('call ' + n); }; };\n"
                    "@d('c')\nclass K {\n  @d('a') @d('b') m() {}\n  @d('f') ['x'] = 1;\n  @d('s') static ['y' + 1]: string = 'z';\n  @d('t') ['m' + 2]() {}\n}\nconsole.log(order.join(), new K(), (K as any).y1, Reflect.ownKeys(K.prototype).join(), Reflect.ownKeys(K).length);\n",
                    "eval c,eval a,eval b,eval f,eval s,eval t,call b,call a,call t,call s,call f,call c K { x: 1 } z constructor,m,m2 4\n")

    def test_errors_have_their_lines(self):
        self.fails_at(self.fresh().once("function d(v: Function, c: any) { return function (this: any) { return v.call(this) }; }\nclass K {\n  @d\n  m(): void { throw new Error('in m'); }\n}\nnew K().m();\n"), "main.ts", 4, 21)
        self.fails_at(self.fresh().once("function d(v: any, c: any): void {\n  throw new Error('in d');\n}\nclass K {\n  @d m(): void {}\n}\n"), "main.ts", 2, 9)
        self.fails_at(self.fresh().once("class K {\n  a = 1;\n  @absent\n  m(): void {}\n}\n"), "main.ts", 3, 4)
        self.fails_at(self.fresh().once("const d = () => {};\nclass K {\n  @d #hidden = 1;\n}\n"), "main.ts", 3)

    def test_live_on_in_a_session(self):
        self.kernel.run("function twice(v: Function, c: any) { return function (this: any) { return v.call(this) * 2 } }")
        self.assertIsNone(self.value("@(() => {})\nclass K { @twice m(): number { return 21 } }"))
        self.assertEqual(self.value("new K().m()"), "42")
        self.assertEqual(self.value("new K()"), "K {}")


if __name__ == "__main__":
    unittest.main()
