/* origin [URL [ORIGINS]]: which web pages may connect. A browser lets any page open a WebSocket to any server, and
 * sends the user's cookies along; the Origin header is how the server knows the page. By default libws takes pages of
 * the server's own host and port; a list replaces that. The rest gets 403 before on_upgrade is asked. */
#include "serve.h"

/* Programs need not send an Origin, and can send any: it protects users of browsers and is no password. */
static int32_t on_upgrade(libws_request request, void *user) {
    const char *origin = libws_request_header(request, "Origin");
    (void)user;
    printf("allowed %s\n", origin ? origin : "a program without an Origin");
    fflush(stdout);
    return LIBWS_ACCEPT;
}

static void on_open(libws_conn conn, void *user) {
    (void)user;
    libws_send_text(conn, "welcome");
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_upgrade = on_upgrade, .on_open = on_open};
    libws_listen_options options = {
        .struct_size = sizeof options,
        .origins = argc > 2 ? argv[2] : "https://app.example, https://admin.example:8443",
    };
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK)
        return failed();
    return serve(listener);
}
