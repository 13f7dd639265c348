/* What the tests of loops share: bounded waiting, a listener on any port, the count of descriptors. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "check.h"
#include "peer.h"

#include <libws.h>
#include <stdatomic.h>
#include <string.h>

enum { WAIT_MS = 20000 }; /* how long anything may take before a test gives it up */

/* A new loop; the test ends when there is none to be had. */
libws_loop new_loop(void);
/* Listens on any free port of 127.0.0.1 and returns the port; the test ends if that fails. */
int listen_on(libws_loop loop, const libws_handlers *handlers, void *user, const libws_listen_options *options,
              libws_listener *out);
/* Connects to that port; the test ends if that fails at once. */
libws_conn connect_to(libws_loop loop, int port, const libws_handlers *handlers, void *user);
/* A raw peer with the opening handshake done, on a loop that this thread runs; -1 on failure. */
int open_peer(libws_loop loop, int port);
/* Runs turns of the loop until *flag has at least this value; 0 if that took too long. */
int turn_until(libws_loop loop, atomic_int *flag, int value);
/* Sleeps until *flag has at least this value; 0 if that took too long. For loops that another thread runs. */
int wait_until(atomic_int *flag, int value);
/* Runs the turns that are due now, and waits for nothing. */
void turn_idle(libws_loop loop);
void sleep_ms(int ms);
/* Open descriptors of this process. */
int count_fds(void);

#endif
