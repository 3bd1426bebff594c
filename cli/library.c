/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/library.h"

#include <dlfcn.h>
#include <string.h>

void *library_open(const char *name)
{
    return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

bool library_find(void *handle, const char *name, void *ret_function)
{
    void *address = dlsym(handle, name);

    memcpy(ret_function, &address, sizeof(address));
    return address != NULL;
}
