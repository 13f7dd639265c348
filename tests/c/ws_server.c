/*
 * The echo server that the outer tests drive where the example `echo_server` is not enough:
 *
 *   ws_server URL [deflate [takeover] [peer-takeover] [bits=N] [peer-bits=N] [level=N] [min=N]] [must]
 *
 * must: a client that does not agree to compress is closed with 3000.
 */
#include "deflate_words.h"

#include <signal.h>

static libws_loop event_loop;

static void stop(int number)
{
    (void)number;
    libws_loop_stop(event_loop);
}

static void must_deflate(libws_conn conn, void *user)
{
    libws_conn_info info = {0};
    (void)user;
    info.struct_size = sizeof info;
    if (libws_info(conn, &info) == LIBWS_OK && !info.deflate) {
        libws_close(conn, 3000, "permessage-deflate was not agreed");
    }
}

static void echo(libws_conn conn, const libws_message *message, void *user)
{
    (void)user;
    if (libws_send(conn, message->kind, message->data, message->len) < 0) {
        fprintf(stderr, "echo of %lu bytes: %s\n", (unsigned long)message->len, libws_last_error());
    }
}

int main(int argc, char **argv)
{
    libws_handlers handlers = {0};
    libws_listen_options options = {0};
    int must = argc > 2 && strcmp(argv[argc - 1], "must") == 0;
    libws_settings settings = deflate_settings(argc - must - 2, argv + 2);
    libws_listener listener;
    char url[256];
    if (argc < 2) {
        fprintf(stderr, "usage: ws_server URL [" DEFLATE_WORDS "] [must]\n");
        return 2;
    }
    handlers.struct_size = sizeof handlers;
    handlers.on_open = must ? must_deflate : NULL;
    handlers.on_message = echo;
    options.struct_size = sizeof options;
    options.settings = &settings;
    options.origins = "*";
    if (libws_loop_new(NULL, &event_loop) < 0 ||
        libws_listen(event_loop, argv[1], &handlers, NULL, &options, &listener) < 0 ||
        libws_listener_url(listener, url, sizeof url) < 0) {
        fprintf(stderr, "%s\n", libws_last_error());
        return 1;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    printf("listening on %s\n", url);
    fflush(stdout);
    libws_loop_run(event_loop);
    libws_loop_free(event_loop);
    return 0;
}
