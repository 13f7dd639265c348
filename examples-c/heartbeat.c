/* heartbeat [URL [SILENCE_MS [TIMEOUT_MS]]]: finds out that a peer is gone although nothing says so: a cable was
 * pulled, a phone left the network. After SILENCE_MS without a byte it gets a ping; after TIMEOUT_MS more without an
 * answer it is dropped. Browsers and libraries answer pings by themselves. */
#include "serve.h"
#include <stdlib.h>

static void on_open(libws_conn conn, void *user) {
    (void)user;
    printf("opened %llu\n", (unsigned long long)conn);
    fflush(stdout);
}

/* Any message asks for the round trip that the newest heartbeat measured. */
static void on_message(libws_conn conn, const libws_message *message, void *user) {
    libws_conn_info info = {.struct_size = sizeof info};
    char text[64] = "not measured yet";
    (void)message;
    (void)user;
    if (libws_info(conn, &info) == LIBWS_OK && info.round_trip_us >= 0)
        snprintf(text, sizeof text, "%lld us", (long long)info.round_trip_us);
    libws_send_text(conn, text);
}

/* error tells a dropped peer from one that said goodbye. */
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)user;
    if (info->error == LIBWS_ERR_TIMEOUT) printf("dropped %llu: %s\n", (unsigned long long)conn, info->detail);
    else printf("closed %llu with %d\n", (unsigned long long)conn, (int)info->code);
    fflush(stdout);
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {
        .struct_size = sizeof handlers, .on_open = on_open, .on_message = on_message, .on_close = on_close};
    libws_settings settings = {
        .struct_size = sizeof settings,
        .heartbeat_ms = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 5000,
        .heartbeat_timeout_ms = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 3000,
    };
    libws_listen_options options = {.struct_size = sizeof options, .settings = &settings};
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK)
        return failed();
    return serve(listener);
}
