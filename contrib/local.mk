# SPDX-License-Identifier: Apache-2.0
EXTRA_DIST += \
	contrib/debian-packages \
	contrib/chronik.service

# The unit names the program where it was installed.
systemdunitdir = $(prefix)/lib/systemd/system
nodist_systemdunit_DATA = contrib/installed/chronik.service
CLEANFILES += $(nodist_systemdunit_DATA)
contrib/installed/chronik.service: contrib/chronik.service Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(SED) 's,/usr/bin/chronik,$(bindir)/chronik,' $(srcdir)/contrib/chronik.service >$@

# The completion knows the configuration keys; bash finds it by the name of the program.
EXTRA_DIST += contrib/completion/chronik.bash
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = contrib/installed/chronik
CLEANFILES += $(nodist_bashcompletion_DATA)
contrib/installed/chronik: contrib/completion/chronik.bash contrib/server.properties
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	keys=`$(SED) -n 's/^#\([a-z][a-z0-9.]*\)=.*/\1/p' $(srcdir)/contrib/server.properties` && \
	$(SED) "s/@KEYS@/`echo $$keys`/" $(srcdir)/contrib/completion/chronik.bash >$@
