/* compression [URL [MESSAGE...]]: permessage-deflate, switched on by one flag. As a server it tells of each message
 * whether it came compressed, and sends it back; what begins with "secret" goes back as it is. With messages it is a
 * client that sends them, does the same, and ends. */
#include "serve.h"
#include <string.h>

static char **to_send;
static int waiting, status;

/* Compression tells of a secret by the length of what it makes, to whoever can put a guess beside it. So a message that
 * holds a password, a token or a private number, and something that another may choose, goes uncompressed. */
static int32_t kind_for(int32_t kind, const void *data, size_t len) {
    int is_secret = len >= 6 && memcmp(data, "secret", 6) == 0;
    return is_secret ? kind | LIBWS_UNCOMPRESSED : kind;
}

static void tell(const libws_message *message) {
    printf("%zu bytes %s\n", message->len, message->flags & LIBWS_COMPRESSED ? "compressed" : "as they are");
    fflush(stdout);
}

static void on_server_message(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    tell(message);
    libws_send(conn, kind_for(message->kind, message->data, message->len), message->data, message->len);
}

static void on_client_open(libws_conn conn, void *user) {
    libws_conn_info info = {.struct_size = sizeof info};
    (void)user;
    libws_info(conn, &info); /* the server may have declined */
    printf("compression %s\n", info.deflate ? "agreed" : "declined");
    for (char **text = to_send; *text; text++, waiting++)
        libws_send(conn, kind_for(LIBWS_TEXT, *text, strlen(*text)), *text, strlen(*text));
}

static void on_client_message(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    tell(message);
    if (--waiting == 0) libws_close(conn, 1000, NULL);
}

static void on_client_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn;
    (void)user;
    if (info->code == 1000) return;
    printf("ended: %s\n", info->detail);
    status = 1;
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    /* This is all it takes. What is shorter than deflate_min_bytes goes as it is. */
    libws_settings settings = {.struct_size = sizeof settings, .flags = LIBWS_DEFLATE};
    libws_handlers server = {.struct_size = sizeof server, .on_message = on_server_message};
    libws_handlers client = {.struct_size = sizeof client, .on_open = on_client_open,
                             .on_message = on_client_message, .on_close = on_client_close};
    libws_listen_options listening = {.struct_size = sizeof listening, .settings = &settings};
    libws_connect_options connecting = {.struct_size = sizeof connecting, .settings = &settings};
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK) return failed();
    if (argc <= 2) {
        if (libws_listen(loop, url, &server, NULL, &listening, &listener) != LIBWS_OK) return failed();
        return serve(listener);
    }
    to_send = argv + 2;
    if (libws_connect(loop, url, &client, NULL, &connecting, NULL) != LIBWS_OK) return failed();
    libws_loop_run(loop); /* until the connection has ended */
    libws_loop_free(loop);
    return status;
}
