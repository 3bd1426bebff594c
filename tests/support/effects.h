/* SPDX-License-Identifier: Apache-2.0 */
/* Effects by their parts, without an id; what they point at is the caller's. */
#ifndef TESTS_SUPPORT_EFFECTS_H
#define TESTS_SUPPORT_EFFECTS_H

#include "core/effect.h"

struct effect listen_effect(uint32_t listener, const char *host, uint16_t port);
struct effect connect_effect(const char *host, uint16_t port);
struct effect watch_effect(uint64_t connection);
struct effect receive_effect(uint64_t connection, void *data, size_t length);
struct effect send_effect(uint64_t connection, const struct piece *pieces, uint32_t count);
struct effect close_effect(uint64_t connection);
struct effect open_effect(uint64_t file, enum open_mode mode, const char *path);
struct effect write_effect(uint64_t file, uint64_t offset, const struct piece *pieces,
                           uint32_t count);
struct effect read_effect(uint64_t file, uint64_t offset, void *data, size_t length);
struct effect file_effect(enum effect_kind kind, uint64_t file);
struct effect range_effect(enum effect_kind kind, uint64_t file, uint64_t offset, uint64_t length);
struct effect path_effect(enum effect_kind kind, const char *path);
struct effect rename_effect(const char *path, const char *path_to);

#endif
