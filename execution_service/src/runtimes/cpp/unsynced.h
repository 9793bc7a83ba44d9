/* Read by g++ before a program that mentions sync_with_stdio, by which std::cout and std::clog get buffers of their
   own: those would be lost in a crash, a limit or a kill. With a false as before, std::cin gets one; the two go on by
   way of stdout, which is line-buffered (c/lines.h), and stderr.

   The linker gives us the calls (--wrap). Nothing is included that such a program does not include itself, but for
   <cstdio> and <unistd.h>. Weak, because each source of a program has a copy. */
#pragma GCC system_header

#include <ext/stdio_sync_filebuf.h>
#include <new>
#include <ostream>

extern std::ostream __crucible_cout __asm__("_ZSt4cout");
extern std::ostream __crucible_clog __asm__("_ZSt4clog");
extern bool __crucible_unsync(bool) __asm__("__real__ZNSt8ios_base15sync_with_stdioEb");

bool __crucible_unsync_input(bool) __asm__("__wrap__ZNSt8ios_base15sync_with_stdioEb");

__attribute__((weak)) bool __crucible_unsync_input(bool __sync) {
  typedef __gnu_cxx::stdio_sync_filebuf<char> __lines;
  /* The streams are used after every destructor has run: nobody destroys these. */
  static char __out[sizeof(__lines)] __attribute__((aligned(__alignof__(__lines))));
  static char __log[sizeof(__lines)] __attribute__((aligned(__alignof__(__lines))));
  bool __before = __crucible_unsync(__sync);
  if (__before && !__sync) {
    __crucible_cout.rdbuf(new (__out) __lines(stdout));
    __crucible_clog.rdbuf(new (__log) __lines(stderr));
  }
  return __before;
}
