/* SPDX-License-Identifier: Apache-2.0 */
/* Telling a service manager how far we are (the protocol of sd_notify(3)). */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

/* Sends `state`, as in "READY=1", to the socket that NOTIFY_SOCKET names. Without that, or when
 * nobody listens there, nothing happens. */
void notify_send(const char *state);

#endif
