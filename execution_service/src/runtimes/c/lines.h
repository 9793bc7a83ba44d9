/* Read by gcc before the program. Makes its stdout line-buffered, as it is on a terminal: what it printed before
   a crash, a limit or a kill is in the answer, and in order with what system() and fork() print.

   The names are ours and only their symbols the C library's, so that a program may declare anything it likes, even
   a `stdout` of its own: hence glibc's name of the stream itself. Elsewhere, and in a static program that has no
   stream, nothing is done. The program can still choose another buffering, with setvbuf(). */
#pragma GCC system_header

extern char __crucible_stdout[] __asm__("_IO_2_1_stdout_") __attribute__((weak));
extern int __crucible_setvbuf(void *, char *, int, __SIZE_TYPE__) __asm__("setvbuf");

static void __attribute__((constructor(101), used)) __crucible_line_buffered(void) {
  if (__crucible_stdout)
    __crucible_setvbuf(__crucible_stdout, 0, /* _IOLBF */ 1, 0);
}
