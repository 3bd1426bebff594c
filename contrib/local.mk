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
