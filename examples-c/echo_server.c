/* echo_server [URL]: sends every message back, with the library's defaults. */
#include <libws.h>
#include <signal.h>
#include <stdio.h>

static libws_loop loop;

/* libws_loop_stop is one of the few calls that a signal handler may make. */
static void stop(int signal_number) {
    (void)signal_number;
    libws_loop_stop(loop);
}

static void on_message(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    libws_send(conn, message->kind, message->data, message->len);
}

int main(int argc, char **argv) {
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_message = on_message};
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_listener listener;
    char real_url[256];

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, NULL, &listener) != LIBWS_OK ||
        libws_listener_url(listener, real_url, sizeof real_url) < 0) {
        fprintf(stderr, "%s\n", libws_last_error());
        return 1;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    printf("listening on %s\n", real_url);
    fflush(stdout);

    libws_loop_run(loop);
    libws_loop_free(loop);
    return 0;
}
