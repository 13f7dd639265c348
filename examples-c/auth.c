/* auth [URL]: who may connect is decided before the handshake is answered. A token comes as `Authorization: Bearer
 * TOKEN`, or as `?token=TOKEN` from a page, which cannot set headers. `demo` is let in at once, the rest gets 401;
 * `slow` and `wrong` are looked up by another thread, as in a database, while the loop goes on. */
#include "serve.h"
#include <pthread.h>
#include <string.h>
#include <unistd.h>

struct question {
    libws_request request;
    int known;
};
static int questions[2]; /* a pipe to the thread that looks tokens up */

/* Once a request is answered, what on_upgrade returns does not count. */
static int32_t refuse(libws_request request) {
    static const char body[] = "{\"error\": \"a valid token is needed\"}\n";
    static const char headers[] = "WWW-Authenticate: Bearer\r\nContent-Type: application/json\r\n";
    libws_respond(request, 401, headers, body, sizeof body - 1);
    return 401;
}

/* Takes as long for any wrong token, so that guesses learn nothing from the time. */
static int same(const char *token, const char *secret) {
    unsigned different = strlen(token) != strlen(secret);
    for (size_t i = 0, len = strlen(secret); i < len; i++)
        different |= (unsigned char)secret[i] ^ (unsigned char)token[different ? 0 : i];
    return !different;
}

static int32_t on_upgrade(libws_request request, void *user) {
    const char *header = libws_request_header(request, "Authorization"), *target = libws_request_target(request);
    const char *query = target ? strstr(target, "?token=") : NULL, *token = "";
    struct question question = {.request = request};

    (void)user;
    if (header && strncmp(header, "Bearer ", 7) == 0) token = header + 7;
    else if (query) token = query + 7;
    if (same(token, "demo")) return LIBWS_ACCEPT;
    question.known = same(token, "slow");
    if (!question.known && !same(token, "wrong")) return refuse(request);
    return write(questions[1], &question, sizeof question) == sizeof question ? LIBWS_DEFER : 503;
}

/* The peer may have gone meanwhile: its request is dead then, and the answer is not sent. */
static void *look_up(void *arg) {
    struct question question;
    while (read(questions[0], &question, sizeof question) == sizeof question) {
        sleep(1); /* a slow database */
        if (question.known) libws_accept(question.request, NULL, NULL);
        else refuse(question.request);
    }
    return arg;
}

static void on_open(libws_conn conn, void *user) {
    (void)user;
    libws_send_text(conn, "welcome");
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_upgrade = on_upgrade, .on_open = on_open};
    libws_listener listener;
    pthread_t thread;
    int status;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, NULL, &listener) != LIBWS_OK)
        return failed();
    if (pipe(questions) != 0 || pthread_create(&thread, NULL, look_up, NULL) != 0) return 1;
    status = serve(listener);
    close(questions[1]); /* ends the thread */
    pthread_join(thread, NULL);
    return status;
}
