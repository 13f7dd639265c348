/* Echo with libwebsockets: lws_server PORT [plain|deflate]. Whole messages, one reply each. */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One message to send, with the room that lws_write wants before it. */
struct reply {
    struct reply *next;
    size_t len;
    int binary;
    unsigned char room[LWS_PRE];
    unsigned char data[];
};

struct session {
    unsigned char *collected;
    size_t len, capacity;
    struct reply *first, *last;
};

static int collect(struct session *session, const void *data, size_t len) {
    if (session->len + len > session->capacity) {
        size_t capacity = (session->len + len) * 2;
        unsigned char *grown = realloc(session->collected, capacity);
        if (!grown) return -1;
        session->collected = grown;
        session->capacity = capacity;
    }
    memcpy(session->collected + session->len, data, len);
    session->len += len;
    return 0;
}

static int queue_reply(struct session *session, int binary) {
    struct reply *reply = malloc(sizeof *reply + session->len);
    if (!reply) return -1;
    reply->next = NULL;
    reply->len = session->len;
    reply->binary = binary;
    memcpy(reply->data, session->collected, session->len);
    session->len = 0;
    if (session->last) session->last->next = reply;
    else session->first = reply;
    session->last = reply;
    return 0;
}

static struct reply *take_reply(struct session *session) {
    struct reply *reply = session->first;
    if (!reply) return NULL;
    session->first = reply->next;
    if (!session->first) session->last = NULL;
    return reply;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    struct session *session = user;
    struct reply *reply;
    int failed;

    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        if (collect(session, in, len)) return -1;
        if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi)) return 0;
        if (queue_reply(session, lws_frame_is_binary(wsi))) return -1;
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        reply = take_reply(session);
        if (!reply) return 0;
        failed = lws_write(wsi, reply->data, reply->len, reply->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0;
        free(reply);
        if (session->first) lws_callback_on_writable(wsi);
        return failed ? -1 : 0;
    case LWS_CALLBACK_CLOSED:
        while ((reply = take_reply(session))) free(reply);
        free(session->collected);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "echo", .callback = callback, .per_session_data_size = sizeof(struct session), .rx_buffer_size = 65536},
    {.name = NULL},
};

static const struct lws_extension extensions[] = {
    {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"},
    {NULL, NULL, NULL},
};

int main(int argc, char **argv) {
    struct lws_context_creation_info info = {0};
    struct lws_context *context;

    info.port = argc > 1 ? atoi(argv[1]) : 9001;
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    info.pt_serv_buf_size = 65536;
    if (argc > 2 && !strcmp(argv[2], "deflate")) info.extensions = extensions;
    lws_set_log_level(LLL_ERR, NULL);
    context = lws_create_context(&info);
    if (!context) return 1;
    printf("listening on ws://127.0.0.1:%d\n", info.port);
    fflush(stdout);
    while (lws_service(context, 0) >= 0) continue;
    lws_context_destroy(context);
    return 0;
}
