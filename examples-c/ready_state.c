/* ready_state [URL]: the life of a connection as both ends see it. The page on the same port shows its own states and
 * those that this program sees. This program is also a client of itself, and closes that connection with 4000. */
#include "serve.h"
#include <string.h>

static const char *const names[] = {"CONNECTING", "OPEN", "CLOSING", "CLOSED"};

/* Prints a state and shows it to all pages; user is "server" or "client", the side of the connection. */
static void show(libws_conn conn, const char *side, const char *why) {
    libws_conn_info info = {.struct_size = sizeof info};
    char line[400];
    libws_info(conn, &info); /* whose connection it is; a client has no peer yet when it is CONNECTING */
    int len = snprintf(line, sizeof line, "%s %s %s%s", side, *info.peer ? info.peer : "-",
                       names[libws_ready_state(conn)], why);
    puts(line);
    fflush(stdout);
    libws_publish(loop, "states", 0, LIBWS_TEXT, line, (size_t)len);
}

static void on_open(libws_conn conn, void *user) {
    libws_conn_info info = {.struct_size = sizeof info};
    show(conn, user, "");
    if (libws_info(conn, &info) != LIBWS_OK) return;
    if (info.role == LIBWS_SERVER) {
        libws_subscribe(conn, "states");
    } else {
        libws_close(conn, 4000, "seen enough"); /* the server's Close is still to come */
        show(conn, user, "");
    }
}

/* "close" asks the server to begin the close handshake. */
static void on_message(libws_conn conn, const libws_message *message, void *user) {
    if (message->len != 5 || memcmp(message->data, "close", 5) != 0) return;
    libws_close(conn, 4001, "you asked for it");
    show(conn, user, "");
}

/* A peer that vanished without a Close has 1006, and detail says what happened. */
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    char why[300];
    const char *text = info->was_clean ? info->reason : info->detail;
    snprintf(why, sizeof why, " %d%s%s", (int)info->code, *text ? " " : "", text);
    show(conn, user, why);
}

static void connect_to(const char *url, const libws_handlers *handlers) {
    libws_conn conn;
    if (libws_connect(loop, url, handlers, "client", NULL, &conn) == LIBWS_OK) show(conn, "client", "");
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {
        .struct_size = sizeof handlers, .on_open = on_open, .on_message = on_message, .on_close = on_close};
    libws_listen_options options = {.struct_size = sizeof options, .static_root = PAGES "/ready_state"};
    libws_listener listener;
    char real_url[256];

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, "server", &options, &listener) != LIBWS_OK ||
        libws_listener_url(listener, real_url, sizeof real_url) < 0)
        return failed();
    connect_to(real_url, &handlers);
    return serve(listener);
}
