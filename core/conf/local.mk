# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/conf/conf.c \
	core/conf/conf.h \
	core/conf/describe.c \
	core/conf/endpoint.c \
	core/conf/endpoint.h \
	core/conf/ignored.def \
	core/conf/keys.c \
	core/conf/keys.def \
	core/conf/keys.h \
	core/conf/listeners.c \
	core/conf/listeners.h \
	core/conf/topic_conf.c \
	core/conf/topic_conf.h \
	core/conf/value.c \
	core/conf/value.h \
	core/conf/voters.c \
	core/conf/voters.h

# The pages about keys. The generator runs on the machine that builds.
CONFDOC_FILES = tools/confdoc.c core/conf/keys.def core/conf/ignored.def
EXTRA_DIST += tools/confdoc.c doc/CONFIGURATION.md

tools/confdoc: $(CONFDOC_FILES)
	$(AM_V_GEN)$(MKDIR_P) tools && \
	$(CC_FOR_BUILD) -std=gnu17 $(CFLAGS_FOR_BUILD) -I$(srcdir) -o $@ $(srcdir)/tools/confdoc.c

nodist_man_MANS += doc/chronik.properties.5
doc/chronik.properties.5: tools/confdoc
	$(AM_V_GEN)$(MKDIR_P) doc && tools/confdoc man >$@.new && mv $@.new $@
CLEANFILES += tools/confdoc doc/chronik.properties.5

examplesdir = $(docdir)/examples
dist_examples_DATA = contrib/server.properties

dist_check_SCRIPTS += tests/conf-docs.sh
TESTS += tests/conf-docs.sh
tests/conf-docs.log: tools/confdoc

update-conf-docs: tools/confdoc
	tools/confdoc sample >$(srcdir)/contrib/server.properties
	tools/confdoc markdown >$(srcdir)/doc/CONFIGURATION.md
.PHONY: update-conf-docs
