/* subprotocol [URL [LIST]]: what both ends speak is agreed on in the handshake.
 *   subprotocol ws://127.0.0.1:9001                     a server that speaks chat, and superchat if there is no chat
 *   subprotocol ws://127.0.0.1:9001 "superchat, chat"   a client that offers these, best first; the server decides */
#include "serve.h"

/* Both ends learn what was chosen in the same way. */
static void on_open(libws_conn conn, void *user) {
    libws_conn_info info = {.struct_size = sizeof info};
    int *opened = user;
    if (libws_info(conn, &info) != LIBWS_OK) return;
    printf("chosen %s\n", *info.protocol ? info.protocol : "none");
    fflush(stdout);
    if (opened) *opened = 1;
    if (info.role == LIBWS_CLIENT) libws_close(conn, 1000, "that was all");
}

/* For a client that never opened: also the answer of a server that broke the rules. */
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn;
    (void)user;
    if (!info->was_open) fprintf(stderr, "not opened: %s\n", info->detail);
}

static int offer(const char *url, const char *list, const libws_handlers *handlers) {
    libws_connect_options options = {.struct_size = sizeof options, .protocols = list};
    int opened = 0;
    if (libws_connect(loop, url, handlers, &opened, &options, NULL) != LIBWS_OK) return failed();
    libws_loop_run(loop); /* returns when the connection, the only thing on this loop, is closed */
    libws_loop_free(loop);
    return opened ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open, .on_close = on_close};
    libws_listen_options options = {.struct_size = sizeof options, .protocols = "chat, superchat"};
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK) return failed();
    if (argc > 2) return offer(url, argv[2], &handlers);
    if (libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK) return failed();
    return serve(listener);
}
