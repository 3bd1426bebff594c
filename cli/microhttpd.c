/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/microhttpd.h"

#include <dlfcn.h>

#include "cli/library.h"

bool microhttpd_load(struct microhttpd *http)
{
    void *handle = library_open(MICROHTTPD_LIBRARY);
    http->handle = handle;
    return handle != NULL && library_find(handle, "MHD_start_daemon", &http->start_daemon) &&
           library_find(handle, "MHD_stop_daemon", &http->stop_daemon) &&
           library_find(handle, "MHD_get_daemon_info", &http->get_daemon_info) &&
           library_find(handle, "MHD_get_connection_info", &http->get_connection_info) &&
           library_find(handle, "MHD_add_connection", &http->add_connection) &&
           library_find(handle, "MHD_run", &http->run) &&
           library_find(handle, "MHD_get_timeout", &http->get_timeout) &&
           library_find(handle, "MHD_create_response_from_buffer", &http->create_response) &&
           library_find(handle, "MHD_add_response_header", &http->add_header) &&
           library_find(handle, "MHD_queue_response", &http->queue_response) &&
           library_find(handle, "MHD_destroy_response", &http->destroy_response);
}

void microhttpd_unload(struct microhttpd *http)
{
    if (http->handle != NULL)
        dlclose(http->handle);
    http->handle = NULL;
}
