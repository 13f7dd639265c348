/*
 * The client that the outer tests drive.
 *
 *   ws_client interop URL [WORDS]                     one dialogue with an echo server, a line per check
 *   ws_client autobahn BASE AGENT FIRST LAST [WORDS]  runs these cases of an Autobahn fuzzing server
 *
 * WORDS set permessage-deflate up: deflate_words.h. With them the dialogue also checks that it was agreed.
 *
 * tests/interop/README.md and tests/conformance/README.md define both. Ends with 0, with 1 after the
 * first failure, with 2 when called wrongly.
 */
#include "deflate_words.h"

static const size_t SIZES[] = {0, 1, 125, 126, 127, 65535, 65536, 1000003};
enum { SIZE_COUNT = sizeof SIZES / sizeof SIZES[0], MESSAGE_COUNT = 2 * SIZE_COUNT, LARGEST = 1000003 };
static const char PING[] = "are you there?";
static const char HAN[] = "\xe7\xbd\x91"; /* a character of three bytes */

static void fail(const char *what, const char *why)
{
    printf("FAIL %s: %s\n", what, why);
    exit(1);
}

static void must(int32_t result, const char *what)
{
    if (result < 0) {
        fail(what, libws_last_error());
    }
}

static libws_connect_options connect_options(const libws_settings *settings)
{
    libws_connect_options options = {0};
    options.struct_size = sizeof options;
    options.settings = settings;
    return options;
}

/* ---- interop ------------------------------------------------------------------------------ */

typedef struct dialogue {
    int step;     /* the message that is under way; MESSAGE_COUNT: the ping; above: the close */
    int finished; /* on_close came, and it was right */
    int deflate;  /* the peer must have agreed to compress */
    int compressed; /* messages that came compressed */
    unsigned char payload[LARGEST];
} dialogue;

static int32_t step_kind(int step)
{
    return step < SIZE_COUNT ? LIBWS_TEXT : LIBWS_BINARY;
}

static size_t step_size(int step)
{
    return SIZES[step % SIZE_COUNT];
}

/* Text of exactly `size` bytes: whole characters of three bytes, then ASCII for the rest. */
static void fill(unsigned char *payload, int32_t kind, size_t size)
{
    size_t i;
    for (i = 0; i < size; i++) {
        if (kind == LIBWS_BINARY) {
            payload[i] = (unsigned char)(i * 7 + size);
        } else {
            payload[i] = (unsigned char)(i < size - size % 3 ? HAN[i % 3] : 'x');
        }
    }
}

static void next_step(libws_conn conn, dialogue *d)
{
    if (d->step < MESSAGE_COUNT) {
        int32_t kind = step_kind(d->step);
        size_t size = step_size(d->step);
        fill(d->payload, kind, size);
        must(libws_send(conn, kind, d->payload, size), "send");
    } else if (d->step == MESSAGE_COUNT) {
        must(libws_ping(conn, PING, strlen(PING)), "ping");
    } else {
        must(libws_close(conn, 3001, "bye"), "close");
    }
}

static void interop_open(libws_conn conn, void *user)
{
    dialogue *d = user;
    libws_conn_info info = {0};
    info.struct_size = sizeof info;
    must(libws_info(conn, &info), "info");
    if (info.deflate != d->deflate) {
        fail("permessage-deflate", d->deflate ? "it was not agreed" : "it was agreed");
    }
    next_step(conn, d);
}

static void interop_message(libws_conn conn, const libws_message *message, void *user)
{
    dialogue *d = user;
    char name[64];
    if (d->step >= MESSAGE_COUNT) {
        fail("echo", "one message too many");
    }
    snprintf(name, sizeof name, "%s of %lu bytes", step_kind(d->step) == LIBWS_TEXT ? "text" : "binary",
             (unsigned long)step_size(d->step));
    if (message->kind != step_kind(d->step)) {
        fail(name, "the echo has another kind");
    }
    if (message->len != step_size(d->step) || memcmp(message->data, d->payload, message->len) != 0) {
        fail(name, "the echo differs");
    }
    printf("ok %s\n", name);
    d->compressed += (message->flags & LIBWS_COMPRESSED) != 0;
    d->step++;
    next_step(conn, d);
}

static void interop_pong(libws_conn conn, const void *data, size_t len, void *user)
{
    dialogue *d = user;
    if (d->step != MESSAGE_COUNT || len != strlen(PING) || memcmp(data, PING, len) != 0) {
        fail("ping", "the pong does not belong to it");
    }
    printf("ok ping\n");
    d->step++;
    next_step(conn, d);
}

static void interop_close(libws_conn conn, const libws_close_info *info, void *user)
{
    dialogue *d = user;
    (void)conn;
    if (d->step <= MESSAGE_COUNT || info->code != 3001 || strcmp(info->reason, "bye") != 0 || !info->was_clean) {
        printf("closed in step %d with %d \"%s\"\n", d->step, (int)info->code, info->reason);
        fail("close with 3001 bye", info->detail);
    }
    if (d->deflate != (d->compressed > 0)) {
        fail("permessage-deflate", d->deflate ? "no echo came compressed" : "an echo came compressed");
    }
    printf("ok close with 3001 bye\n");
    d->finished = 1;
}

static int interop(libws_loop loop, const char *url, const libws_settings *settings)
{
    static dialogue d;
    libws_connect_options options = connect_options(settings);
    libws_handlers handlers = {0};
    libws_conn conn;
    handlers.struct_size = sizeof handlers;
    handlers.on_open = interop_open;
    handlers.on_message = interop_message;
    handlers.on_pong = interop_pong;
    handlers.on_close = interop_close;
    d.deflate = settings->flags & LIBWS_DEFLATE ? 1 : 0;
    must(libws_connect(loop, url, &handlers, &d, &options, &conn), "connect");
    must(libws_loop_run(loop), "run");
    return d.finished ? 0 : 1;
}

/* ---- autobahn ----------------------------------------------------------------------------- */

static void autobahn_message(libws_conn conn, const libws_message *message, void *user)
{
    int32_t result = libws_send(conn, message->kind, message->data, message->len);
    (void)user;
    if (result < 0) {
        fprintf(stderr, "echo of %lu bytes: %s\n", (unsigned long)message->len, libws_last_error());
    }
}

static void autobahn_close(libws_conn conn, const libws_close_info *info, void *user)
{
    (void)conn;
    *(int *)user = info->was_open;
}

/* Connects and echoes until the connection is closed. */
static void autobahn_visit(libws_loop loop, const char *url, const libws_settings *settings)
{
    libws_connect_options options = connect_options(settings);
    libws_handlers handlers = {0};
    libws_conn conn;
    int was_open = 0;
    handlers.struct_size = sizeof handlers;
    handlers.on_message = autobahn_message;
    handlers.on_close = autobahn_close;
    must(libws_connect(loop, url, &handlers, &was_open, &options, &conn), url);
    must(libws_loop_run(loop), url);
    if (!was_open) {
        fail(url, "the connection was refused");
    }
}

static int autobahn(libws_loop loop, char **words, const libws_settings *settings)
{
    const char *base = words[0], *agent = words[1];
    int first = atoi(words[2]), last = atoi(words[3]);
    char url[512];
    int number;
    for (number = first; number <= last; number++) {
        snprintf(url, sizeof url, "%s/runCase?case=%d&agent=%s", base, number, agent);
        autobahn_visit(loop, url, settings);
    }
    snprintf(url, sizeof url, "%s/updateReports?agent=%s", base, agent);
    autobahn_visit(loop, url, settings);
    return 0;
}

int main(int argc, char **argv)
{
    libws_loop loop;
    libws_settings settings;
    int status = 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    must(libws_loop_new(NULL, &loop), "loop");
    if (argc >= 3 && strcmp(argv[1], "interop") == 0) {
        settings = deflate_settings(argc - 3, argv + 3);
        status = interop(loop, argv[2], &settings);
    } else if (argc >= 6 && strcmp(argv[1], "autobahn") == 0) {
        settings = deflate_settings(argc - 6, argv + 6);
        status = autobahn(loop, argv + 2, &settings);
    } else {
        fprintf(stderr, "usage: ws_client interop URL [WORDS] | autobahn BASE AGENT FIRST LAST [WORDS]\n"
                        "WORDS: " DEFLATE_WORDS "\n");
    }
    must(libws_loop_free(loop), "free");
    return status;
}
