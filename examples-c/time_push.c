/* time_push [URL [MS]]: pushes the time to everybody every 3 seconds; the page on the same port appends it. */
#include "serve.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void time_now(char *out, size_t size) {
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(out, size, "%Y-%m-%d %H:%M:%S", &local);
}

/* A new page does not wait for the next beat. */
static void on_open(libws_conn conn, void *user) {
    char text[32];
    (void)user;
    libws_subscribe(conn, "time");
    time_now(text, sizeof text);
    libws_send_text(conn, text);
}

/* One message for all subscribers: it is framed once, however many there are. */
static void on_beat(libws_loop on, libws_timer timer, void *arg) {
    char text[32];
    (void)timer;
    (void)arg;
    time_now(text, sizeof text);
    libws_publish(on, "time", 0, LIBWS_TEXT, text, strlen(text));
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    uint32_t every_ms = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 3000;
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open};
    libws_listen_options options = {.struct_size = sizeof options, .static_root = PAGES "/time_push"};
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK ||
        libws_timer_start(loop, every_ms, every_ms, on_beat, NULL, NULL) != LIBWS_OK)
        return failed();
    return serve(listener);
}
