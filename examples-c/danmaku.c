/* danmaku [URL]: a comment floats over the stage of every viewer; open the page on the same port in several windows.
 *   client: TEXT
 *   server: said TEXT | viewers COUNT     with a tab after the first word */
#include "serve.h"

#define STAGE "stage"

static int viewers;

/* One publish reaches everybody: the message is framed once, however many viewers there are. */
static void tell_all(const char *what, const char *text, int text_len) {
    char line[400];
    int len = snprintf(line, sizeof line, "%s\t%.*s", what, text_len, text);
    libws_publish(loop, STAGE, 0, LIBWS_TEXT, line, (size_t)len);
}

static void tell_viewers(void) {
    char count[16];
    tell_all("viewers", count, snprintf(count, sizeof count, "%d", viewers));
}

static void on_open(libws_conn conn, void *user) {
    (void)user;
    libws_subscribe(conn, STAGE);
    viewers++;
    tell_viewers();
}

static void on_message(libws_conn conn, const libws_message *message, void *user) {
    (void)conn;
    (void)user;
    if (message->kind == LIBWS_TEXT && message->len > 0) tell_all("said", message->data, (int)message->len);
}

/* Its subscription has ended already. It may never have been open: only a viewer that was counted is taken off. */
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn;
    (void)user;
    if (!info->was_open) return;
    viewers--;
    tell_viewers();
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {
        .struct_size = sizeof handlers, .on_open = on_open, .on_message = on_message, .on_close = on_close};
    /* 100 Chinese characters; a longer message is refused by the library with 1009. */
    libws_settings settings = {.struct_size = sizeof settings, .max_message = 300};
    libws_listen_options options = {
        .struct_size = sizeof options, .settings = &settings, .static_root = PAGES "/danmaku"};
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK)
        return failed();
    return serve(listener);
}
