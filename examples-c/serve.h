/* What every server of this folder does in the same way; echo_server.c shows it in full. */
#include <libws.h>
#include <signal.h>
#include <stdio.h>

static libws_loop loop;

/* libws_loop_stop is one of the few calls that a signal handler may make. */
static inline void stop(int signal_number) {
    (void)signal_number;
    libws_loop_stop(loop);
}

/* Prints why the last call failed; for `return failed();`. */
static inline int failed(void) {
    fprintf(stderr, "%s\n", libws_last_error());
    return 1;
}

/* Says where it listens, and runs until Ctrl-C. */
static inline int serve(libws_listener listener) {
    char url[256];
    if (libws_listener_url(listener, url, sizeof url) < 0) return failed();
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    printf("listening on %s\n", url);
    fflush(stdout);
    libws_loop_run(loop);
    libws_loop_free(loop); /* every on_close runs in here */
    return 0;
}
