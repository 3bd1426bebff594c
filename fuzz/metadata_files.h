/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a data folder that a broker reads when it starts, as bytes: what fails (one byte, 0:
 * nothing, else fault_add() with one less) and after how many (one byte); then a name (one byte, as
 * in the table of metadata_files.c), an offset (one byte), an epoch (one byte), a length (16 bits),
 * so many bytes; and again.
 */
#ifndef FUZZ_METADATA_FILES_H
#define FUZZ_METADATA_FILES_H

#include <stdbool.h>

#include "core/base/span.h"

/* A broker starts on these files, with one data folder or with another, empty one beside it. It
 * serves or ends; when it serves, it does so again with the same metadata after a kill and after
 * an end in order. Aborts otherwise. */
void metadata_files_run(struct span files, bool two_folders);

#endif
