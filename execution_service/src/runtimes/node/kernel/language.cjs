// What programs are written in: JavaScript, unless the kernel of another language (../../typescript) puts its own
// answers here before anything else is loaded.
'use strict';

module.exports = {
  /** What the program's file is called. */
  main: 'main.js',
  /** What the n-th run of a session is called. */
  cell: (n) => `cell_${n}.js`,
  /**
   * Makes JavaScript, line for line: `{ code, shifts, unused }`, or `{ error: { message, line, column } }`. With
   * `keepsImports` also of what the program imports and does not use, and that is named in `unused`.
   */
  translate: null,
  /** What import() does: called with the specifier, the file that it is in, and the attributes. */
  importModule: null,
};
