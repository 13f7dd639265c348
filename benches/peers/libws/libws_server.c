/* libws for the rows that an echo does not serve: libws_server PORT broadcast|deflate|takeover [LEVEL]. */
#include <libws.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static libws_loop loop;

static void stop(int signal_number) {
    (void)signal_number;
    libws_loop_stop(loop);
}

static void subscribe(libws_conn conn, void *user) {
    (void)user;
    libws_subscribe(conn, "all");
}

static void publish(libws_conn conn, const libws_message *message, void *user) {
    (void)conn;
    (void)user;
    libws_publish(loop, "all", 0, message->kind, message->data, message->len);
}

static void echo(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    libws_send(conn, message->kind, message->data, message->len);
}

int main(int argc, char **argv) {
    libws_settings settings = {.struct_size = sizeof settings};
    libws_listen_options options = {.struct_size = sizeof options, .settings = &settings};
    libws_handlers handlers = {.struct_size = sizeof handlers};
    char url[64];

    if (argc < 3) {
        fprintf(stderr, "usage: libws_server PORT broadcast|deflate|takeover [LEVEL]\n");
        return 2;
    }
    if (!strcmp(argv[2], "broadcast")) {
        handlers.on_open = subscribe;
        handlers.on_message = publish;
    } else {
        handlers.on_message = echo;
        settings.flags = LIBWS_DEFLATE;
        if (!strcmp(argv[2], "takeover")) settings.flags |= LIBWS_DEFLATE_TAKEOVER | LIBWS_DEFLATE_PEER_TAKEOVER;
        settings.deflate_level = argc > 3 ? (uint32_t)atoi(argv[3]) : 0;
        settings.deflate_min_bytes = 1;
    }
    snprintf(url, sizeof url, "ws://127.0.0.1:%s", argv[1]);
    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, NULL) != LIBWS_OK) {
        fprintf(stderr, "%s\n", libws_last_error());
        return 1;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    printf("listening on %s\n", url);
    fflush(stdout);
    libws_loop_run(loop);
    libws_loop_free(loop);
    return 0;
}
