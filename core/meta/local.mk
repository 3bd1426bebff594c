# SPDX-License-Identifier: Apache-2.0
libcore_a_SOURCES += \
	core/meta/brokers.h \
	core/meta/controller.h \
	core/meta/identity.h \
	core/meta/image.h \
	core/meta/producer_ids.h \
	core/meta/record.h \
	core/meta/snapshot.h \
	core/meta/topics.h \
	core/meta/wal.h \
	core/meta/writer.h
