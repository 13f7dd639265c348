/* one_port [URL]: files, an HTTP interface and WebSockets, all on one port. GET and HEAD go to the folder first; what
 * it does not have, and every other method, comes to on_request. */
#include "serve.h"
#include <string.h>

static int connections, messages;

static int32_t respond_text(libws_request request, int32_t status, const char *text) {
    return libws_respond(request, status, "Content-Type: text/plain; charset=utf-8\r\n", text, strlen(text));
}

static int is(const char *text, const char *other) { return strcmp(text, other) == 0; }

/* GET /api/status */
static void status(libws_request request) {
    char json[80];
    int len = snprintf(json, sizeof json, "{\"connections\": %d, \"messages\": %d}\n", connections, messages);
    libws_respond(request, 200, "Content-Type: application/json\r\nCache-Control: no-store\r\n", json, (size_t)len);
}

/* POST /api/say: the body goes to every WebSocket. */
static void say(libws_request request) {
    size_t len;
    const void *body = libws_request_body(request, &len);
    int32_t reached = libws_publish(loop, "all", 0, LIBWS_TEXT, body, len);
    char text[40];
    if (reached < 0) { respond_text(request, 400, "the body must be UTF-8\n"); return; }
    snprintf(text, sizeof text, "%d reached\n", (int)reached);
    respond_text(request, 200, text);
}

static void on_request(libws_request request, void *user) {
    const char *method = libws_request_method(request), *target = libws_request_target(request);
    (void)user;
    if (is(target, "/api/status") && is(method, "GET")) status(request);
    else if (is(target, "/api/say") && is(method, "POST")) say(request);
    else if (is(target, "/api/status") || is(target, "/api/say")) respond_text(request, 405, "not this method\n");
    else respond_text(request, 404, "no such page\n");
}

static void on_open(libws_conn conn, void *user) {
    (void)user;
    connections++;
    libws_subscribe(conn, "all");
}

static void on_message(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    messages++;
    libws_publish(loop, "all", 0, message->kind, message->data, message->len);
    (void)conn;
}

static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn;
    (void)user;
    connections -= info->was_open;
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_request = on_request, .on_open = on_open,
                               .on_message = on_message, .on_close = on_close};
    libws_listen_options options = {
        .struct_size = sizeof options, .path = "/ws", .static_root = PAGES "/one_port", .max_body = 4096};
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK)
        return failed();
    return serve(listener);
}
