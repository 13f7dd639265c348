/* delayed_reply [URL [MS]]: answers every message 2 seconds later, by a timer. The loop never sleeps: meanwhile it
 * serves everybody else, and more messages of the same peer. */
#include "serve.h"
#include <stdlib.h>
#include <string.h>

struct reply {
    struct reply *next;
    libws_conn conn;
    size_t len;
    char data[];
};
static struct reply *waiting; /* needs no lock: callbacks never run at the same time */
static uint32_t delay_ms = 2000;

static void forget(struct reply *reply) {
    struct reply **at = &waiting;
    while (*at != reply) at = &(*at)->next;
    *at = reply->next;
    free(reply);
}

/* The peer may have gone since: then its id is dead, and libws_send says LIBWS_ERR_GONE and does nothing. */
static void on_due(libws_loop on, libws_timer timer, void *arg) {
    struct reply *reply = arg;
    (void)on;
    (void)timer;
    libws_send(reply->conn, LIBWS_TEXT, reply->data, reply->len);
    forget(reply);
}

/* The message lives until we return, so what is needed later is copied. */
static void on_message(libws_conn conn, const libws_message *message, void *user) {
    static const char prefix[] = "you said: ";
    size_t prefix_len = sizeof prefix - 1;
    struct reply *reply;

    (void)user;
    if (message->kind != LIBWS_TEXT) { libws_close(conn, 1003, "text only"); return; }
    reply = malloc(sizeof *reply + prefix_len + message->len);
    if (!reply) { libws_close(conn, 1011, "no memory"); return; }
    *reply = (struct reply){.next = waiting, .conn = conn, .len = prefix_len + message->len};
    memcpy(reply->data, prefix, prefix_len);
    memcpy(reply->data + prefix_len, message->data, message->len);
    waiting = reply;
    if (libws_timer_start(loop, delay_ms, 0, on_due, reply, NULL) != LIBWS_OK) forget(reply);
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_message = on_message};
    libws_settings settings = {.struct_size = sizeof settings, .max_message = 64 * 1024};
    libws_listen_options options = {.struct_size = sizeof options, .settings = &settings};
    libws_listener listener;
    int status;

    if (argc > 2) delay_ms = (uint32_t)strtoul(argv[2], NULL, 10);
    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK)
        return failed();
    status = serve(listener);
    while (waiting) forget(waiting); /* a timer that was not due is dropped with the loop */
    return status;
}
