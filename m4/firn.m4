dnl SPDX-License-Identifier: LGPL-3.0-or-later

dnl FIRN_TRY_CFLAGS(FLAGS): add those that the compiler knows to FIRN_CFLAGS.
AC_DEFUN([FIRN_TRY_CFLAGS], [
	for flag in $1; do
		save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $flag"
		AC_MSG_CHECKING([whether $CC accepts $flag])
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
			[AC_MSG_RESULT([yes]); FIRN_CFLAGS="$FIRN_CFLAGS $flag"],
			[AC_MSG_RESULT([no])])
		CFLAGS=$save_CFLAGS
	done
])

dnl FIRN_TRY_LDFLAGS(FLAGS): the same for the linker and FIRN_LDFLAGS.
AC_DEFUN([FIRN_TRY_LDFLAGS], [
	for flag in $1; do
		save_LDFLAGS=$LDFLAGS
		LDFLAGS="$LDFLAGS $flag"
		AC_MSG_CHECKING([whether the linker accepts $flag])
		AC_LINK_IFELSE([AC_LANG_PROGRAM()],
			[AC_MSG_RESULT([yes]); FIRN_LDFLAGS="$FIRN_LDFLAGS $flag"],
			[AC_MSG_RESULT([no])])
		LDFLAGS=$save_LDFLAGS
	done
])

dnl FIRN_NEED_PTHREADS: threads are part of the C library or in -lpthread.
AC_DEFUN([FIRN_NEED_PTHREADS], [
	AC_SEARCH_LIBS([pthread_create], [pthread], [],
		[AC_MSG_ERROR([POSIX threads are needed])])
])
