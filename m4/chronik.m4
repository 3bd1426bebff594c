dnl SPDX-License-Identifier: Apache-2.0
dnl What configure.ac asks of the compiler and of the machine.

# CHRONIK_FOLDER_NAMED_CORE
# configure removes a dump named "core" after each check and at its end. In an in-tree build that is
# our folder, so that rm complains and, at the end, leaves confdefs.h behind. Our rm overlooks it.
AC_DEFUN([CHRONIK_FOLDER_NAMED_CORE],
[rm ()
{
  for chronik_file
  do
    shift
    test "x$chronik_file" = xcore || set -- "$[@]" "$chronik_file"
  done
  command rm "$[@]"
}
])

# CHRONIK_CC_FLAG(VARIABLE, FLAG...)
# Appends to VARIABLE each flag that the compiler takes without a word.
AC_DEFUN([CHRONIK_CC_FLAG],
[for chronik_flag in $2
do
  AS_VAR_PUSHDEF([chronik_cache], [chronik_cv_cc_$chronik_flag])
  AC_CACHE_CHECK([whether $CC takes $chronik_flag], [chronik_cache],
    [chronik_save_CFLAGS=$CFLAGS
     CFLAGS="$CFLAGS -Werror $chronik_flag"
     AC_LINK_IFELSE([AC_LANG_PROGRAM], [AS_VAR_SET([chronik_cache], [yes])],
                    [AS_VAR_SET([chronik_cache], [no])])
     CFLAGS=$chronik_save_CFLAGS])
  AS_VAR_IF([chronik_cache], [yes], [$1="$$1 $chronik_flag"])
  AS_VAR_POPDEF([chronik_cache])
done])

# CHRONIK_CC_FOR_BUILD
# The compiler of generators that run while building: never instrumented, never crossed.
AC_DEFUN([CHRONIK_CC_FOR_BUILD],
[AC_ARG_VAR([CC_FOR_BUILD], [compiler of programs that run while building])
AC_ARG_VAR([CFLAGS_FOR_BUILD], [its flags])
AS_IF([test -z "$CC_FOR_BUILD"],
  [AS_IF([test "$cross_compiling" = yes],
     [AC_CHECK_PROGS([CC_FOR_BUILD], [cc gcc clang])
      AS_IF([test -z "$CC_FOR_BUILD"],
        [AC_MSG_ERROR([no compiler for this machine: set CC_FOR_BUILD])])],
     [CC_FOR_BUILD=$CC])])
AS_IF([test -z "$CFLAGS_FOR_BUILD"], [CFLAGS_FOR_BUILD="-O1 -g"])
])

# CHRONIK_STANDARD
AC_DEFUN([CHRONIK_STANDARD],
[AC_SUBST([STANDARD_CFLAGS])
CHRONIK_CC_FLAG([STANDARD_CFLAGS], [-std=gnu17])
AS_IF([test -z "$STANDARD_CFLAGS"], [AC_MSG_ERROR([$CC does not know C17])])
])

# CHRONIK_WARNINGS
AC_DEFUN([CHRONIK_WARNINGS],
[AC_SUBST([WARNING_CFLAGS])
CHRONIK_CC_FLAG([WARNING_CFLAGS], [dnl
  -Wall -Wextra -Wshadow -Wundef -Wvla -Walloca -Wcast-qual -Wpointer-arith -Wwrite-strings dnl
  -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations -Wold-style-definition dnl
  -Wredundant-decls -Wnested-externs -Wformat=2 -Wdouble-promotion dnl
  -Wlogical-op -Wduplicated-cond -Wunreachable-code -Wcomma])
AS_IF([test "$enable_werror" = yes], [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"])
])

# CHRONIK_INSTRUMENTATION
# Sanitizers, coverage and libFuzzer. The flags are substituted, so they reach what we build and
# neither configure's own checks nor generators.
AC_DEFUN([CHRONIK_INSTRUMENTATION],
[AC_SUBST([INSTRUMENT_CFLAGS])
AC_SUBST([INSTRUMENT_LDFLAGS])
AC_SUBST([FUZZ_LDFLAGS])
chronik_instrumented=no
chronik_optimise="-O2 -g"
AS_IF([test "$enable_coverage" != no],
  [chronik_instrumented=yes
   chronik_optimise="-O0 -g"
   INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS --coverage -fprofile-update=atomic"
   INSTRUMENT_LDFLAGS="$INSTRUMENT_LDFLAGS --coverage"])
AS_IF([test "$enable_sanitizers" = yes], [enable_sanitizers=address,undefined])
AS_IF([test "$enable_sanitizers" != no],
  [chronik_instrumented=yes
   chronik_optimise="-O1 -g"
   chronik_sanitize="-fsanitize=$enable_sanitizers"
   INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS $chronik_sanitize -fno-sanitize-recover=all"
   INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fno-omit-frame-pointer"
   INSTRUMENT_LDFLAGS="$INSTRUMENT_LDFLAGS $chronik_sanitize"])
AS_IF([test "$enable_fuzz" != no],
  [chronik_instrumented=yes
   chronik_optimise="-O1 -g"
   INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fsanitize=fuzzer-no-link"
   INSTRUMENT_LDFLAGS="$INSTRUMENT_LDFLAGS -fsanitize=fuzzer-no-link"
   FUZZ_LDFLAGS=-fsanitize=fuzzer])
AS_IF([test "$chronik_instrumented" = yes],
  [AC_MSG_CHECKING([whether $CC links with$INSTRUMENT_LDFLAGS])
   chronik_save_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS $INSTRUMENT_CFLAGS"
   AC_LINK_IFELSE([AC_LANG_PROGRAM], [AC_MSG_RESULT([yes])],
     [AC_MSG_RESULT([no])
      AC_MSG_ERROR([$CC cannot do that (libFuzzer needs clang)])])
   CFLAGS=$chronik_save_CFLAGS])
AS_IF([test "x$chronik_user_cflags" != xyes], [CFLAGS=$chronik_optimise])
AC_SUBST([INSTRUMENTED], [$chronik_instrumented])
AM_CONDITIONAL([ENABLE_FUZZ], [test "$enable_fuzz" != no])
AM_CONDITIONAL([ENABLE_COVERAGE], [test "$enable_coverage" != no])
])

# CHRONIK_HARDENING
AC_DEFUN([CHRONIK_HARDENING],
[AC_SUBST([HARDENING_CPPFLAGS])
AC_SUBST([HARDENING_CFLAGS])
AC_SUBST([HARDENING_LDFLAGS])
chronik_hardening=
AS_IF([test "$chronik_instrumented" = yes], [chronik_hardening="none (instrumented)"],
  [AS_IF([test "x$chronik_user_cflags" != xyes],
     [HARDENING_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
      CHRONIK_CC_FLAG([HARDENING_CFLAGS],
        [-fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection])
      chronik_hardening="compiler"])
   AS_IF([test "x$chronik_user_ldflags" != xyes],
     [CHRONIK_CC_FLAG([HARDENING_LDFLAGS], [-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack])
      AS_CASE([$HARDENING_CFLAGS], [*-fPIE*], [HARDENING_LDFLAGS="-pie $HARDENING_LDFLAGS"])
      chronik_hardening="${chronik_hardening:+$chronik_hardening }linker"])
   AS_IF([test -z "$chronik_hardening"], [chronik_hardening="the user's flags"])])
])

# CHRONIK_LTO
# The two programs are optimised across files, which is a sixth of what the simulator costs. Objects
# keep their machine code beside it, so that the many programs of the tests link as fast as ever.
AC_DEFUN([CHRONIK_LTO],
[AC_SUBST([LTO_CFLAGS])
AC_SUBST([LTO_LDFLAGS])
AC_SUBST([NO_LTO_LDFLAGS])
chronik_lto=no
AS_IF([test "$chronik_instrumented" = no && test "x$chronik_user_cflags" != xyes],
  [AC_MSG_CHECKING([whether $CC optimises across files])
   chronik_save_CFLAGS=$CFLAGS
   CFLAGS="$CFLAGS -Werror -flto=auto -ffat-lto-objects"
   AC_LINK_IFELSE([AC_LANG_PROGRAM], [chronik_lto=yes])
   CFLAGS=$chronik_save_CFLAGS
   AC_MSG_RESULT([$chronik_lto])])
AS_IF([test "$chronik_lto" = yes],
  [LTO_CFLAGS="-flto=auto -ffat-lto-objects"
   LTO_LDFLAGS="-flto=auto"
   NO_LTO_LDFLAGS="-fno-lto"])
])

# CHRONIK_WITH(NAME, VARIABLE, MODULE, WHAT-FOR)
# An optional library: used when it is there, fatal only when it was asked for and is missing.
AC_DEFUN([CHRONIK_WITH],
[AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1], [use $1 for $4 @<:@auto@:>@])],
  [], [with_$1=auto])
chronik_have_$1=no
AS_IF([test "$with_$1" != no],
  [PKG_CHECK_MODULES([$2], [$3], [chronik_have_$1=yes],
    [AS_IF([test "$with_$1" != auto], [AC_MSG_ERROR([--with-$1: $3 was not found])])])])
AS_IF([test "$chronik_have_$1" = yes], [HAVE_$2=1], [HAVE_$2=0])
AC_SUBST([HAVE_$2])
AM_CONDITIONAL([HAVE_$2], [test "$chronik_have_$1" = yes])
])
