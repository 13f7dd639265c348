/* back_pressure [URL]: sends 32 MiB to everybody who connects, and never holds more than a little of it in memory.
 * A slow reader makes libws_send return LIBWS_PENDING: stop then, and go on when on_drain comes. */
#include "serve.h"
#include <stdlib.h>
#include <string.h>

#define MESSAGES 2048
#define MESSAGE_BYTES 16384

struct stream {
    int sent, waits;
    int64_t most_queued;
};

/* PENDING has taken the message; only the next one should wait. */
static void send_more(libws_conn conn, struct stream *stream) {
    static char message[MESSAGE_BYTES];
    while (stream->sent < MESSAGES) {
        memcpy(message, &stream->sent, sizeof stream->sent); /* its number, so that the reader can check */
        int32_t result = libws_send(conn, LIBWS_BINARY, message, sizeof message);
        if (result < 0) return; /* the connection is closing */
        stream->sent++;
        int64_t queued = libws_buffered_amount(conn);
        if (queued > stream->most_queued) stream->most_queued = queued;
        if (result == LIBWS_PENDING) {
            if (stream->waits++ == 0) printf("pending after %d messages\n", stream->sent), fflush(stdout);
            return;
        }
    }
    libws_close(conn, 1000, "that was all"); /* follows what is still queued */
}

static void on_open(libws_conn conn, void *user) {
    struct stream *stream = calloc(1, sizeof *stream);
    (void)user;
    if (!stream) { libws_close(conn, 1011, "no memory"); return; }
    libws_set_user(conn, stream);
    send_more(conn, stream);
}

static void on_drain(libws_conn conn, void *user) { send_more(conn, user); }

static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    struct stream *stream = user;
    (void)conn;
    (void)info;
    if (!stream) return;
    printf("sent %d messages, waited %d times, at most %lld bytes queued\n", stream->sent, stream->waits,
           (long long)stream->most_queued);
    fflush(stdout);
    free(stream);
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {
        .struct_size = sizeof handlers, .on_open = on_open, .on_drain = on_drain, .on_close = on_close};
    libws_settings settings = {.struct_size = sizeof settings, .high_water = 128 * 1024, .low_water = 32 * 1024};
    libws_listen_options options = {.struct_size = sizeof options, .settings = &settings};
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK)
        return failed();
    return serve(listener);
}
