/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a simulated disk as a program beside the process sees them, in data folder 0. */
#ifndef TESTS_SUPPORT_BESIDE_H
#define TESTS_SUPPORT_BESIDE_H

#include "sim/files.h"

/* Null when there is none; borrowed. */
struct span beside_file(const struct files *files, const char *path);

/* Makes it, or gives it other bytes; durable at once. */
void beside_put_file(struct files *files, const char *path, struct span bytes);
/* The same in another data folder. */
void beside_put_file_in(struct files *files, uint32_t data_folder, const char *path,
                        struct span bytes);
void beside_put_folder(struct files *files, const char *path);

#endif
