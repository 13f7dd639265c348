/* echo_client URL TEXT: sends one text, prints what comes back, and closes. */
#include <libws.h>
#include <stdio.h>

struct client {
    const char *text;
    int         echoed;
};

static void on_open(libws_conn conn, void *user) {
    struct client *client = user;
    libws_send_text(conn, client->text);
}

static void on_message(libws_conn conn, const libws_message *message, void *user) {
    struct client *client = user;
    printf("%.*s\n", (int)message->len, (const char *)message->data);
    client->echoed = 1;
    libws_close(conn, 1000, "thank you");
}

/* Every connection ends here, exactly once; also one that never opened. */
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn;
    (void)user;
    if (!info->was_clean)
        fprintf(stderr, "closed with %d: %s\n", (int)info->code, info->detail);
}

int main(int argc, char **argv) {
    struct client client = {0};
    libws_handlers handlers = {
        .struct_size = sizeof handlers, .on_open = on_open, .on_message = on_message, .on_close = on_close};
    libws_loop loop;

    if (argc != 3) {
        fprintf(stderr, "usage: %s URL TEXT\n", argv[0]);
        return 2;
    }
    client.text = argv[2];
    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_connect(loop, argv[1], &handlers, &client, NULL, NULL) != LIBWS_OK) {
        fprintf(stderr, "%s\n", libws_last_error());
        return 1;
    }
    libws_loop_run(loop); /* returns when the connection, the only thing on this loop, is closed */
    libws_loop_free(loop);
    return client.echoed ? 0 : 1;
}
