/* reconnect [URL [MS]]: a client that heals itself. Start echo_server, stop it, start it again, and watch: the connection
 * comes back under the same id, and what was sent meanwhile arrives. */
#include "serve.h"
#include <stdlib.h>

static libws_conn conn;

static void on_open(libws_conn opened, void *user) {
    (void)user;
    printf("open (%s)\n", opened == conn ? "the same id" : "another id?");
}

/* Lost, or an attempt failed: the library waits after_ms and dials again; libws_close() would end it. */
static void on_retry(libws_conn lost, const libws_close_info *info, uint32_t after_ms, void *user) {
    (void)lost;
    (void)user;
    printf("lost: %d %s; next attempt in %u ms\n", (int)info->code, info->detail, (unsigned)after_ms);
}

static void on_message(libws_conn from, const libws_message *message, void *user) {
    (void)from;
    (void)user;
    printf("echo: %.*s\n", (int)message->len, (const char *)message->data);
}

static void on_close(libws_conn closed, const libws_close_info *info, void *user) {
    (void)closed;
    (void)user;
    printf("closed for good: %d %s\n", (int)info->code, info->detail);
}

/* Sends whether or not there is a connection: the offline queue keeps it. */
static void on_tick(libws_loop on, libws_timer timer, void *arg) {
    static int count;
    char text[40];
    (void)on;
    (void)timer;
    (void)arg;
    snprintf(text, sizeof text, "message %d", ++count);
    if (libws_send_text(conn, text) == LIBWS_ERR_FULL) printf("the offline queue is full\n");
    fflush(stdout);
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    uint32_t every_ms = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000;
    libws_handlers handlers = {.struct_size = sizeof handlers,
                               .on_open = on_open,
                               .on_message = on_message,
                               .on_retry = on_retry,
                               .on_close = on_close};
    libws_connect_options options = {.struct_size = sizeof options,
                                     .reconnect = 1,
                                     .reconnect_min_ms = 200,
                                     .reconnect_max_ms = 5000,
                                     .offline_queue = 64 * 1024,
                                     .offline_drop_oldest = 1};

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_connect(loop, url, &handlers, NULL, &options, &conn) != LIBWS_OK ||
        libws_timer_start(loop, every_ms, every_ms, on_tick, NULL, NULL) != LIBWS_OK)
        return failed();
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    libws_loop_run(loop);
    libws_loop_free(loop);
    return 0;
}
