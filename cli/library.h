/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of shared libraries that are loaded when they are first needed. Who uses one declares
 * the few functions by itself, so that building needs no headers: only what the name of the shared
 * object promises to keep is used.
 */
#ifndef CLI_LIBRARY_H
#define CLI_LIBRARY_H

#include <stdbool.h>

/* Loads the library, "libz.so.1"; NULL when this machine has none. dlclose() unloads it. */
void *library_open(const char *name);

/* Puts the address of the function `name` into `ret_function`, a pointer to a function. False when
 * the library has none of that name. */
bool library_find(void *handle, const char *name, void *ret_function);

#endif
